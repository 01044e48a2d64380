//! SMBIOS fields as the kernel exports them in `/sys/class/dmi/id`.
//!
//! Serial numbers and the UUID have mode 0400, all else 0444 (`drivers/firmware/dmi-id.c`). An unprivileged service
//! gets the former as systemd credentials: files of the same names in the credentials directory. A unit needs an
//! empty `SetCredential=` beside each `LoadCredential=`, or it fails where the file does not exist, so an empty
//! credential says nothing about the value.

use crate::placeholder::{self, Kind};
use crate::root::{OrMissing, ReadError, Root, Why, clean};
use crate::uuid;
use landfast_protocol::reading::Reading;
use std::path::Path;

/// Where the kernel exports SMBIOS fields.
const DIRECTORY: &str = "sys/class/dmi/id";

/// The SMBIOS fields of one machine.
pub(crate) struct Dmi<'a> {
    root: &'a Root,
    credentials: Option<&'a Root>,
}

impl<'a> Dmi<'a> {
    pub(crate) fn new(root: &'a Root, credentials: Option<&'a Root>) -> Self {
        Self { root, credentials }
    }

    /// A field that everyone may read, in lower case; empty where there is none.
    pub(crate) fn public(&self, field: &str) -> Result<String, ReadError> {
        let text = self.root.text(format!("{DIRECTORY}/{field}")).or_missing()?;
        Ok(text.unwrap_or_default().to_lowercase())
    }

    /// Whether the kernel exports this field.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.root.exists(format!("{DIRECTORY}/{field}"))
    }

    /// A serial number.
    pub(crate) fn serial(&self, field: &str) -> Reading {
        self.value(field, |text| placeholder::judge(Kind::Text, text))
    }

    /// A UUID, in its canonical spelling.
    pub(crate) fn uuid(&self, field: &str) -> Reading {
        self.value(field, |text| judge_uuid(format!("{DIRECTORY}/{field}"), text))
    }

    fn value(&self, field: &str, judge: impl FnOnce(String) -> Reading) -> Reading {
        let path = format!("{DIRECTORY}/{field}");
        let bytes = match self.root.read(&path) {
            Ok(bytes) => bytes,
            Err(error) => match (&error.why, self.root.exists("sys/class")) {
                (Why::Missing, true) => return Reading::Absent,
                (Why::Missing, false) => {
                    return ReadError::unusable("sys", "it is not mounted, or was not recorded").reading();
                }
                (Why::Denied, _) => match self.credential(field) {
                    Ok(bytes) => bytes,
                    Err(reason) => return ReadError::unusable(path, reason).reading(),
                },
                (Why::Unusable(_), _) => return error.reading(),
            },
        };
        if bytes.is_empty() {
            // The kernel ends even an empty field with a line end: this is a recording made without the right to read.
            return ReadError::unusable(path, "it is empty, without even a line end").reading();
        }
        match clean(&bytes).to_lowercase() {
            blank if blank.is_empty() => Reading::Absent,
            text => judge(text),
        }
    }

    fn credential(&self, field: &str) -> Result<Vec<u8>, String> {
        let Some(credentials) = self.credentials else {
            return Err(format!("only root may read it: hand it over as the credential {field}"));
        };
        match credentials.read(field) {
            Ok(bytes) if bytes.is_empty() => {
                Err(format!("only root may read it, and the credential {field} is empty"))
            }
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(format!("only root may read it, and of the credential {field}: {}", error.why)),
        }
    }
}

/// A UUID of SMBIOS or of a hypervisor, in lower case, and where it stands.
pub(crate) fn judge_uuid(path: impl AsRef<Path>, text: String) -> Reading {
    match uuid::canonical(&text) {
        Some(uuid) => placeholder::judge(Kind::Uuid, uuid),
        None if placeholder::is_placeholder(Kind::Text, &text) => placeholder::judge(Kind::Text, text),
        None => ReadError::unusable(path, "it does not hold a UUID").reading(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_protocol::reading::Identity;

    fn read(bytes: Option<&[u8]>) -> Reading {
        let directory = tempfile::tempdir().unwrap();
        let id = directory.path().join(DIRECTORY);
        std::fs::create_dir_all(&id).unwrap();
        if let Some(bytes) = bytes {
            std::fs::write(id.join("board_serial"), bytes).unwrap();
        }
        Dmi::new(&Root::new(directory.path()), None).serial("board_serial")
    }

    #[test]
    fn a_serial_number_is_present_absent_unreadable_or_a_placeholder() {
        assert_eq!(read(Some(b" 7N62AI2 \n")), Reading::Present(Identity::new("7n62ai2")));
        assert_eq!(read(Some(b"To Be Filled By O.E.M.\n")), judge_text("to be filled by o.e.m."));
        assert_eq!(read(Some(b"\xff\xfe7N\n")), Reading::Present(Identity::new("\u{fffd}\u{fffd}7n")));
        assert_eq!(read(Some(b"   \n")), Reading::Absent);
        assert_eq!(read(None), Reading::Absent);
        assert!(matches!(read(Some(b"")), Reading::Unreadable(_)));
        assert!(matches!(read(Some(&[b'x'; 1 << 20])), Reading::Unreadable(_)));
    }

    fn judge_text(text: &str) -> Reading {
        Reading::Placeholder(Identity::new(text))
    }

    #[test]
    fn what_is_no_uuid_is_not_compared() {
        assert!(matches!(judge_uuid("x", "gibberish".into()), Reading::Unreadable(_)));
        assert_eq!(judge_uuid("x", "not settable".into()), judge_text("not settable"));
        assert_eq!(
            judge_uuid("x", "00020003-0004-0005-0006-000700080009".into()),
            Reading::Placeholder(Identity::new("00020003-0004-0005-0006-000700080009"))
        );
    }
}
