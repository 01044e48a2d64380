//! Which block devices are disks that belong to the machine.

use crate::external;
use crate::root::{OrMissing, ReadError, Root, shown};
use std::path::Path;

/// Where the kernel keeps NVMe disks that several controllers lead to: virtual by their place, real disks all the same.
pub(crate) const NVME_SUBSYSTEMS: &str = "sys/devices/virtual/nvme-subsystem";

/// Names that drivers give to what is no fixed disk, each followed by a number (Documentation/admin-guide/devices.txt).
const KINDS: [(&str, &str); 13] = [
    ("loop", "it is a file mounted as a disk"),
    ("ram", "it is a RAM disk"),
    ("zram", "it is compressed memory"),
    ("dm-", "it is a volume made of other disks"),
    ("md", "it is a RAID made of other disks"),
    ("bcache", "it is a cache over other disks"),
    ("zd", "it is a volume made of other disks"),
    ("sr", "it is an optical drive"),
    ("fd", "it is a floppy drive"),
    ("nbd", "it is a disk on the network"),
    ("rbd", "it is a disk on the network"),
    ("drbd", "it is a disk on the network"),
    ("mtdblock", "it is raw flash memory"),
];

/// Media that management controllers lend to their host, by vendor or model.
const MANAGEMENT: [&str; 7] =
    ["virtual hdisk", "virtual cdrom", "virtual floppy", "virtual media", "idrac", "lcdrive", "ilo "];

/// SCSI device types of disks: direct access, simplified, zoned (`include/scsi/scsi_proto.h`).
const SCSI_DISKS: [&str; 3] = ["0", "14", "20"];

/// Why a block device does not count, or nothing where it is a fixed disk. `place` is its canonical place. An error
/// where that cannot be found out: it may be a disk of the machine.
pub(crate) fn rejection(root: &Root, name: &str, place: &Path) -> Result<Option<String>, ReadError> {
    let because = |reason: &str| Ok(Some(reason.to_owned()));
    let kind = KINDS.iter().find(|(prefix, _)| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    if let Some((_, reason)) = kind {
        return because(reason);
    }
    if place.starts_with("sys/devices/virtual") && !place.starts_with(NVME_SUBSYSTEMS) {
        return because(if is_fabric(root, place)? {
            "it is a disk on the network"
        } else {
            "it is a virtual disk"
        });
    }
    if name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb")) {
        return because("it is a boot area of another disk");
    }
    if root.says(place.join("hidden"), "1")? {
        return because("it is one of several ways to a disk");
    }
    if root.says(place.join("removable"), "1")? {
        return because("its medium is removable");
    }
    if external::is_usb(place) {
        return because("it hangs on USB");
    }
    if external::is_plugged_in(root, place)? {
        return because("it was plugged in from outside");
    }
    if is_remote(place) || is_fabric(root, place)? {
        return because("it is a disk on the network");
    }
    by_device(root, name, place)
}

/// What the device says about itself.
fn by_device(root: &Root, name: &str, place: &Path) -> Result<Option<String>, ReadError> {
    let because = |reason: &str| Ok(Some(reason.to_owned()));
    let device = |file: &str| root.text(place.join("device").join(file)).or_missing();
    if name.starts_with("mmcblk") {
        return match device("type")?.as_deref() {
            Some("MMC") => Ok(None),
            Some(_) => because("it is a memory card"),
            None => because("it may be a memory card"),
        };
    }
    if name.starts_with("sd")
        && let Some(kind) = device("type")?
        && !SCSI_DISKS.contains(&kind.as_str())
    {
        return Ok(Some(format!("it is no disk (SCSI type {})", shown(kind.as_ref()))));
    }
    let named = [device("vendor")?, device("model")?].map(|text| text.unwrap_or_default().to_lowercase());
    if named[1] == "scsi_debug" || place.iter().any(|step| step == "pseudo_0") {
        return because("it is a simulated disk");
    }
    if MANAGEMENT.iter().any(|token| named.iter().any(|text| text.contains(token))) {
        return because("the management controller lends it");
    }
    Ok(None)
}

/// iSCSI and Fibre Channel, by the steps of their transports: `session7`, `rport-1:0-0`.
fn is_remote(place: &Path) -> bool {
    place.iter().filter_map(|step| step.to_str()).any(|step| {
        step.starts_with("rport-")
            || step
                .strip_prefix("session")
                .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// NVMe over a network: the controller says how it is reached; a head leads to several controllers.
fn is_fabric(root: &Root, place: &Path) -> Result<bool, ReadError> {
    if place.iter().any(|step| step == "nvme-fabrics") {
        return Ok(true);
    }
    if !place.starts_with(NVME_SUBSYSTEMS) {
        return Ok(false);
    }
    let subsystem = place.parent().unwrap_or(place);
    for controller in root.list(subsystem)?.iter().take(crate::disks::LIMIT) {
        let transport = root.text(subsystem.join(controller).join("transport")).or_missing()?;
        if transport.is_some_and(|transport| ["tcp", "rdma", "fc", "loop"].contains(&transport.as_str())) {
            return Ok(true);
        }
    }
    Ok(false)
}
