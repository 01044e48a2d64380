//! What `udevadm info --export-db` prints: the devices that udev knew, with the properties that it had found out.
//!
//! It names no permanent address, serial page or DMI serial number as the kernel does; what can be told from its
//! properties is written where the kernel has it, and what cannot is left out.

use super::fake_root::{FakeRoot, inside};
use super::folder::Trouble;
use super::format::Written;
use super::smbios;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Fields of a DMI modalias, in its order, and the file that the kernel has for each.
const MODALIAS: [(&str, &str); 14] = [
    ("bvn", "bios_vendor"),
    ("bvr", "bios_version"),
    ("bd", "bios_date"),
    ("br", "bios_release"),
    ("efr", "ec_firmware_release"),
    ("svn", "sys_vendor"),
    ("pn", "product_name"),
    ("pvr", "product_version"),
    ("rvn", "board_vendor"),
    ("rn", "board_name"),
    ("rvr", "board_version"),
    ("cvn", "chassis_vendor"),
    ("ct", "chassis_type"),
    ("cvr", "chassis_version"),
];

/// Only root may read these, and udev does not: their files are there, and empty.
const UNREAD: [&str; 4] = ["product_uuid", "product_serial", "board_serial", "chassis_serial"];

/// Whether a text is such a listing, perhaps behind the line of the command: it names devices by their places.
pub(super) fn is_database(text: &str) -> bool {
    let begins = |start: &str| text.lines().take(64).any(|line| line.starts_with(start));
    begins("P: /") && begins("E: ")
}

/// One device.
struct Device<'a> {
    /// Below the root: `sys/devices/…`.
    place: PathBuf,
    properties: BTreeMap<&'a str, &'a str>,
}

impl<'a> Device<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        self.properties.get(key).copied().filter(|value| !value.is_empty())
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }

    fn name(&self) -> String {
        self.place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// A device hangs below a directory of its kind, or right below what it is part of.
    fn parent(&self) -> &Path {
        let above = self.place.parent().unwrap_or(Path::new(""));
        let kinds = ["net", "block"];
        match above.file_name().and_then(|name| name.to_str()) {
            Some(name) if kinds.contains(&name) => above.parent().unwrap_or(above),
            _ => above,
        }
    }
}

/// Writes every device that the collector may look at.
pub(super) fn write(text: &str, root: &mut FakeRoot) -> Result<Written, Trouble> {
    let devices = devices(text)?;
    for directory in ["sys/class/net", "sys/block"] {
        root.directory(Path::new(directory))?;
    }
    let mut written = Written::default();
    for device in &devices {
        if device.properties.keys().any(|key| key.starts_with("OF_FULLNAME")) {
            root.directory(&device.place.join("of_node"))?;
        }
        match device.get("SUBSYSTEM") {
            Some("net") => network_card(device, root)?,
            Some("block") if !device.is("DEVTYPE", "partition") => disk(device, root)?,
            Some("mmc") => file(root, &device.place, "type", device.get("MMC_TYPE"))?,
            Some("scsi") if device.is("DEVTYPE", "scsi_device") => {
                let kind = device.get("MODALIAS").and_then(|alias| alias.strip_prefix("scsi:t-0x"));
                let kind =
                    kind.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(|kind| kind.to_string());
                file(root, &device.place, "type", kind.as_deref())?;
            }
            _ if device.place.ends_with("virtual/dmi/id") => board(device, root, &mut written)?,
            _ => {}
        }
    }
    Ok(written)
}

fn devices(text: &str) -> Result<Vec<Device<'_>>, Trouble> {
    let mut devices: Vec<Device<'_>> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if let Some(path) = line.strip_prefix("P: ") {
            let place = Path::new("sys").join(inside(Path::new(path))?);
            devices.push(Device { place, properties: BTreeMap::new() });
        } else if let (Some((key, value)), Some(device)) =
            (line.strip_prefix("E: ").and_then(|property| property.split_once('=')), devices.last_mut())
        {
            device.properties.insert(key, value);
        }
    }
    Ok(devices)
}

