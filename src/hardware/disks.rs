//! Group D: the disks that are fixed in the machine, by model and serial number.
//!
//! The `wwid` is not used: kernels have respelt it for one and the same disk.

use crate::disk_filter::{NVME_SUBSYSTEMS, rejection};
use crate::placeholder::{self, Kind};
use crate::root::{OrMissing, ReadError, Root, clean, shown};
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
                disks.factors.push(disk("disks", false, error.reading()));
                return disks;
            }
        };
        let primary = root_disk::of(root);
        let mut taken = BTreeMap::new();
        let mut looked_at = 0;
        for name in names {
            let place = root.canonical(Path::new(DIRECTORY).join(&name)).or_missing();
            let name = shown(&name);
            let judged = place.and_then(|place| match place {
                Some(place) => rejection(root, &name, &place).map(|reason| Some((place, reason))),
                None => Ok(None), // it vanished in the meantime
            });
            match judged {
                Err(error) => disks.factors.push(disk(&name, primary.contains(&name), error.reading())),
                Ok(None) => {}
                Ok(Some((_, Some(reason)))) => disks.ignored.push(Ignored { source: name, reason }),
                Ok(Some(_)) if looked_at == LIMIT => {
                    let reason = format!("only {LIMIT} disks are looked at");
                    disks.ignored.push(Ignored { source: name, reason });
                }
                Ok(Some((place, None))) => {
                    looked_at += 1;
                    let reading = identity(root, &name, &place, own_serials);
                    disks.add(name, reading, &primary, &mut taken);
                }
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
    let untold = || ReadError::unusable(place, "the disk has no serial number to read").reading();
    match model_and_serial(root, name, place) {
        Err(error) => error.reading(),
        Ok((_, serial)) if serial.is_empty() => untold(),
        Ok((model, serial)) => {
            let shared = !own_serials || placeholder::is_placeholder(Kind::Disk, &serial);
            let identity = Identity::new(format!("{model}/{serial}"));
            if shared { Reading::Placeholder(identity) } else { Reading::Present(identity) }
        }
    }
}

fn model_and_serial(root: &Root, name: &str, place: &Path) -> Result<(String, String), ReadError> {
    let text = |file: &str| root.text(place.join(file)).or_missing().map(Option::unwrap_or_default);
    let is_virtio = place.iter().filter_map(|step| step.to_str()).any(is_virtio_device);
    let (model, serial) = if name.starts_with("mmcblk") {
        ("mmc".to_owned(), text("device/cid")?)
    } else if is_virtio && name.starts_with("vd") {
        ("virtio".to_owned(), text("serial")?)
    } else {
        let serial = match scsi_serial(root, place)? {
            Some(serial) => serial,
            None => text("device/serial")?,
        };
        (text("device/model")?, serial)
    };
    Ok((model.to_lowercase(), serial.to_lowercase()))
}

/// The serial number in `vpd_pg80`: a head of four bytes, of which the last two are the length, then the text.
fn scsi_serial(root: &Root, place: &Path) -> Result<Option<String>, ReadError> {
    if place.starts_with(NVME_SUBSYSTEMS) {
        return Ok(None);
    }
    let path = place.join("device/vpd_pg80");
    let Some(page) = root.read(&path).or_missing()? else { return Ok(None) };
    let [_, SERIAL_PAGE, high, low, text @ ..] = page.as_slice() else {
        return Err(ReadError::unusable(path, "it has not the form of a page of serial numbers"));
    };
    let length = usize::from(u16::from_be_bytes([*high, *low])).min(text.len());
    Ok(Some(clean(&text[..length])))
}

fn is_virtio_device(step: &str) -> bool {
    step.strip_prefix("virtio")
        .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}
