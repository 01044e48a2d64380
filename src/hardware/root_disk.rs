//! Which disks carry the root file system.

use crate::root::{Root, clean};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A host of containers has thousands of mounts; those of the root stand first.
const MOUNTS_LIMIT: usize = 1 << 20;

/// Volumes are stacked (LVM on RAID on encryption); deeper than this they are not followed.
const DEPTH_LIMIT: usize = 8;

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// `major:minor` of its device, where the source of the list tells it.
    pub(crate) device: Option<String>,
    pub(crate) point: String,
    pub(crate) file_system: String,
    pub(crate) source: String,
    pub(crate) options: String,
}

impl Mount {
    /// Major number 0 belongs to file systems without a block device, and to those that span several.
    pub(crate) fn is_on_block_device(&self) -> bool {
        self.device.as_ref().is_some_and(|device| !device.starts_with("0:"))
    }
}

/// What is mounted, oldest first.
pub(crate) fn mounts(root: &Root) -> Vec<Mount> {
    let read = |path: &str| {
        root.read_at_most(path, MOUNTS_LIMIT).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    for path in ["proc/self/mountinfo", "proc/1/mountinfo"] {
        if let Some(text) = read(path) {
            return text.lines().filter_map(mountinfo_line).collect();
        }
    }
    let table = read("proc/self/mounts").or_else(|| read("proc/mounts")).unwrap_or_default();
    table.lines().filter_map(mounts_line).collect()
}

/// Names in `sys/block` of the disks that the root file system is on: two or more where it is on a RAID, none where
/// it comes from the network or the memory.
pub(crate) fn of(root: &Root) -> BTreeSet<String> {
    let mounts = mounts(root);
    let mut disks = BTreeSet::new();
    // Image-based systems compose "/" in memory and keep the real file system at /sysroot.
    for point in ["/", "/sysroot"] {
        let Some(mount) = mounts.iter().rev().find(|mount| mount.point == point) else { continue };
        for device in devices(root, mount) {
            collect(root, &device, 0, &mut disks);
        }
        if !disks.is_empty() {
            break;
        }
    }
    disks
}

/// See proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields, "-", type, source.
fn mountinfo_line(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let device = before.nth(2)?;
    let point = before.nth(1)?;
    let mut after = after.split(' ');
    Some(Mount {
        device: Some(device.to_owned()),
        point: unescape(point),
        file_system: after.next()?.to_owned(),
        source: unescape(after.next()?),
        options: after.next().unwrap_or_default().to_owned(),
    })
}

fn mounts_line(line: &str) -> Option<Mount> {
    let mut fields = line.split(' ');
    let source = unescape(fields.next()?);
    let point = unescape(fields.next()?);
    let file_system = fields.next()?.to_owned();
    Some(Mount {
        device: None,
        point,
        file_system,
        source,
        options: fields.next().unwrap_or_default().to_owned(),
    })
}

/// Blanks in paths are written as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Places below `sys/devices` of the block devices that a file system is on.
fn devices(root: &Root, mount: &Mount) -> Vec<PathBuf> {
    if let Some(device) = mount.device.as_deref().filter(|_| mount.is_on_block_device())
        && let Ok(place) = root.canonical(Path::new("sys/dev/block").join(device))
    {
        return vec![place];
    }
    // btrfs and bcachefs name their devices in the source.
    let named = |source: &str| {
        let name = Path::new(source).file_name()?.to_owned();
        if source.starts_with("/dev/mapper/") {
            return mapped(root, &name);
        }
        ["sys/class/block", "sys/block"].iter().find_map(|at| root.canonical(Path::new(at).join(&name)).ok())
    };
    mount.source.split(':').filter(|source| source.starts_with("/dev/")).filter_map(named).collect()
}

fn mapped(root: &Root, name: &OsStr) -> Option<PathBuf> {
    root.list("sys/block").ok()?.iter().find_map(|device| {
        let place = Path::new("sys/block").join(device);
        let own = root.read(place.join("dm/name")).ok()?;
        (clean(&own).as_bytes() == name.as_bytes()).then(|| root.canonical(place).ok())?
    })
}

/// From a partition to its disk, from a volume to what it is made of.
fn collect(root: &Root, place: &Path, depth: usize, disks: &mut BTreeSet<String>) {
    let Some(parent) = place.parent() else { return };
    let whole =
        if root.exists(place.join("partition")) || is_block_device(root, parent) { parent } else { place };
    let slaves = root.list(whole.join("slaves")).unwrap_or_default();
    if slaves.is_empty() {
        disks.extend(whole.file_name().map(|name| name.to_string_lossy().into_owned()));
    } else if depth < DEPTH_LIMIT {
        for slave in slaves.iter().take(crate::disks::LIMIT) {
            if let Ok(below) = root.canonical(whole.join("slaves").join(slave)) {
                collect(root, &below, depth + 1, disks);
            }
        }
    }
}

fn is_block_device(root: &Root, place: &Path) -> bool {
    let Some(name) = place.file_name() else { return false };
    root.canonical(Path::new("sys/block").join(name)).is_ok_and(|disk| disk == place)
}
