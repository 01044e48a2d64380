//! The signed frame that every message travels in.
//!
//! ```text
//! "LFST" | version 1 | kind | chain length, 2 bytes little-endian | chain | signer, 32 | signature, 64 | body
//! ```
//! The signature (Ed25519, verified strictly) covers `landfast/1/<kind>`, a zero byte and the body. The chain
//! is empty where signer is a device or a root, otherwise the frame of the certificate for the signer.

use crate::codec::{Body, DecodeError, check_size, decode_body, encode_body};
use crate::ids::Digest;
use crate::keys::{PublicKey, SecretKey};
use std::fmt;

const MAGIC: &[u8; 4] = b"LFST";
const VERSION: u8 = 1;
const FIXED: usize = 4 + 1 + 1 + 2 + 32 + 64;
/// A certificate frame is about 180 bytes; twice that leaves room.
const MAX_CHAIN: usize = 512;
/// No frame of any kind is larger.
pub const MAX_FRAME: usize = FIXED + MAX_CHAIN + crate::response::MAX_RESPONSE;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Signed by a root: a key that may sign for the issuer.
    Certificate = 1,
    /// Signed by a root: keys that may no longer sign.
    Revocations = 2,
    /// Signed by a device.
    Request = 3,
    /// Signed by the authority, for one device.
    Response = 4,
    /// Signed by the authority: all that one device holds.
    Grant = 5,
}

