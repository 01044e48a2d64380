//! What a recording is, by its content, and how it becomes a fake root.

use super::fake_root::FakeRoot;
use super::folder::Trouble;
use super::{dmidecode, pairs, smbios, text, ttar, udev};

/// The first bytes of an archive or of what it is packed with.
const PACKED: [&[u8]; 3] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"];

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// An SMBIOS table.
    Smbios,
    /// An entry point without its table: it belongs to another file.
    EntryPoint,
    /// What dmidecode(8) prints.
    Dmidecode,
    /// What `udevadm info --export-db` prints.
    Udev,
    /// `/proc/cpuinfo`.
    Cpuinfo,
    /// Files in one text, as node_exporter keeps them.
    Ttar,
    /// Which recordings belong together.
    Pairs,
    /// A text that records no machine.
    OtherText,
    /// Nothing at all.
    Empty,
    /// Bytes of no known form.
    Unknown,
}

impl Format {
    /// Of something that is no archive.
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        if smbios::is_entry_point_alone(bytes) {
            return Self::EntryPoint;
        }
        if smbios::is_table(bytes) {
            return Self::Smbios;
        }
        if !text::is_text(bytes) {
            return Self::Unknown;
        }
        // ttar keeps files as they were, with whatever bytes they held.
        let lines = String::from_utf8_lossy(bytes);
        if udev::is_database(&lines) {
            Self::Udev
        } else if ttar::is_archive(&lines) {
            Self::Ttar
        } else if dmidecode::is_report(&lines) {
            Self::Dmidecode
        } else if text::is_cpuinfo(&lines) {
            Self::Cpuinfo
        } else if pairs::is_table(&lines) {
            Self::Pairs
        } else {
            Self::OtherText
        }
    }
}

/// Whether this begins as something packed.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    PACKED.iter().any(|magic| bytes.starts_with(magic))
}

/// What a recording says beside the fake root.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Serial numbers of memory modules.
    pub(super) modules: Vec<String>,
}

/// Writes a recording of a single machine.
pub(super) fn write(format: Format, bytes: &[u8], root: &mut FakeRoot) -> Result<Written, Trouble> {
    match format {
        Format::Smbios => smbios::write(bytes, root),
        Format::Dmidecode => dmidecode::write(&String::from_utf8_lossy(whole_lines(bytes)), root),
        Format::Udev => udev::write(&String::from_utf8_lossy(whole_lines(bytes)), root),
        Format::Cpuinfo => root.file("proc/cpuinfo", bytes).map(|()| Written::default()),
        Format::Ttar => ttar::write(bytes, root),
        Format::EntryPoint | Format::Pairs | Format::OtherText | Format::Empty | Format::Unknown => {
            Err(Trouble::Damaged("it records no machine".into()))
        }
    }
}

/// Without a last line that does not end: in a text that was cut off, half a serial number stands there.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    &bytes[..end]
}
