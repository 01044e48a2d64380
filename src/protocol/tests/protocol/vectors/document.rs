//! `docs/protocol.md` says what the code does, where a test can tell.

use super::{Hex, committed_text};
use crate::arbitrary::REASONS;
use landfast_protocol::certificate::{Certificate, Revocations};
use landfast_protocol::evidence::Factor;
use landfast_protocol::frame::{Kind, MAX_FRAME};
use landfast_protocol::grant::Grant;
use landfast_protocol::operation::DenialReason;
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{Blob, Body};

fn document() -> String {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    std::fs::read_to_string(path).unwrap()
}

/// The bytes of the dump that begins with this line.
fn dumped(document: &str, nth: usize) -> Hex {
    let dump =
        document.split("```text\n").filter(|block| block.starts_with("   0  4c465354")).nth(nth).unwrap();
    let mut bytes = Vec::new();
    for line in dump.lines().take_while(|line| *line != "```") {
        let (offset, rest) = line.trim_start().split_once("  ").unwrap();
        let (digits, meaning) = rest.split_once("  ").unwrap();
        assert_eq!(offset.parse(), Ok(bytes.len()), "{line}");
        assert!(!meaning.trim().is_empty(), "{line}");
        let part: Blob<64> = serde_json::from_value(digits.replace(' ', "").into()).unwrap();
        bytes.extend_from_slice(&part);
    }
    super::hex(bytes)
}

#[test]
fn each_byte_of_two_messages_is_explained() {
    for (nth, file) in ["certificate.json", "request.json"].into_iter().enumerate() {
        let vectors: serde_json::Value = serde_json::from_str(&committed_text(file)).unwrap();
        let frame: Hex = serde_json::from_value(vectors["messages"][0]["frame"].clone()).unwrap();
        assert_eq!(dumped(&document(), nth).to_vec(), frame.to_vec(), "{file}");
    }
}

#[test]
fn each_code_reason_and_factor_is_listed() {
    let document = document();
    let has = |row: String| assert!(document.contains(&row), "docs/protocol.md does not say: {row}");
    for code in [
        "not_a_message",
        "unknown_version",
        "wrong_kind",
        "bad_signature",
        "untrusted_signer",
        "malformed_message",
    ] {
        has(format!("\n| `{code}` |"));
    }
    for code in REASONS {
        let reason: DenialReason = serde_json::from_value(code.into()).unwrap();
        assert!(!matches!(reason, DenialReason::Other(_)), "{code} is not known");
        has(format!("\n| `{code}` |"));
        has(format!("| {} |\n", reason.advice()));
    }
    for (number, factor) in Factor::ALL.into_iter().enumerate() {
        has(format!("\n| {number} | `{}` | `{}` |", factor.name(), factor.group().name()));
    }
    for kind in Kind::ALL {
        has(format!("\n| `{}` | {} |", kind.name(), kind as u8));
    }
}

#[test]
fn the_limits_are_these() {
    fn thousands(number: usize) -> String {
        let digits = number.to_string();
        let head = digits.len() % 3;
        let mut text = digits[..head].to_owned();
        for group in digits.as_bytes()[head..].chunks(3) {
            text.push_str(if text.is_empty() { "" } else { "," });
            text.push_str(std::str::from_utf8(group).unwrap());
        }
        text
    }
    fn body<B: Body>() -> String {
        format!("\n| body of a `{}` | {} bytes |", B::KIND, thousands(B::MAX_BYTES))
    }
    let document = document();
    for row in [
        format!("\n| frame | {} bytes |", thousands(MAX_FRAME)),
        format!("\n| armor | {} bytes |", thousands(MAX_FRAME * 3 / 2)),
        body::<Certificate>(),
        body::<Revocations>(),
        body::<Request>(),
        body::<Response>(),
        body::<Grant>(),
    ] {
        assert!(document.contains(&row), "docs/protocol.md does not say: {row}");
    }
}
