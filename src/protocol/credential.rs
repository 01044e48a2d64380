//! The verifier's half of a TPM's proof of possession: a secret that only the TPM with one endorsement key can open.
//!
//! This is `TPM2_MakeCredential` in software (TCG TPM 2.0 Library, Part 1, chapter "Credential Protection"): no TPM is
//! needed to pose the challenge. The TPM opens it with `TPM2_ActivateCredential`, and only while it holds the key that
//! the challenge names. What is opened shows possession of the endorsement key, not who made the TPM: the maker's
//! certificate is not looked at.
//!
//! Behind the feature `credential`, as only an authority needs the curve.

mod derive;
mod oaep;

use crate::ids::hex;
use derive::{cfb, integrity, kdfa, kdfe};
use p256::elliptic_curve::ops::ReduceNonZero;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::{FieldBytes, ProjectivePoint, PublicKey, Scalar};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// The default template of an endorsement key up to its own value: type, name hash, attributes, policy, cipher (TCG EK
/// Credential Profile 2.5, templates L-1 and L-2). Keys of any other form are refused, so nothing has to be parsed.
const POLICY: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd,
    0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];
const ECC: u16 = 0x0023;
const RSA: u16 = 0x0001;
/// SHA-256; fixed to TPM and parent, made there, restricted decryption by policy; a policy of 32 bytes.
const SHA256_AND_ATTRIBUTES: [u8; 8] = [0x00, 0x0b, 0x00, 0x03, 0x00, 0xb2, 0x00, 0x20];
/// AES-128 in CFB, no scheme.
const CIPHER: [u8; 8] = [0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10];
/// NIST P-256, no derivation.
const CURVE: [u8; 4] = [0x00, 0x03, 0x00, 0x10];
/// 2048 bits, the default exponent 65537.
const MODULUS: [u8; 6] = [0x08, 0x00, 0x00, 0x00, 0x00, 0x00];

/// How many bytes the name of an object in a TPM has: the number of the hash, and the hash.
pub const NAME_LENGTH: usize = 34;

/// Why no challenge can be posed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// It is no public area of the default templates.
    #[error(
        "this is no endorsement key of a TPM 2.0 in one of the two default forms: ask for the evidence again"
    )]
    Form,
    /// The numbers in it are no key.
    #[error("this endorsement key is no valid key: ask for the evidence again")]
    Value,
}

/// The public area of an endorsement key of a form and value that can be challenged.
#[derive(Clone, PartialEq, Eq)]
pub struct EndorsementKey {
    public_area: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// With `x` as it was published: old TPMs leave leading zeros out, and derive from what is left.
    Ecc {
        point: PublicKey,
        x: Vec<u8>,
    },
    Rsa(Box<oaep::Modulus>),
}

impl EndorsementKey {
    /// From a `TPMT_PUBLIC`, as the device sends it.
    pub fn from_public_area(bytes: &[u8]) -> Result<Self, CredentialError> {
        let kind = if let Some([x, y]) = after(bytes, ECC, &CURVE).and_then(numbers) {
            let sec1 = [&[4][..], &filled_up(x)?, &filled_up(y)?].concat();
            let point = PublicKey::from_sec1_bytes(&sec1).map_err(|_| CredentialError::Value)?;
            Kind::Ecc { point, x: x.to_vec() }
        } else if let Some([modulus]) = after(bytes, RSA, &MODULUS).and_then(numbers) {
            let modulus = modulus.try_into().ok().and_then(oaep::Modulus::new);
            Kind::Rsa(Box::new(modulus.ok_or(CredentialError::Value)?))
        } else {
            return Err(CredentialError::Form);
        };
        Ok(Self { public_area: bytes.to_vec(), kind })
    }

    /// The bytes that it was made from.
    #[must_use]
    pub fn public_area(&self) -> &[u8] {
        &self.public_area
    }

