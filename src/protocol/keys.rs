//! Ed25519 keys. Secret keys are wiped when dropped and never printed.

use crate::ids::{ActivationId, DeviceId, IssuerId, OperationId};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A public key that is a valid curve point. JSON and screens show it in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// None when the bytes are no point on the curve, a weak one, or not the one way to write it: a key is
    /// named by its bytes, so it must not have a second name.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| is_reduced(&bytes) && !key.is_weak()).map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Strict verification: no malleable signatures, no small-order keys.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    /// The device that holds the secret half of this key.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        let hash =
            Sha256::new().chain_update(b"landfast/1/device\0").chain_update(self.as_bytes()).finalize();
        DeviceId(hash.into())
    }
}

/// Whether the coordinate, little-endian below the sign bit, is smaller than the field's prime 2^255 - 19.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    bytes[31] & 0x7f != 0x7f || bytes[1..31].iter().any(|byte| *byte != 0xff) || bytes[0] < 0xed
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::ids::hex(self.as_bytes()))
    }
}
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
impl FromStr for PublicKey {
    type Err = crate::ids::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = crate::ids::Digest::from_str(text)?;
        Self::from_bytes(bytes.0).ok_or(crate::ids::IdError::Key)
    }
}
impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        crate::ids::Digest(*self.as_bytes()).serialize(to)
    }
}
impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = crate::ids::Digest::deserialize(from)?;
        Self::from_bytes(bytes.0).ok_or_else(|| serde::de::Error::custom("not an Ed25519 public key"))
    }
}

/// The secret half.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32 bytes it was made from. Whoever stores them guards them.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// A deterministic signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Shows that the maker of an operation knew the activation id, without showing the id.
#[must_use]
pub fn activation_proof(
    id: &ActivationId,
    issuer: &IssuerId,
    device: &PublicKey,
    operation: &OperationId,
) -> [u8; 32] {
    let key: [u8; 32] = Sha256::new()
        .chain_update(b"landfast/1/activation\0")
        .chain_update(issuer.0)
        .chain_update(id.as_bytes())
        .finalize()
        .into();
    hmac(&Zeroizing::new(key), &[device.as_bytes(), &operation.0])
}

/// Compares a proof in constant time.
#[must_use]
pub fn same_proof(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// HMAC-SHA256 over the parts, joined. The caller makes the joint unambiguous.
pub(crate) fn hmac<const N: usize>(key: &[u8; N], parts: &[&[u8]]) -> [u8; 32] {
    const { assert!(N <= BLOCK) };
    // HMAC fills a short key up with zeros itself; done here, the key has the one length that cannot be wrong.
    let mut block = Zeroizing::new([0; BLOCK]);
    block[..N].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
