//! ttar: files in one text, as node_exporter's tests keep recordings of `/sys`.

use super::fake_root::{FakeRoot, inside};
use super::folder::Trouble;
use super::format::Written;
use std::path::{Path, PathBuf};

/// Whether a text is such an archive.
pub(super) fn is_archive(text: &str) -> bool {
    let starts = |start: &str| text.lines().any(|line| line.starts_with(start));
    starts("Path: ") && (starts("Lines: ") || starts("SymlinkTo: ")) && (starts("Mode: ") || starts("# ttar"))
}

/// `Path: …`, then `Lines: N` and N lines, or `SymlinkTo: …`, or `Directory: …`.
pub(super) fn write(bytes: &[u8], root: &mut FakeRoot) -> Result<Written, Trouble> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut place = None;
    let cut = || Trouble::Damaged("its ttar archive is cut off".into());
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix(b"Path: ") {
            place = Some(beneath_root(path)?);
        } else if let (Some(count), Some(at)) = (line.strip_prefix(b"Lines: "), &place) {
            let count = std::str::from_utf8(count).ok().and_then(|count| count.trim().parse::<usize>().ok());
            let mut content = Vec::new();
            for _ in 0..count.ok_or_else(cut)? {
                content.extend_from_slice(lines.next().ok_or_else(cut)?);
                content.push(b'\n');
            }
            // So the format marks a file without a line end.
            root.file(at, content.strip_suffix(b"EOF\n").unwrap_or(&content))?;
        } else if let (Some(target), Some(at)) = (line.strip_prefix(b"SymlinkTo: "), &place) {
            root.link(at, Path::new(&*String::from_utf8_lossy(target)))?;
        }
    }
    if place.is_none() {
        return Err(Trouble::Damaged("its ttar archive holds no file".into()));
    }
    Ok(Written::default())
}

/// Such archives hold a part of a tree: from `sys` or `proc` on it is the machine's.
fn beneath_root(path: &[u8]) -> Result<PathBuf, Trouble> {
    let place = inside(Path::new(&*String::from_utf8_lossy(path)))?;
    let above = place.iter().position(|step| step == "sys" || step == "proc").unwrap_or(0);
    Ok(place.iter().skip(above).collect())
}
