//! What several tests need.

use landfast_hardware::{Collector, Root};
use landfast_protocol::IssuerId;
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest};
use landfast_protocol::reading::{HardwareReading, Reading};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Looks at a recorded root.
pub fn collect(root: impl AsRef<Path>) -> HardwareReading {
    Collector::of_recording(Root::new(root.as_ref())).collect()
}

/// What an issuer would get.
pub fn evidence(root: impl AsRef<Path>) -> Evidence {
    Evidence::digest(&collect(root), &issuer())
}

pub fn issuer() -> IssuerId {
    IssuerId([7; 16])
}

/// The readings of one factor, by source.
pub fn of(reading: &HardwareReading, factor: Factor) -> Vec<(String, Reading)> {
    reading
        .factors
        .iter()
        .filter(|f| f.factor == factor)
        .map(|f| (f.source.clone(), f.reading.clone()))
        .collect()
}

/// The reading of a factor of which there is one.
pub fn single(reading: &HardwareReading, factor: Factor) -> Reading {
    let found = of(reading, factor);
    assert_eq!(found.len(), 1, "{factor:?}: {found:?}");
    found[0].1.clone()
}

/// Present values of one factor, in clear.
pub fn values(reading: &HardwareReading, factor: Factor) -> BTreeSet<String> {
    of(reading, factor)
        .into_iter()
        .filter_map(|(_, reading)| match reading {
            Reading::Present(identity) => Some(identity.reveal().to_owned()),
            _ => None,
        })
        .collect()
}

/// Why a device does not count.
pub fn reason<'a>(reading: &'a HardwareReading, source: &str) -> &'a str {
    let found = reading.ignored.iter().find(|ignored| ignored.source == source);
    found.map_or_else(
        || panic!("{source} is not ignored: {:?}", reading.ignored),
        |ignored| ignored.reason.as_str(),
    )
}

/// How many of the values of `factor` in `before` are in `after`, and how many there were.
pub fn kept(before: &Evidence, after: &Evidence, factor: Factor) -> (usize, usize) {
    let set = |evidence: &Evidence| -> BTreeSet<FactorDigest> {
        evidence.present(factor).map(|(d, _)| d).collect()
    };
    let (before, after) = (set(before), set(after));
    (before.intersection(&after).count(), before.len())
}

/// The recordings of real machines, or nothing: then the test has been skipped, and says so.
pub fn hwdata() -> Option<PathBuf> {
    let directory = std::env::var_os("LANDFAST_HWDATA").map(PathBuf::from).filter(|path| path.is_dir());
    if directory.is_none() {
        eprintln!("SKIPPED: LANDFAST_HWDATA names no directory of recorded machines");
    }
    directory
}

const UNREAD: [&str; 10] = [
    "dev/cpuset/*",
    "usb[0-9]*",
    "infiniband/*",
    "sys/devices/system/*/*/*",
    "sys/devices/LNXSYSTM:00/*",
    "sys/bus/*",
    "sys/fs/*",
    "power/*",
    "statistics/*",
    "device-tree/*/*",
];

/// A recording, unpacked into a directory that vanishes with it.
pub struct Unpacked {
    _directory: tempfile::TempDir,
    root: PathBuf,
}

impl Unpacked {
    /// Unpacks `archive`, named from the directory of recordings.
    pub fn new(hwdata: &Path, archive: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let status = Command::new("tar")
            .args(["--extract", "--no-same-owner", "--no-same-permissions", "--delay-directory-restore"])
            // Tens of thousands of small files that nobody here reads.
            .args(UNREAD.map(|part| format!("--exclude={part}")))
            .arg("--file")
            .arg(hwdata.join(archive))
            .arg("--directory")
            .arg(directory.path())
            .status()
            .unwrap();
        assert!(status.success(), "tar could not unpack {archive}");
        let root = find_root(directory.path(), 3).unwrap_or_else(|| panic!("{archive} holds no root"));
        Self { _directory: directory, root }
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    pub fn collect(&self) -> HardwareReading {
        collect(&self.root)
    }

    pub fn evidence(&self) -> Evidence {
        evidence(&self.root)
    }
}

/// The directory that holds `proc` and `sys`.
fn find_root(directory: &Path, depth: usize) -> Option<PathBuf> {
    if directory.join("sys").is_dir() && directory.join("proc").is_dir() {
        return Some(directory.to_owned());
    }
    let below = |path: PathBuf| if depth > 0 { find_root(&path, depth - 1) } else { None };
    std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .find_map(below)
}

/// What one recording shows.
pub struct Machine {
    pub archive: String,
    pub reading: HardwareReading,
    /// The recording holds `proc/cpuinfo`.
    pub names_its_processor: bool,
}

/// Every recorded root, read once for all tests.
pub fn machines(hwdata: &Path) -> &'static [Machine] {
    static MACHINES: OnceLock<Vec<Machine>> = OnceLock::new();
    MACHINES.get_or_init(|| {
        let read = |archive: String| {
            let unpacked = Unpacked::new(hwdata, &archive);
            let reading = unpacked.collect();
            assert_eq!(reading, unpacked.collect(), "{archive} gives another answer the second time");
            Machine { archive, reading, names_its_processor: unpacked.path().join("proc/cpuinfo").exists() }
        };
        archives(hwdata).into_iter().map(read).collect()
    })
}

/// One recorded root.
pub fn recorded(hwdata: &Path, archive: &str) -> &'static HardwareReading {
    let found = machines(hwdata).iter().find(|machine| machine.archive == archive);
    &found.unwrap_or_else(|| panic!("there is no {archive}")).reading
}

/// Every archive of recordings below `directory`, named from it.
fn archives(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap().to_string_lossy().contains(".tar.") {
                found.push(path.strip_prefix(directory).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