impl Kind {
    /// The name in the signature's prefix and, in capitals, in the armor.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Revocations => "revocations",
            Self::Request => "request",
            Self::Response => "response",
            Self::Grant => "grant",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Certificate, Self::Revocations, Self::Request, Self::Response, Self::Grant];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are not an acceptable frame. Each has a stable [`FrameError::code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not ours at all, or cut off.
    #[error("this is not a Landfast message: {0}")]
    NotAFrame(&'static str),
    /// Written by a newer release.
    #[error("the message has format version {0}, this release reads version 1; update this side")]
    Version(u8),
    /// A response where a request was expected, and the like.
    #[error("expected a {expected}, found a {found}")]
    WrongKind {
        /// What the reader wanted.
        expected: Kind,
        /// What it was given.
        found: Kind,
    },
    /// The bytes were changed, or another key made the signature.
    #[error("the signature does not match the content: it was changed on its way or signed by another key")]
    Signature,
    /// The signer is not vouched for by a pinned root.
    #[error("the signer is not trusted: {0}")]
    Untrusted(String),
    /// Properly signed, but not readable.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl FrameError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAFrame(_) => "not_a_message",
            Self::Version(_) => "unknown_version",
            Self::WrongKind { .. } => "wrong_kind",
            Self::Signature => "bad_signature",
            Self::Untrusted(_) => "untrusted_signer",
            Self::Decode(_) => "malformed_message",
        }
    }
}

/// A frame taken apart, nothing of it believed yet.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    kind: Kind,
    chain: &'a [u8],
    signer: PublicKey,
    signature: [u8; 64],
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes the outer parts apart; looks at no content.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let not = FrameError::NotAFrame;
        if bytes.len() > MAX_FRAME {
            return Err(not("it is too large"));
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(not("it does not start with LFST"))?;
        let (&version, rest) = rest.split_first().ok_or(not("it is cut off"))?;
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let (&kind, rest) = rest.split_first().ok_or(not("it is cut off"))?;
        let kind = Kind::from_byte(kind).ok_or(not("its kind is unknown"))?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(not("it is cut off"))?;
        let length = usize::from(u16::from_le_bytes(*length));
        if length > MAX_CHAIN {
            return Err(not("its certificate is too large"));
        }
        let (chain, rest) = rest.split_at_checked(length).ok_or(not("it is cut off"))?;
        let (signer, rest) = rest.split_first_chunk::<32>().ok_or(not("it is cut off"))?;
        let (signature, body) = rest.split_first_chunk::<64>().ok_or(not("it is cut off"))?;
        let signer = PublicKey::from_bytes(*signer).ok_or(not("its signer is no Ed25519 key"))?;
        Ok(Self { kind, chain, signer, signature: *signature, body })
    }

    /// What it says it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Who says to have signed it.
    #[must_use]
    pub fn signer(&self) -> PublicKey {
        self.signer
    }

    /// The frame of the signer's certificate, or nothing.
    #[must_use]
    pub fn chain(&self) -> &'a [u8] {
        self.chain
    }

    /// Whether it holds what the reader expects, as far as it says so itself.
    pub(crate) fn expect<B: Body>(&self) -> Result<(), FrameError> {
        if self.kind == B::KIND {
            return Ok(());
        }
        Err(FrameError::WrongKind { expected: B::KIND, found: self.kind })
    }

    /// Checks kind and signature, then, and only then, reads the body.
    pub fn open<B: Body>(&self) -> Result<B, FrameError> {
        self.expect::<B>()?;
        // Hashing is work that anyone could ask for: what is too large for its kind is refused unhashed.
        check_size::<B>(self.body.len())?;
        if !self.signer.verifies(&signed_bytes(self.kind, self.body), &self.signature) {
            return Err(FrameError::Signature);
        }
        Ok(decode_body(self.body)?)
    }
}

/// A signed message as it travels: the bytes are the message, and are never made anew from the content.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
}

impl Sealed {
    /// Encodes and signs `body`. `chain` is the signer's certificate, empty for devices and roots.
    pub fn seal<B: Body>(body: &B, signer: &SecretKey, chain: &[u8]) -> Result<Self, FrameError> {
        let body = encode_body(body)?;
        let length = u16::try_from(chain.len())
            .ok()
            .filter(|length| usize::from(*length) <= MAX_CHAIN)
            .ok_or(FrameError::NotAFrame("its certificate is too large"))?;
        let signature = signer.sign(&signed_bytes(B::KIND, &body));
        let mut bytes = Vec::with_capacity(FIXED + chain.len() + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, B::KIND as u8]);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(chain);
        bytes.extend_from_slice(signer.public().as_bytes());
        bytes.extend_from_slice(&signature);
        bytes.extend_from_slice(&body);
        Ok(Self { bytes })
    }

    /// The bytes that travel.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes that travel.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What names this message in others.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

fn signed_bytes(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24 + body.len());
    bytes.extend_from_slice(b"landfast/1/");
    bytes.extend_from_slice(kind.name().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Revocations;

    #[test]
    fn kinds_keep_their_numbers() {
        for (number, name) in
            [(1, "certificate"), (2, "revocations"), (3, "request"), (4, "response"), (5, "grant")]
        {
            let kind = Kind::from_byte(number).unwrap();
            assert_eq!((kind.name(), kind as u8), (name, number));
        }
        assert_eq!(Kind::from_byte(0), None);
        assert_eq!(Kind::from_byte(6), None);
    }

    #[test]
    fn the_parts_lie_where_the_layout_says() {
        let key = SecretKey::from_seed(&[1; 32]);
        let sealed = Sealed::seal(&Revocations::default(), &key, b"chain").unwrap();
        let bytes = sealed.as_bytes();
        assert_eq!(bytes[..13], *b"LFST\x01\x02\x05\x00chain");
        assert_eq!(bytes[13..45], *key.public().as_bytes());
        assert_eq!(bytes[45..109], key.sign(b"landfast/1/revocations\0\0\0\0"));
        assert_eq!(bytes[109..], [0, 0, 0]);
        assert_eq!(sealed.digest(), Digest::of(bytes));
    }

    #[test]
    fn a_certificate_fits_into_a_chain() {
        const { assert!(FIXED + <crate::certificate::Certificate as Body>::MAX_BYTES <= MAX_CHAIN) }
    }
}
