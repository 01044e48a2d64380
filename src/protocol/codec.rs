//! Strict postcard: known kind, size limit, no trailing bytes, and re-encoding gives the same bytes.

use crate::frame::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What may stand inside a frame.
pub trait Body: Serialize + DeserializeOwned {
    /// The kind that the frame's header and signature name.
    const KIND: Kind;
    /// The largest encoded body, in bytes.
    const MAX_BYTES: usize;
    /// Rules that types alone cannot hold, such as order or distinctness.
    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// Why bytes are not a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Larger than [`Body::MAX_BYTES`].
    #[error("{length} bytes are more than the {limit} that a {kind} may have")]
    TooLarge {
        /// What kind it was to be.
        kind: Kind,
        /// What was given.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Not the encoding of this type, or a bound was passed.
    #[error("the {kind} does not decode: {reason}")]
    Malformed {
        /// What kind it was to be.
        kind: Kind,
        /// What is wrong with it.
        reason: String,
    },
}

/// Encodes a body. It is checked as a reader would check it, so nothing unreadable is ever signed.
pub fn encode_body<B: Body>(body: &B) -> Result<Vec<u8>, DecodeError> {
    body.check().map_err(malformed::<B>)?;
    to_bytes(body)
}

/// Decodes a body strictly.
pub fn decode_body<B: Body>(bytes: &[u8]) -> Result<B, DecodeError> {
    check_size::<B>(bytes.len())?;
    let (body, rest) =
        postcard::take_from_bytes::<B>(bytes).map_err(|error| malformed::<B>(&error.to_string()))?;
    if !rest.is_empty() {
        return Err(malformed::<B>("bytes follow its end"));
    }
    body.check().map_err(malformed::<B>)?;
    if to_bytes(&body)? != bytes {
        return Err(malformed::<B>("it is not in its shortest form"));
    }
    Ok(body)
}

/// Whether a body of this kind may have so many bytes.
pub(crate) fn check_size<B: Body>(length: usize) -> Result<(), DecodeError> {
    if length <= B::MAX_BYTES {
        return Ok(());
    }
    Err(DecodeError::TooLarge { kind: B::KIND, length, limit: B::MAX_BYTES })
}

fn to_bytes<B: Body>(body: &B) -> Result<Vec<u8>, DecodeError> {
    let bytes = postcard::to_stdvec(body).map_err(|error| malformed::<B>(&error.to_string()))?;
    check_size::<B>(bytes.len())?;
    Ok(bytes)
}

fn malformed<B: Body>(reason: &str) -> DecodeError {
    DecodeError::Malformed { kind: B::KIND, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{Certificate, Purpose};
    use crate::ids::IssuerId;
    use crate::keys::SecretKey;
    use crate::time::Timestamp;

    fn certificate(not_before: u64, not_after: u64) -> Certificate {
        Certificate {
            issuer: IssuerId([1; 16]),
            key: SecretKey::from_seed(&[1; 32]).public(),
            purpose: Purpose::Exchange,
            not_before: Timestamp(not_before),
            not_after: Timestamp(not_after),
        }
    }

    #[test]
    fn nothing_is_written_that_would_not_be_read() {
        let error = encode_body(&certificate(2, 1)).unwrap_err();
        assert_eq!(error.to_string(), "the certificate does not decode: its window ends before it starts");
        let bytes = encode_body(&certificate(1, 2)).unwrap();
        assert_eq!(decode_body::<Certificate>(&bytes), Ok(certificate(1, 2)));
    }

    #[test]
    fn each_refusal_says_why() {
        let bytes = encode_body(&certificate(1, 2)).unwrap();
        let reason = |bytes: &[u8]| decode_body::<Certificate>(bytes).unwrap_err().to_string();
        assert!(reason(&[&bytes[..], &[0]].concat()).ends_with("bytes follow its end"));
        assert!(reason(&[&bytes[..50], &[0x82, 0]].concat()).ends_with("it is not in its shortest form"));
        assert_eq!(reason(&[0; 129]), "129 bytes are more than the 128 that a certificate may have");
        assert!(reason(&[]).starts_with("the certificate does not decode: "));
    }
}
