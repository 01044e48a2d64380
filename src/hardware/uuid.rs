//! UUIDs of SMBIOS, which two pieces of software may print in two ways.
//!
//! SMBIOS 2.6 defined the first three fields as little-endian; firmware and hypervisors before and since have
//! written them the other way, and an update can change sides. Both spellings of one UUID, in either letter case,
//! therefore give one canonical text: the smaller of the two.

/// The canonical text of a UUID, or nothing where `text` is none.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let bytes = parse(text)?;
    Some(format(&bytes.min(twin(bytes))))
}

/// The sixteen bytes as written, with dashes in the usual places or without any.
pub(crate) fn parse(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = match text.len() {
        32 => text.bytes().collect(),
        36 => {
            let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
            if text.bytes().enumerate().any(|(at, byte)| (byte == b'-') != dash(at)) {
                return None;
            }
            text.bytes().filter(|byte| *byte != b'-').collect()
        }
        _ => return None,
    };
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

/// The same UUID with the first three fields in the other byte order.
pub(crate) fn twin(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[0..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn format(bytes: &[u8; 16]) -> String {
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    format!("{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn p2_byte_order_and_letter_case_do_not_matter(bytes in any::<[u8; 16]>()) {
            let one = format(&bytes);
            let other = format(&twin(bytes)).to_uppercase();
            prop_assert_eq!(canonical(&one), canonical(&other));
            prop_assert_eq!(canonical(&one.replace('-', "")), canonical(&other));
        }

        #[test]
        fn other_bytes_are_another_uuid(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
            prop_assume!(a != b && a != twin(b));
            prop_assert_ne!(canonical(&format(&a)), canonical(&format(&b)));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = canonical(&text);
        }
    }

    #[test]
    fn what_is_no_uuid_is_refused() {
        for text in [
            "",
            "Not Settable",
            "4c4c4544-0020-2010-8020-a0c04f20202",
            "4c4c4544+0020+2010+8020+a0c04f202020",
            "4c4c45440-020-2010-8020-a0c04f202020",
            "zc4c4544-0020-2010-8020-a0c04f202020",
            "ääääääääääääääääää",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
