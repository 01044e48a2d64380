//! What dmidecode(8) prints, of any version.

use super::fake_root::FakeRoot;
use super::folder::Trouble;
use super::format::Written;
use super::smbios::DIRECTORY;
use crate::uuid;
use std::collections::BTreeMap;

/// Heading of a block, key, and the file that the kernel has for it.
const FIELDS: [(&str, &str, &str); 19] = [
    ("BIOS Information", "Vendor", "bios_vendor"),
    ("BIOS Information", "Version", "bios_version"),
    ("BIOS Information", "Release Date", "bios_date"),
    ("System Information", "Manufacturer", "sys_vendor"),
    ("System Information", "Product Name", "product_name"),
    ("System Information", "Version", "product_version"),
    ("System Information", "Serial Number", "product_serial"),
    ("System Information", "UUID", "product_uuid"),
    ("System Information", "SKU Number", "product_sku"),
    ("System Information", "Family", "product_family"),
    ("Base Board Information", "Manufacturer", "board_vendor"),
    ("Base Board Information", "Product Name", "board_name"),
    ("Base Board Information", "Version", "board_version"),
    ("Base Board Information", "Serial Number", "board_serial"),
    ("Base Board Information", "Asset Tag", "board_asset_tag"),
    ("Chassis Information", "Manufacturer", "chassis_vendor"),
    ("Chassis Information", "Version", "chassis_version"),
    ("Chassis Information", "Serial Number", "chassis_serial"),
    ("Chassis Information", "Asset Tag", "chassis_asset_tag"),
];
const MEMORY_DEVICE: &str = "Memory Device";
/// What it prints for a string that the table does not have; the kernel shows a blank one.
const NO_STRING: &str = "Not Specified";

/// Whether a text is such a report, or holds one.
pub(super) fn is_report(text: &str) -> bool {
    let handle = |line: &str| {
        line.trim_start()
            .strip_prefix("Handle 0x")
            .is_some_and(|rest| rest.chars().next().is_some_and(|c| c.is_ascii_hexdigit()))
    };
    text.lines().any(|line| line.starts_with("# dmidecode ") || handle(line)) || blocks(text).len() >= 2
}

/// Writes the first block of each kind, as the kernel takes the first structure of each type.
pub(super) fn write(text: &str, root: &mut FakeRoot) -> Result<Written, Trouble> {
    let mut fields = BTreeMap::new();
    let mut written = Written::default();
    let mut seen = Vec::new();
    for (heading, lines) in blocks(text) {
        if heading == MEMORY_DEVICE {
            written.modules.extend(
                lines.iter().filter(|(key, _)| *key == "Serial Number").map(|(_, v)| (*v).to_owned()),
            );
        } else if !seen.contains(&heading) {
            seen.push(heading);
            for (_, key, file) in FIELDS.iter().filter(|(of, ..)| *of == heading) {
                if let Some((_, value)) = lines.iter().find(|(found, _)| found == key) {
                    fields.insert(*file, *value);
                }
            }
        }
    }
    // "Not Settable", "Not Present": there is no such file then.
    fields.retain(|file, value| *file != "product_uuid" || uuid::canonical(&value.to_lowercase()).is_some());
    if fields.is_empty() {
        return Err(Trouble::Damaged("its report of dmidecode describes no machine".into()));
    }
    for (file, value) in fields {
        let value = if value == NO_STRING { "" } else { value };
        root.file(format!("{DIRECTORY}/{file}"), format!("{value}\n").as_bytes())?;
    }
    Ok(written)
}

type Lines<'a> = Vec<(&'a str, &'a str)>;

/// Each known heading with the lines below it: up to a blank line or the next handle, however they are indented.
fn blocks(text: &str) -> Vec<(&str, Lines<'_>)> {
    let known = |line: &str| line == MEMORY_DEVICE || FIELDS.iter().any(|(heading, ..)| *heading == line);
    let mut blocks: Vec<(&str, Lines<'_>)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with("Handle ") {
            open = false;
        } else if known(trimmed) {
            open = true;
            blocks.push((trimmed, Vec::new()));
        } else if let (true, Some((key, value)), Some((_, lines))) =
            (open, trimmed.split_once(':'), blocks.last_mut())
        {
            lines.push((key.trim(), value.trim()));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "# dmidecode 3.3\nHandle 0x0001, DMI type 1, 27 bytes\nSystem Information\n\
        \tManufacturer: Waldkirch Industrial\n\tSerial Number:  WI24S00001 \n\tUUID: Not Settable\n\n\
        Handle 0x0002, DMI type 2, 15 bytes\nBase Board Information\n\tSerial Number: Not Specified\n\
        \nHandle 0x0022, DMI type 2, 15 bytes\nBase Board Information\n\tSerial Number: SECOND\n\n\
        Handle 0x0011, DMI type 17, 34 bytes\nMemory Device\n\tSerial Number: 1234ABCD\n";

    #[test]
    fn a_report_becomes_the_files_of_the_kernel() {
        let mut root = FakeRoot::new().unwrap();
        assert!(is_report(REPORT));
        assert_eq!(write(REPORT, &mut root).unwrap().modules, ["1234ABCD"]);
        let read = |file: &str| std::fs::read_to_string(root.path().join(DIRECTORY).join(file)).ok();
        assert_eq!(read("product_serial").as_deref(), Some("WI24S00001\n"));
        assert_eq!(read("board_serial").as_deref(), Some("\n"));
        assert_eq!((read("product_uuid"), read("chassis_serial")), (None, None));
    }

    #[test]
    fn older_reports_and_parts_of_reports_are_known() {
        let old = "Handle 0x0001\n\tDMI type 1, 25 bytes.\n\tSystem Information\n\t\tManufacturer: X\n\t\tSerial Number: Y1\n";
        assert!(is_report(old));
        let mut root = FakeRoot::new().unwrap();
        write(old, &mut root).unwrap();
        assert!(root.path().join(DIRECTORY).join("product_serial").exists());
        assert!(!is_report("System Information for visitors\nChassis Information is at the desk\n"));
        assert!(
            write("# dmidecode 3.3\n# No SMBIOS nor DMI entry point found, sorry.\n", &mut root).is_err()
        );
    }
}