fn network_card(device: &Device<'_>, root: &mut FakeRoot) -> Result<(), Trouble> {
    let name = device.name();
    file(
        root,
        &device.place,
        "uevent",
        device.get("DEVTYPE").map(|kind| format!("DEVTYPE={kind}")).as_deref(),
    )?;
    // udev names a card by its address (enx001122334455) only where the kernel says that it is the permanent one.
    let named = device.get("ID_NET_NAME_MAC").unwrap_or_default();
    let (kind, digits) = named.split_at_checked(3).unwrap_or_default();
    if digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs: Vec<&str> = (0..6).map(|at| &digits[at * 2..at * 2 + 2]).collect();
        file(root, &device.place, "address", Some(&pairs.join(":")))?;
        file(root, &device.place, "addr_assign_type", Some("0"))?;
    }
    // Of its kinds only these are Ethernet to the kernel; a card that is not named so is one in most recordings.
    let ethernet =
        matches!(kind, "enx" | "wlx" | "") && !device.is("DEVTYPE", "wwan") && !name.starts_with("can");
    file(root, &device.place, "type", ethernet.then_some("1"))?;
    if !device.place.starts_with("sys/devices/virtual") {
        link(root, &device.place.join("device"), device.parent())?;
    }
    link(root, &Path::new("sys/class/net").join(name), &device.place)
}

fn disk(device: &Device<'_>, root: &mut FakeRoot) -> Result<(), Trouble> {
    let name = device.name();
    root.directory(&device.place)?;
    link(root, &Path::new("sys/block").join(&name), &device.place)?;
    let parent = device.parent().to_owned();
    if device.place.starts_with("sys/devices/virtual/block") || parent.as_os_str().is_empty() {
        return Ok(());
    }
    let serial = device.get("ID_SERIAL_SHORT").or_else(|| device.get("ID_SERIAL"));
    if name.starts_with("vd") {
        file(root, &device.place, "serial", device.get("ID_SERIAL"))?;
    } else if name.starts_with("nvme") {
        file(root, &parent, "serial", serial)?;
    } else if name.starts_with("sd") {
        // For SCSI disks the short one comes from another page; the unit's serial number has names of its own.
        let unit = ["ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL"].into_iter().find_map(|key| device.get(key));
        let unit = if device.is("ID_BUS", "scsi") { unit } else { unit.or(serial) };
        if let Some(unit) = unit {
            let length = u16::try_from(unit.len()).unwrap_or(u16::MAX).to_be_bytes();
            let page = [&[0, 0x80], length.as_slice(), unit.as_bytes()].concat();
            root.file(parent.join("vpd_pg80"), &page)?;
        }
    }
    if !name.starts_with("mmcblk") {
        let encoded = device.get("ID_MODEL_ENC").map(decoded);
        file(root, &parent, "model", encoded.as_deref().or_else(|| device.get("ID_MODEL")))?;
        file(root, &parent, "vendor", device.get("ID_VENDOR"))?;
    }
    link(root, &device.place.join("device"), &parent)
}

fn board(device: &Device<'_>, root: &mut FakeRoot, written: &mut Written) -> Result<(), Trouble> {
    let directory = Path::new(smbios::DIRECTORY);
    let mut rest =
        device.get("MODALIAS").and_then(|alias| alias.strip_prefix("dmi:")).unwrap_or_default().split(':');
    let parts: Vec<&str> = rest.by_ref().collect();
    let mut at = 0;
    for (key, name) in MODALIAS {
        let found = parts.iter().skip(at).position(|part| part.starts_with(key));
        if let Some(found) = found {
            at += found + 1;
            file(root, directory, name, parts.get(at - 1).and_then(|part| part.strip_prefix(key)))?;
        }
    }
    for name in UNREAD {
        root.file(directory.join(name), b"")?;
    }
    let modules = device.properties.iter().filter(|(key, _)| key.starts_with("MEMORY_DEVICE_"));
    written.modules =
        modules.filter(|(key, _)| key.ends_with("_SERIAL_NUMBER")).map(|(_, v)| (*v).to_owned()).collect();
    Ok(())
}

fn file(root: &mut FakeRoot, directory: &Path, name: &str, value: Option<&str>) -> Result<(), Trouble> {
    match value {
        Some(value) => root.file(directory.join(name), format!("{value}\n").as_bytes()),
        None => root.directory(directory),
    }
}

/// Both are named from the root; the link itself is absolute, and stays inside when the root is read.
fn link(root: &mut FakeRoot, at: &Path, to: &Path) -> Result<(), Trouble> {
    root.link(at, &Path::new("/").join(to))
}

/// udev writes blanks and what is unsafe as `\x20`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escaped = rest.strip_prefix("\\x").and_then(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
        let length = if escaped.is_some() { 4 } else { first.len_utf8() };
        match escaped {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(&rest.as_bytes()[..length]),
        }
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
