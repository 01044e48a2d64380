//! SMBIOS tables (DSP0134), with their entry point or without, as the kernel exports them in `/sys/class/dmi/id`.

use super::fake_root::FakeRoot;
use super::folder::Trouble;
use super::format::Written;
use std::collections::BTreeMap;

/// Where the fields are written.
pub(super) const DIRECTORY: &str = "sys/class/dmi/id";

/// File, type of structure and place of the string's number, as in `drivers/firmware/dmi_scan.c`.
const STRINGS: [(&str, u8, usize); 19] = [
    ("bios_vendor", 0, 4),
    ("bios_version", 0, 5),
    ("bios_date", 0, 8),
    ("sys_vendor", 1, 4),
    ("product_name", 1, 5),
    ("product_version", 1, 6),
    ("product_serial", 1, 7),
    ("product_sku", 1, 25),
    ("product_family", 1, 26),
    ("board_vendor", 2, 4),
    ("board_name", 2, 5),
    ("board_version", 2, 6),
    ("board_serial", 2, 7),
    ("board_asset_tag", 2, 8),
    ("chassis_vendor", 3, 4),
    ("chassis_version", 3, 6),
    ("chassis_serial", 3, 7),
    ("chassis_asset_tag", 3, 8),
    ("memory module", 17, 24),
];
const END_OF_TABLE: u8 = 127;
const SYSTEM: u8 = 1;
const MEMORY_DEVICE: u8 = 17;
const UUID_AT: usize = 8;

/// The shortest forms of types 0 to 3 (SMBIOS 2.0): what is shorter is something else.
const SHORTEST: [usize; 4] = [0x12, 0x08, 0x08, 0x09];

/// Whether these bytes begin as a table or as the entry point of one.
pub(super) fn is_table(bytes: &[u8]) -> bool {
    entry_point(bytes).is_some() || is_bare_table(bytes)
}

/// Whether this is an entry point alone: the kernel keeps it beside the table, in a file of its own.
pub(super) fn is_entry_point_alone(bytes: &[u8]) -> bool {
    entry_point(bytes).is_some() && bytes.len() <= 32
}

/// Writes the fields of a table.
pub(super) fn write(bytes: &[u8], root: &mut FakeRoot) -> Result<Written, Trouble> {
    let entry = entry_point(bytes);
    let table = match &entry {
        None => bytes,
        Some(entry) => bytes.get(entry.table_at(bytes)..).unwrap_or_default(),
    };
    let structures = walk(table, entry.as_ref().and_then(|entry| entry.length))?;
    let mut written = Written::default();
    let mut fields = BTreeMap::new();
    for (file, kind, at) in STRINGS {
        let values = structures.iter().filter(|s| s.kind == kind).filter_map(|s| s.string(at));
        if kind == MEMORY_DEVICE {
            written.modules.extend(values.map(|value| String::from_utf8_lossy(value).into_owned()));
        } else if let Some(first) = structures.iter().filter(|s| s.kind == kind).find_map(|s| s.string(at)) {
            fields.insert(file, first.to_vec());
        }
    }
    if let Some(uuid) = structures.iter().filter(|s| s.kind == SYSTEM).find_map(Structure::uuid) {
        fields.insert("product_uuid", uuid.into_bytes());
    }
    if fields.is_empty() {
        return Err(Trouble::Damaged("its SMBIOS table describes no machine".into()));
    }
    for (file, mut value) in fields {
        value.push(b'\n');
        root.file(format!("{DIRECTORY}/{file}"), &value)?;
    }
    Ok(written)
}

struct EntryPoint {
    /// Of the table; the 64-bit form only tells a maximum, and so nothing.
    length: Option<usize>,
    address: usize,
    own_length: usize,
}

impl EntryPoint {
    /// `dmidecode --dump-bin` writes the table at 32 and says so; others keep the address that it had in memory.
    fn table_at(&self, bytes: &[u8]) -> usize {
        let places = [self.address, 32, self.own_length, self.own_length.next_multiple_of(16)];
        let fits = |at: &usize| {
            *at >= self.own_length.min(15) && is_bare_table(bytes.get(*at..).unwrap_or_default())
        };
        places.into_iter().find(fits).unwrap_or(32)
    }
}

