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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2: a key shorter than a block.
    #[test]
    fn hmac_gives_what_its_standard_says() {
        let mac = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(crate::ids::hex(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn signatures_are_what_their_standard_says() {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let key = SecretKey::from_seed(&seed.parse::<crate::ids::Digest>().unwrap().0);
        assert_eq!(
            key.public().to_string(),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let signature = key.sign(&[0x72]);
        assert!(crate::ids::hex(&signature).starts_with("92a009a9f0d4cab8720e820b5f642540"));
        assert!(key.public().verifies(&[0x72], &signature));
        assert!(!key.public().verifies(&[0x73], &signature));
    }

    #[test]
    fn a_key_has_one_name() {
        // The prime itself and the eighteen values above it are second names of 0 to 18.
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, high);
                assert_eq!(PublicKey::from_bytes(bytes), None);
            }
        }
        let key = SecretKey::from_seed(&[1; 32]).public();
        assert_eq!(PublicKey::from_bytes(*key.as_bytes()), Some(key));
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", SecretKey::from_seed(&[7; 32])), "SecretKey(…)");
        assert_eq!(*SecretKey::from_seed(&[7; 32]).seed(), [7; 32]);
    }

    #[test]
    fn a_proof_is_good_for_one_device_and_one_operation_of_one_issuer() {
        let proof = |id: u8, issuer: u8, device: u8, operation: u8| {
            activation_proof(
                &ActivationId::from_bytes([id; 16]),
                &IssuerId([issuer; 16]),
                &SecretKey::from_seed(&[device; 32]).public(),
                &OperationId([operation; 16]),
            )
        };
        let good = proof(1, 1, 1, 1);
        assert!(same_proof(&good, &proof(1, 1, 1, 1)));
        for other in [proof(2, 1, 1, 1), proof(1, 2, 1, 1), proof(1, 1, 2, 1), proof(1, 1, 1, 2)] {
            assert!(!same_proof(&good, &other));
        }
    }
}
