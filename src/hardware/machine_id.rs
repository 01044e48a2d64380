//! Group H: the id of the installed system, `/etc/machine-id`.
//!
//! machine-id(5) asks that it is never shown to others as it is; what leaves the machine is a keyed digest of it.

use crate::placeholder::{self, Kind};
use crate::root::{OrMissing, ReadError, Root};
use landfast_protocol::reading::{Identity, Reading};

const FILE: &str = "etc/machine-id";

/// The machine id, or what stands there on a fresh image.
pub(crate) fn read(root: &Root) -> Reading {
    let text = match root.text(FILE).or_missing() {
        Ok(text) => text.unwrap_or_default().to_lowercase(),
        Err(error) => return error.reading(),
    };
    // Some systems write it with the dashes of a UUID.
    let id: String = text.chars().filter(|c| *c != '-').collect();
    match id.as_str() {
        "" => Reading::Absent,
        word if word.is_ascii() && placeholder::is_placeholder(Kind::MachineId, word) => {
            Reading::Placeholder(Identity::new(id))
        }
        digits if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Reading::Present(Identity::new(id))
        }
        _ => ReadError::unusable(FILE, "it does not hold 32 hexadecimal digits").reading(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> Reading {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("etc")).unwrap();
        std::fs::write(directory.path().join("etc/machine-id"), content).unwrap();
        read(&Root::new(directory.path()))
    }

    #[test]
    fn only_an_id_of_its_own_counts() {
        let id = Reading::Present(Identity::new("3d1219c7c4c5404aaa1f6d2a48adfda4"));
        assert_eq!(of(b"3d1219c7c4c5404aaa1f6d2a48adfda4\n"), id);
        assert_eq!(of(b"3D1219C7-C4C5-404A-AA1F-6D2A48ADFDA4\n"), id);
        assert_eq!(of(b"\n"), Reading::Absent);
        assert!(matches!(of(b"uninitialized\n"), Reading::Placeholder(_)));
        assert!(matches!(of(&[b'0'; 32]), Reading::Placeholder(_)));
        assert!(matches!(of(b"localhost\n"), Reading::Unreadable(_)));
        assert!(matches!(of(&[0xff; 40]), Reading::Unreadable(_)));
    }
}