fn entry_point(bytes: &[u8]) -> Option<EntryPoint> {
    let u16_at = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let u32_at =
        |at: usize| usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok();
    let own_length = |at: usize| bytes.get(at).map(|length| usize::from(*length));
    if bytes.starts_with(b"_SM3_") {
        let address = bytes.get(16..24)?.try_into().ok().map(u64::from_le_bytes)?;
        let address = usize::try_from(address).unwrap_or(usize::MAX);
        Some(EntryPoint { length: None, address, own_length: own_length(6)? })
    } else if bytes.starts_with(b"_SM_") && bytes.get(16..21) == Some(b"_DMI_") {
        Some(EntryPoint { length: u16_at(22), address: u32_at(24)?, own_length: own_length(5)? })
    } else if bytes.starts_with(b"_DMI_") {
        Some(EntryPoint { length: u16_at(6), address: u32_at(8)?, own_length: 15 })
    } else {
        None
    }
}

/// Begins with structures, among them one that describes a machine in text.
fn is_bare_table(bytes: &[u8]) -> bool {
    let (structures, _) = structures(bytes, bytes.len());
    let shaped = |s: &Structure<'_>| {
        SHORTEST.get(usize::from(s.kind)).is_some_and(|least| s.formatted.len() >= *least)
            && s.strings.first().is_some_and(|text| text.iter().all(|byte| *byte >= b' '))
    };
    structures.len() >= 2 && structures.iter().take(64).any(shaped)
}

struct Structure<'a> {
    kind: u8,
    formatted: &'a [u8],
    strings: Vec<&'a [u8]>,
}

impl<'a> Structure<'a> {
    /// The string whose number stands at `at`: blank where the number is 0, as the kernel has it.
    fn string(&self, at: usize) -> Option<&'a [u8]> {
        match usize::from(*self.formatted.get(at)?) {
            0 => Some(b""),
            number => Some(self.strings.get(number - 1).copied().unwrap_or_default()),
        }
    }

    /// The kernel shows none that is all zeros or all ones. Both byte orders are one UUID to the collector.
    fn uuid(&self) -> Option<String> {
        let b: [u8; 16] = self.formatted.get(UUID_AT..UUID_AT + 16)?.try_into().ok()?;
        if b == [0; 16] || b == [0xff; 16] {
            return None;
        }
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let order = [3, 2, 1, 0, 5, 4, 7, 6].map(|at| b[at]);
        Some(format!(
            "{}-{}-{}-{}-{}",
            hex(&order[..4]),
            hex(&order[4..6]),
            hex(&order[6..]),
            hex(&b[8..10]),
            hex(&b[10..])
        ))
    }
}

fn walk(table: &[u8], length: Option<usize>) -> Result<Vec<Structure<'_>>, Trouble> {
    let (structures, end) = structures(table, length.unwrap_or(table.len()));
    match end {
        End::Whole => Ok(structures),
        End::Cut => Err(Trouble::Damaged(format!(
            "its SMBIOS table is cut off after {} structures",
            structures.len()
        ))),
    }
}

enum End {
    Whole,
    Cut,
}

/// Structures up to the end-of-table mark, or up to `length`. A structure shorter than its own head ends the table:
/// there the kernel stops too, and keeps what came before.
fn structures(table: &[u8], length: usize) -> (Vec<Structure<'_>>, End) {
    let mut found = Vec::new();
    let mut rest = table;
    loop {
        let done = table.len() - rest.len();
        if done >= length || rest.is_empty() {
            return (found, if done >= length { End::Whole } else { End::Cut });
        }
        if rest.get(1).is_some_and(|length| *length < 4) {
            return (found, End::Whole);
        }
        let Some((structure, size)) = one(rest) else { return (found, End::Cut) };
        let last = structure.kind == END_OF_TABLE;
        found.push(structure);
        rest = rest.get(size..).unwrap_or_default();
        if last {
            return (found, End::Whole);
        }
    }
}

/// Type, length and handle, the formatted part, then strings, each ended by NUL, and one more NUL.
fn one(bytes: &[u8]) -> Option<(Structure<'_>, usize)> {
    let [kind, length, _, _, ..] = bytes else { return None };
    let length = usize::from(*length);
    let (formatted, text) = bytes.split_at_checked(length)?;
    let end = text.windows(2).position(|pair| pair == [0, 0])?;
    let strings: Vec<&[u8]> = match end {
        0 => Vec::new(),
        _ => text[..end].split(|byte| *byte == 0).collect(),
    };
    Some((Structure { kind: *kind, formatted, strings }, length + end + 2))
}
