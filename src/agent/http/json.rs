//! JSON written by hand for the answer to a check: one buffer, no intermediate values.

use landfast_core::Decision;
use landfast_protocol::Timestamp;
use landfast_protocol::local::Rfc3339;

/// Appends the answer to a check, as [`landfast_protocol::local::Check`] has it.
pub fn check(out: &mut Vec<u8>, feature: &str, decision: &Decision<'_>) {
    out.extend_from_slice(b"{\"feature\":");
    string(out, feature);
    out.extend_from_slice(if decision.granted { b",\"granted\":true" } else { b",\"granted\":false" });
    out.extend_from_slice(b",\"quantity\":");
    number(out, decision.quantity);
    out.extend_from_slice(b",\"issuer\":");
    string_or_null(out, decision.issuer);
    out.extend_from_slice(b",\"license\":");
    match &decision.license {
        Some(license) => hexadecimal(out, license.as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"state\":");
    string(out, decision.state);
    out.extend_from_slice(b",\"reason\":");
    string(out, decision.reason.code());
    out.extend_from_slice(b",\"until\":");
    match decision.until {
        Some(at) => time(out, at),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"advice\":");
    string_or_null(out, decision.advice);
    out.push(b'}');
}

fn string_or_null(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() { out.extend_from_slice(b"null") } else { string(out, text) }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        plain = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            _ => out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]),
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, value: u32) {
    let mut digits = [b'0'; 10];
    let (mut at, mut rest) = (digits.len(), value);
    loop {
        at -= 1;
        // A remainder of ten is one digit.
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn time(out: &mut Vec<u8>, at: Timestamp) {
    out.push(b'"');
    out.extend_from_slice(&Rfc3339(at).ascii());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::shapes;
    use landfast_core::Reason;
    use landfast_protocol::LicenseId;

    #[test]
    fn hand_written_json_is_what_serde_writes() {
        let odd = "a\"b\\c\u{1}\n\r\t\u{8}\u{c}\u{1f}é\u{7f}🙂/";
        for reason in Reason::ALL {
            for (quantity, license, until, advice) in [
                (0, None, None, ""),
                (7, Some(LicenseId([0xab; 16])), Some(Timestamp(1_700_000_000)), "do this"),
                (u32::MAX, Some(LicenseId([0; 16])), Some(Timestamp(u64::MAX)), odd),
            ] {
                let issuer = if quantity == 0 { "" } else { odd };
                let granted = quantity == 7;
                let decision =
                    Decision { granted, quantity, issuer, license, state: "licensed", reason, until, advice };
                let mut written = Vec::new();
                check(&mut written, odd, &decision);
                let expected = serde_json::to_string(&shapes::check(odd, &decision)).unwrap();
                assert_eq!(String::from_utf8(written).unwrap(), expected);
            }
        }
    }
}