    /// The value of the factor [`TpmKey`](crate::evidence::Factor::TpmKey): the SHA-256 of the public area in
    /// hexadecimal.
    #[must_use]
    pub fn factor_value(&self) -> String {
        hex(&Sha256::digest(&self.public_area))
    }
}
impl fmt::Debug for EndorsementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Ecc { .. } => "P-256",
            Kind::Rsa(_) => "RSA 2048",
        };
        write!(f, "EndorsementKey({kind})")
    }
}

/// A challenge, as `TPM2_ActivateCredential` takes it: the contents of its two parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// `TPM2B_ID_OBJECT`: the secret, encrypted and bound to the name of a key.
    pub id_object: Vec<u8>,
    /// `TPM2B_ENCRYPTED_SECRET`: what the endorsement key makes the keys for it from.
    pub encrypted_secret: Vec<u8>,
}

/// Encrypts `secret` so that only the TPM with the endorsement key `to` can open it, while it holds the key that is
/// called `name` (the number of the hash and the hash of its public area). `random` is used once and told nobody.
#[must_use]
pub fn make_credential(
    to: &EndorsementKey,
    name: &[u8; NAME_LENGTH],
    secret: &[u8; 32],
    random: &[u8; 64],
) -> Credential {
    let (first, second) = halves(random);
    let (seed, encrypted_secret) = match &to.kind {
        Kind::Ecc { point, x } => agree(point, x, &first),
        Kind::Rsa(modulus) => (Zeroizing::new(*first), modulus.encrypt(&first, &second)),
    };
    let cipher_key = kdfa(&seed, b"STORAGE", name);
    let mut identity = Zeroizing::new([0; 34]);
    identity[1] = 32;
    identity[2..].copy_from_slice(secret);
    cfb(&cipher_key, &mut *identity);
    let mac = integrity(&seed, &*identity, name);
    let id_object = [&[0, 32][..], &mac, &*identity].concat();
    Credential { id_object, encrypted_secret }
}

/// An ephemeral key agrees with the endorsement key on the seed; its public half travels.
fn agree(point: &PublicKey, x: &[u8], random: &[u8; 32]) -> (Zeroizing<[u8; 32]>, Vec<u8>) {
    let scalar = Zeroizing::new(Scalar::reduce_nonzero(&FieldBytes::from(*random)));
    let ours = (ProjectivePoint::GENERATOR * *scalar).to_affine();
    let shared = Zeroizing::new(<[u8; 32]>::from((point.to_projective() * *scalar).to_affine().x()));
    let (our_x, our_y) = (<[u8; 32]>::from(ours.x()), <[u8; 32]>::from(ours.y()));
    let seed = kdfe(&shared, b"IDENTITY", &our_x, x);
    (seed, [&[0, 32][..], &our_x, &[0, 32], &our_y].concat())
}

/// What stands behind the template of one type.
fn after<'a>(bytes: &'a [u8], kind: u16, numbers: &[u8]) -> Option<&'a [u8]> {
    bytes
        .strip_prefix(&kind.to_be_bytes()[..])?
        .strip_prefix(&SHA256_AND_ATTRIBUTES[..])?
        .strip_prefix(&POLICY[..])?
        .strip_prefix(&CIPHER[..])?
        .strip_prefix(numbers)
}

/// `N` numbers, each behind its length, and nothing else.
fn numbers<const N: usize>(mut bytes: &[u8]) -> Option<[&[u8]; N]> {
    let mut found: [&[u8]; N] = [&[]; N];
    for number in &mut found {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        (*number, bytes) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    }
    bytes.is_empty().then_some(found)
}

/// A coordinate with its leading zeros.
fn filled_up(number: &[u8]) -> Result<[u8; 32], CredentialError> {
    let mut coordinate = [0; 32];
    let at = coordinate.len().checked_sub(number.len()).ok_or(CredentialError::Form)?;
    coordinate[at..].copy_from_slice(number);
    Ok(coordinate)
}

fn halves(random: &[u8; 64]) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
    let mut both = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    both.0.copy_from_slice(&random[..32]);
    both.1.copy_from_slice(&random[32..]);
    both
}

#[cfg(test)]
mod tests;
