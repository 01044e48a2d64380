//! Identifiers. In postcard each is its bare bytes; in JSON and on screens, lower-case hexadecimal.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;
use subtle::ConstantTimeEq as _;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Identifiers have a fixed number of digits.
    #[error("expected {expected} hexadecimal digits")]
    Hex {
        /// How many digits it takes.
        expected: usize,
    },
    /// Activation ids are UUIDs in their 36-character form.
    #[error("an activation id has 36 characters, like 01234567-89ab-4cde-8f01-23456789abcd")]
    ActivationId,
    /// Not every 32 bytes are a public key.
    #[error("these digits are no Ed25519 public key; copy the key again")]
    Key,
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes that `text` writes as hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $size:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Its bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }

            /// The first eight digits: enough to tell a handful apart on a screen.
            #[must_use]
            pub fn short(&self) -> String {
                hex(&self.0[..4])
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex(&self.0))
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                unhex(text)
                    .and_then(|bytes| <[u8; $size]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or(IdError::Hex { expected: $size * 2 })
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { fixed::serialize(&self.0, to) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    return String::deserialize(from)?.parse().map_err(serde::de::Error::custom);
                }
                fixed::deserialize(from).map(Self)
            }
        }
    };
}

/// Arrays of any size as bare bytes (serde itself stops at 32).
mod fixed {
    use serde::de::{Error, SeqAccess, Visitor};
    use serde::ser::SerializeTuple;
    use serde::{Deserializer, Serializer};
    use std::fmt;

    pub fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(N)?;
        for byte in bytes {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
        struct Bytes<const N: usize>;
        impl<'de, const N: usize> Visitor<'de> for Bytes<N> {
            type Value = [u8; N];
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} bytes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u8; N], A::Error> {
                let mut bytes = [0; N];
                for (at, byte) in bytes.iter_mut().enumerate() {
                    *byte = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &self))?;
                }
                Ok(bytes)
            }
        }
        from.deserialize_tuple(N, Bytes::<N>)
    }
}

identifier!(
    /// An issuer (vendor), drawn at `init`, signed into every certificate and pinned on devices.
    IssuerId, 16);
identifier!(
    /// A device as one issuer knows it: SHA-256 over a prefix and the device's public key.
    DeviceId, 32);
identifier!(
    /// A license on the wire and on screens: derived from the activation id, which it does not reveal.
    LicenseId, 16);
identifier!(
    /// One operation of one device, drawn at random when the operation is made.
    OperationId, 16);
identifier!(
    /// A record at the authority that a person can look up.
    CaseId, 8);
identifier!(
    /// Makes two requests of two copies of one store different.
    Nonce, 16);
identifier!(
    /// SHA-256 of a whole signed frame.
    Digest, 32);

impl Digest {
    /// SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// A 36-character UUID that names one license and activates it. A secret: it is never sent nor logged.
#[derive(Clone, Copy, zeroize::Zeroize)]
pub struct ActivationId([u8; 16]);

impl PartialEq for ActivationId {
    /// Takes the same time wherever two ids differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
impl Eq for ActivationId {}

impl ActivationId {
    /// From the 16 bytes of a UUID.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the UUID.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The text that a customer receives. Handle it like a password.
    #[must_use]
    pub fn reveal(&self) -> String {
        uuid::Uuid::from_bytes(self.0).hyphenated().to_string()
    }

    /// The license that this id activates at `issuer`.
    #[must_use]
    pub fn license(&self, issuer: &IssuerId) -> LicenseId {
        let hash = Sha256::new()
            .chain_update(b"landfast/1/license\0")
            .chain_update(issuer.0)
            .chain_update(self.0)
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        LicenseId(id)
    }
}
impl FromStr for ActivationId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let text = text.trim();
        if text.len() != 36 {
            return Err(IdError::ActivationId);
        }
        uuid::Uuid::try_parse(text).map(|id| Self(id.into_bytes())).map_err(|_| IdError::ActivationId)
    }
}
impl fmt::Debug for ActivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "01234567-89ab-4cde-8f01-23456789abcd";

    #[test]
    fn an_activation_id_is_36_characters_in_either_case() {
        let id: ActivationId = UUID.parse().unwrap();
        assert_eq!(format!(" {}\n", UUID.to_uppercase()).parse(), Ok(id));
        assert_eq!(id.reveal(), UUID);
        for text in
            ["", "01234567", &UUID.replace('-', ""), &format!("{{{}}}", &UUID[..34]), &UUID.replace('0', "ä")]
        {
            assert_eq!(text.parse::<ActivationId>(), Err(IdError::ActivationId), "{text}");
        }
    }

    #[test]
    fn an_activation_id_is_not_printed_and_a_license_id_depends_on_the_issuer() {
        let id: ActivationId = UUID.parse().unwrap();
        assert_eq!(format!("{id:?}"), "ActivationId(…)");
        assert_ne!(id.license(&IssuerId([1; 16])), id.license(&IssuerId([2; 16])));
        assert_ne!(id.license(&IssuerId([1; 16])).as_bytes(), id.as_bytes());
    }

    #[test]
    fn identifiers_are_bare_bytes_on_the_wire_and_digits_elsewhere() {
        let id = CaseId([0xab, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(postcard::to_stdvec(&id).unwrap(), id.0);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"ab01020304050607\"");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), "ab010203");
        for text in ["", "ab", "ab0102030405060", "ab010203040506zz", "ab010203040506ä"] {
            assert_eq!(text.parse::<CaseId>(), Err(IdError::Hex { expected: 16 }), "{text}");
        }
        assert!(postcard::from_bytes::<CaseId>(&id.0[..7]).is_err());
    }
}
