//! Archives: tar, bare or packed with gzip, bzip2 or xz.

use super::fake_root::{FakeRoot, inside};
use super::folder::Trouble;
use super::format::is_packed;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use tar::{Archive, Entry, EntryType};

/// What an archive may unpack to, all in all.
const UNPACKED_LIMIT: u64 = 512 << 20;
/// How many entries it may have. A tree of `/sys` has some ten thousand.
const ENTRY_LIMIT: usize = 300_000;
/// What is kept of one file in it.
const FILE_LIMIT: u64 = 64 << 20;
/// What xz may ask for, in KiB: `xz -9` needs 65 MiB.
const DICTIONARY_LIMIT: u32 = 256 << 10;

const BLOCK: usize = 512;

/// What a file was once it was unpacked.
pub(super) enum Unpacked {
    /// A tree of files.
    Tree(FakeRoot),
    /// One file, which was packed alone or not at all.
    Plain(Vec<u8>),
}

/// Unpacks a file, whatever it is.
pub(super) fn unpack(mut file: File) -> Result<Unpacked, Trouble> {
    let head = head(&mut file)?;
    file.rewind().map_err(cut)?;
    let file = BufReader::new(file);
    let reader: Box<dyn Read> = match head.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(file, true, DICTIONARY_LIMIT))
        }
        _ => Box::new(file),
    };
    let mut reader =
        Bounded { inner: reader, left: if is_packed(&head) { UNPACKED_LIMIT } else { u64::MAX } };
    let head = self::head(&mut reader)?;
    if is_tar(&head) {
        reader.left = reader.left.min(UNPACKED_LIMIT);
        return tree(head.as_slice().chain(reader)).map(Unpacked::Tree);
    }
    let mut bytes = head;
    reader.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(cut)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(Trouble::Damaged(format!("it is longer than {} MiB, and no archive", FILE_LIMIT >> 20)));
    }
    Ok(Unpacked::Plain(bytes))
}

fn head(reader: &mut impl Read) -> Result<Vec<u8>, Trouble> {
    let mut head = Vec::with_capacity(BLOCK);
    reader.take(BLOCK as u64).read_to_end(&mut head).map_err(cut)?;
    Ok(head)
}

/// The mark of POSIX, or a header of the form before it whose sum is right.
fn is_tar(head: &[u8]) -> bool {
    let Ok(head) = <&[u8; BLOCK]>::try_from(head) else { return false };
    if head[257..262] == *b"ustar" {
        return true;
    }
    let stated = std::str::from_utf8(&head[148..156]).unwrap_or_default();
    let stated = u32::from_str_radix(stated.trim_matches([' ', '\0']), 8);
    let sum: u32 = head
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    stated == Ok(sum) && head[0] != 0
}

/// Lays out everything that a collector may look at. An archive that tries to write elsewhere is not read at all.
fn tree(reader: impl Read) -> Result<FakeRoot, Trouble> {
    let mut root = FakeRoot::new()?;
    let mut archive = Archive::new(reader);
    for (count, entry) in archive.entries().map_err(cut)?.enumerate() {
        if count == ENTRY_LIMIT {
            return Err(Trouble::Damaged(format!("it has more than {ENTRY_LIMIT} entries")));
        }
        add(&mut root, &mut entry.map_err(cut)?)?;
    }
    Ok(root)
}

fn add(root: &mut FakeRoot, entry: &mut Entry<'_, impl Read>) -> Result<(), Trouble> {
    let at = inside(&entry.path().map_err(cut)?)?;
    if is_unread(&at) || at.as_os_str().is_empty() {
        return Ok(());
    }
    match entry.header().entry_type() {
        EntryType::Directory => root.directory(&at),
        EntryType::Symlink => match entry.link_name().map_err(cut)? {
            // The kernel of this machine refuses what is longer than a path.
            Some(target) if (1..4096).contains(&target.as_os_str().len()) => root.link(at, &target),
            _ => Ok(()),
        },
        EntryType::Link => {
            let Some(first) = entry.link_name().map_err(cut)? else { return Ok(()) };
            match root.content(&inside(&first)?) {
                Some(content) => root.file(at, &content),
                None => Ok(()),
            }
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            let mut content = Vec::new();
            entry.take(FILE_LIMIT).read_to_end(&mut content).map_err(cut)?;
            root.file(at, &content)
        }
        // Devices and pipes have no place in a tree that is read.
        _ => Ok(()),
    }
}

