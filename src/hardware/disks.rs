//! Group D: the disks that are fixed in the machine, by model and serial number.
//!
//! The `wwid` is not used: kernels have respelt it for one and the same disk.

use crate::disk_filter::{NVME_SUBSYSTEMS, rejection};
use crate::placeholder::{self, Kind};
use crate::root::{ReadError, Root, clean, shown};
use crate::root_disk;
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{FactorReading, Identity, Ignored, Reading};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const DIRECTORY: &str = "sys/block";

/// How many disks are looked at.
pub(crate) const LIMIT: usize = 4096;

/// The page of a SCSI disk that holds its serial number: "Unit Serial Number" of SPC.
const SERIAL_PAGE: u8 = 0x80;

/// The disks of one machine.
#[derive(Debug, Default)]
pub(crate) struct Disks {
    pub(crate) factors: Vec<FactorReading>,
    pub(crate) ignored: Vec<Ignored>,
}

impl Disks {
    /// `own_serials`: this machine's serial numbers are its own, and not the same for all guests of a host.
    pub(crate) fn read(root: &Root, own_serials: bool) -> Self {
        let mut disks = Self::default();
        let names = match root.list(DIRECTORY) {
            Ok(names) => names,
            // The kernel has this directory even where it is empty.
            Err(error) => {
                let reason = format!("/{DIRECTORY}: {error}");
                disks.factors.push(disk("disks", false, Reading::Unreadable(reason)));
                return disks;
            }
        };
        let primary = root_disk::of(root);
        let mut taken = BTreeMap::new();
        let mut looked_at = 0;
        for name in names {
            let Ok(place) = root.canonical(Path::new(DIRECTORY).join(&name)) else { continue };
            let name = shown(&name);
            if let Some(reason) = rejection(root, &name, &place) {
                disks.ignored.push(Ignored { source: name, reason });
            } else if looked_at == LIMIT {
                let reason = format!("only {LIMIT} disks are looked at");
                disks.ignored.push(Ignored { source: name, reason });
            } else {
                looked_at += 1;
                let reading = identity(root, &name, &place, own_serials);
                disks.add(name, reading, &primary, &mut taken);
            }
        }
        if disks.factors.is_empty() {
            disks.factors.push(disk("disks", false, Reading::Absent));
        }
        disks
    }

    fn add(
        &mut self,
        name: String,
        reading: Reading,
        primary: &BTreeSet<String>,
        taken: &mut BTreeMap<Identity, usize>,
    ) {
        let is_primary = primary.contains(&name);
        if let Reading::Present(identity) = &reading {
            // Two paths to one disk, or two name spaces on it.
            if let Some(first) = taken.get(identity).and_then(|at| self.factors.get_mut(*at)) {
                first.primary |= is_primary;
                let reason = format!("it is on the same disk as {}", first.source);
                self.ignored.push(Ignored { source: name, reason });
                return;
            }
            taken.insert(identity.clone(), self.factors.len());
        }
        self.factors.push(disk(&name, is_primary, reading));
    }
}

fn disk(name: &str, primary: bool, reading: Reading) -> FactorReading {
    FactorReading { factor: Factor::Disk, source: name.to_owned(), primary, reading }
}

/// `model/serial` of one disk, in lower case: `virtio/…` and `mmc/…` where there is no model.
fn identity(root: &Root, name: &str, place: &Path, own_serials: bool) -> Reading {
    let is_virtio = place.iter().filter_map(|step| step.to_str()).any(is_virtio_device);
    let (model, serial) = if name.starts_with("mmcblk") {
        ("mmc".to_owned(), root.text(place.join("device/cid")))
    } else if is_virtio && name.starts_with("vd") {
        ("virtio".to_owned(), root.text(place.join("serial")))
    } else {
        let model = root.text(place.join("device/model")).unwrap_or_default().to_lowercase();
        let serial = match scsi_serial(root, place) {
            Err(ReadError::Missing) => root.text(place.join("device/serial")),
            other => other,
        };
        (model, serial)
    };
    match serial.map(|serial| serial.to_lowercase()) {
        Ok(serial) if serial.is_empty() => Reading::Unreadable("the disk tells no serial number".to_owned()),
        Err(ReadError::Missing) => Reading::Unreadable("the disk has no serial number to read".to_owned()),
        Err(error) => Reading::Unreadable(format!("its serial number cannot be read: {error}")),
        Ok(serial) => {
            let shared = !own_serials || placeholder::is_placeholder(Kind::Disk, &serial);
            let identity = Identity::new(format!("{model}/{serial}"));
            if shared { Reading::Placeholder(identity) } else { Reading::Present(identity) }
        }
    }
}

/// The serial number in `vpd_pg80`: a head of four bytes, of which the last two are the length, then the text.
fn scsi_serial(root: &Root, place: &Path) -> Result<String, ReadError> {
    if place.starts_with(NVME_SUBSYSTEMS) {
        return Err(ReadError::Missing);
    }
    let page = root.read(place.join("device/vpd_pg80"))?;
    let [_, SERIAL_PAGE, high, low, text @ ..] = page.as_slice() else {
        return Err(ReadError::Unusable("its page of serial numbers has an unknown form".into()));
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(text.len());
    Ok(clean(&text[..length]))
}

fn is_virtio_device(step: &str) -> bool {
    step.strip_prefix("virtio")
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}
