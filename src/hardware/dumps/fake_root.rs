//! A fake root that is being written from what a recording says.

use super::folder::Trouble;
use rustix::fs::Access;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// A directory of its own, in which nothing is written through a link: only directories that were made here are
/// entered.
#[derive(Debug)]
pub(super) struct FakeRoot {
    directory: TempDir,
    made: BTreeSet<PathBuf>,
}

impl FakeRoot {
    pub(super) fn new() -> Result<Self, Trouble> {
        let directory = tempfile::Builder::new().prefix("landfast-hwdata-").tempdir_in(scratch());
        Ok(Self { directory: directory.map_err(failed)?, made: BTreeSet::new() })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Directories that were made, relative to the root.
    pub(super) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.made.iter().map(PathBuf::as_path)
    }

    /// Makes a directory and those above it.
    pub(super) fn directory(&mut self, at: &Path) -> Result<(), Trouble> {
        if at.as_os_str().is_empty() || self.made.contains(at) {
            return Ok(());
        }
        if let Some(parent) = at.parent() {
            self.directory(parent)?;
        }
        match std::fs::create_dir(self.path().join(at)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Trouble::Hostile(format!(
                "it puts something below {}, which it said is no directory",
                at.display()
            ))),
            Err(error) => Err(failed(error)),
            Ok(()) => {
                self.made.insert(at.to_owned());
                Ok(())
            }
        }
    }

    /// Writes a file; the last content for a place counts.
    pub(super) fn file(&mut self, at: impl AsRef<Path>, content: &[u8]) -> Result<(), Trouble> {
        let place = self.vacate(at.as_ref())?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(place).map_err(failed)?;
        file.write_all(content).map_err(failed)
    }

    /// Writes a link as the recording has it. Where it leads is decided when the root is read, and never outside.
    pub(super) fn link(&mut self, at: impl AsRef<Path>, target: &Path) -> Result<(), Trouble> {
        let place = self.vacate(at.as_ref())?;
        symlink(target, place).map_err(failed)
    }

    /// What was written to a file; nothing where there is none, or a link.
    pub(super) fn content(&self, at: &Path) -> Option<Vec<u8>> {
        let parent =
            at.parent().filter(|parent| parent.as_os_str().is_empty() || self.made.contains(*parent));
        let place = self.path().join(parent?).join(at.file_name()?);
        place.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
        std::fs::read(place).ok()
    }

    /// Makes room for what comes, and the directories above it.
    fn vacate(&mut self, at: &Path) -> Result<PathBuf, Trouble> {
        self.directory(at.parent().unwrap_or(Path::new("")))?;
        let place = self.path().join(at);
        if self.made.contains(at) {
            return Err(Trouble::Hostile(format!(
                "it says that {} is a directory, and that it is none",
                at.display()
            )));
        }
        match std::fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(place),
        }
    }
}

/// Where roots are laid out: in memory if there is room and nobody says otherwise, as a disk takes a minute for the ten
/// thousand small files of a few trees.
fn scratch() -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    const ROOM: u64 = 1 << 30;
    let has_room = || {
        rustix::fs::statvfs(MEMORY).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) > ROOM)
    };
    let is_ours = || rustix::fs::access(MEMORY, Access::WRITE_OK).is_ok();
    if std::env::var_os("TMPDIR").is_none() && has_room() && is_ours() {
        return MEMORY.into();
    }
    std::env::temp_dir()
}

/// A path as others wrote it, as a path below the root. One that climbs leads nowhere.
pub(super) fn inside(path: &Path) -> Result<PathBuf, Trouble> {
    let mut place = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => place.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                return Err(Trouble::Hostile(format!("it wants to write to {}", shown(path))));
            }
        }
    }
    Ok(place)
}

fn shown(path: &Path) -> String {
    crate::root::shown(path.as_os_str()).chars().take(80).collect()
}

fn failed(error: io::Error) -> Trouble {
    Trouble::Damaged(format!("it cannot be laid out as a machine: {}", error.to_string().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_through_a_link_or_out_of_the_root() {
        let outside = tempfile::tempdir().unwrap();
        let mut root = FakeRoot::new().unwrap();
        root.link("sys", outside.path()).unwrap();
        assert!(matches!(root.file("sys/evil", b"x"), Err(Trouble::Hostile(_))));
        root.link("file", &outside.path().join("evil")).unwrap();
        root.file("file", b"x").unwrap();
        assert!(std::fs::read_dir(outside.path()).unwrap().next().is_none());
        assert_eq!(std::fs::read(root.path().join("file")).unwrap(), b"x");
        assert!(matches!(root.file("file/below", b"x"), Err(Trouble::Hostile(_))));
        root.file("directory/file", b"x").unwrap();
        assert!(matches!(root.file("directory", b"x"), Err(Trouble::Hostile(_))));
        assert!(matches!(inside(Path::new("sys/../../evil")), Err(Trouble::Hostile(_))));
        assert_eq!(inside(Path::new("/./sys/class")).unwrap(), Path::new("sys/class"));
    }
}
