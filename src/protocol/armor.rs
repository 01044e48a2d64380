//! PEM around a frame, for mail, clipboards and terminals.

use crate::frame::{Frame, FrameError, Kind};
use pem_rfc7468::LineEnding;

const NOT_ARMOR: FrameError =
    FrameError::NotAFrame("its armor is damaged; copy it again with its BEGIN and END lines");

/// `-----BEGIN LANDFAST REQUEST-----` and so on around the bytes of a frame.
pub fn encode(bytes: &[u8]) -> Result<String, FrameError> {
    let label = label(Frame::parse(bytes)?.kind());
    pem_rfc7468::encode_string(&label, LineEnding::LF, bytes).map_err(|_| NOT_ARMOR)
}

/// The bytes of a frame, given raw or in armor.
pub fn decode(input: &[u8]) -> Result<Vec<u8>, FrameError> {
    if input.starts_with(b"LFST") {
        Frame::parse(input)?;
        return Ok(input.to_vec());
    }
    if input.len() > crate::frame::MAX_FRAME * 3 / 2 {
        return Err(FrameError::NotAFrame("it is too large"));
    }
    // Some editors put a byte order mark before what they save.
    let text = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input).trim_ascii();
    if !text.starts_with(b"-----BEGIN LANDFAST ") {
        return Err(FrameError::NotAFrame("it starts neither with LFST nor with -----BEGIN LANDFAST"));
    }
    let (named, bytes) = pem_rfc7468::decode_vec(text).map_err(|_| NOT_ARMOR)?;
    if named != label(Frame::parse(&bytes)?.kind()) {
        return Err(FrameError::NotAFrame("its armor names another kind than it holds"));
    }
    Ok(bytes)
}

fn label(kind: Kind) -> String {
    format!("LANDFAST {}", kind.name().to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_capitals() {
        assert_eq!(label(Kind::Revocations), "LANDFAST REVOCATIONS");
    }

    #[test]
    fn what_it_is_not_is_said() {
        let reason = |input: &[u8]| decode(input).unwrap_err().to_string();
        assert!(reason(b"PK\x03\x04").ends_with("it starts neither with LFST nor with -----BEGIN LANDFAST"));
        assert!(reason(b"-----BEGIN LANDFAST REQUEST-----\n").contains("its armor is damaged"));
        assert!(reason(b"LFST\x01").ends_with("it is cut off"));
    }
}