/// Files that stand beside every device, and that say nothing about which one it is.
const UNREAD: [&str; 24] = [
    "alignment_offset",
    "broken_parity_status",
    "class",
    "config",
    "discard_alignment",
    "driver",
    "enable",
    "inflight",
    "irq",
    "local_cpulist",
    "local_cpus",
    "modalias",
    "msi_bus",
    "numa_node",
    "power",
    "queue",
    "queues",
    "remove",
    "rescan",
    "resource",
    "stat",
    "statistics",
    "subsystem",
    "trace",
];

/// Most of a tree of `/sys` is of no use here, and costs a file for each value.
fn is_unread(at: &Path) -> bool {
    let steps: Vec<&str> = at.iter().filter_map(|step| step.to_str()).collect();
    let Some(top) = steps.iter().position(|step| matches!(*step, "sys" | "proc" | "dev")) else {
        return false;
    };
    match (steps[top], &steps[top + 1..]) {
        ("sys", ["devices", "system", rest @ ..]) => !matches!(rest, [] | ["cpu"] | ["cpu", "online"]),
        ("sys", ["bus" | "fs" | "kernel" | "module" | "power", ..]) => true,
        ("sys", ["devices", "LNXSYSTM:00", ..]) | ("dev", ["cpuset", ..]) => true,
        ("sys", ["devices", rest @ ..]) => rest.iter().any(|step| UNREAD.contains(step)),
        ("proc", ["device-tree", "cpus", ..]) => true,
        _ => false,
    }
}

/// Roots of machines in a tree: directories that hold `sys` or `proc` with what these hold.
pub(super) fn roots(tree: &FakeRoot) -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = tree
        .directories()
        .filter(|place| is_root_below(&tree.path().join(place)))
        .map(Path::to_owned)
        .collect();
    if is_root_below(tree.path()) {
        roots.insert(0, PathBuf::new());
    }
    roots.sort();
    let outer = roots.clone();
    roots.retain(|root| !outer.iter().any(|other| other != root && root.starts_with(other)));
    roots
}

/// Whether a directory is the root of a machine.
pub(super) fn is_root_below(directory: &Path) -> bool {
    let has = |name: &str, inside: &[&str]| {
        let is_real = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let below = directory.join(name);
        is_real(&below) && inside.iter().any(|part| below.join(part).symlink_metadata().is_ok())
    };
    has("sys", &["class", "devices", "block", "firmware", "hypervisor"])
        || has("proc", &["cpuinfo", "sysinfo", "device-tree", "meminfo", "self", "mounts"])
}

/// Refuses to give more than it may, so that a small file does not fill a disk.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(format!("it unpacks to more than {} MiB", UNPACKED_LIMIT >> 20)));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

fn cut(error: io::Error) -> Trouble {
    Trouble::Damaged(format!("it is damaged or cut off: {}", error.to_string().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_does_not_fill_a_disk() {
        let mut bounded = Bounded { inner: io::repeat(0), left: 1000 };
        let mut bytes = Vec::new();
        assert!(bounded.read_to_end(&mut bytes).is_err());
        assert_eq!(bytes.len(), 1000);
    }

    #[test]
    fn archives_of_the_form_before_posix_are_known_by_their_sum() {
        let mut header = [0; BLOCK];
        header[..4].copy_from_slice(b"proc");
        assert!(!is_tar(&header));
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * u32::from(b' ');
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(is_tar(&header));
        assert!(!is_tar(&[0; BLOCK]) && !is_tar(b"short"));
    }

    #[test]
    fn only_what_a_collector_may_look_at_is_laid_out() {
        for kept in [
            "sys/class/dmi/id/sys_vendor",
            "x/sys/devices/pci0/net/eth0/address",
            "proc/cpuinfo",
            "notes.txt",
        ] {
            assert!(!is_unread(Path::new(kept)), "{kept}");
        }
        for unread in
            ["x/sys/devices/system/node/node0/meminfo", "sys/bus/pci", "sys/devices/pci0/power/control"]
        {
            assert!(is_unread(Path::new(unread)), "{unread}");
        }
    }
}
