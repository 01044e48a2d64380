//! Bounded, confined reading below one directory.
//!
//! Symbolic links are resolved here and not by the kernel, so that an absolute link in a recorded root stays inside
//! it, and so that the canonical place of a device (`sys/devices/…`) is known: it tells what kind of device it is.

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// What one file may hold: the kernel gives an attribute of sysfs one page (`PAGE_SIZE` in `fs/sysfs/file.c`).
pub(crate) const ATTRIBUTE_LIMIT: usize = 4096;

/// How many names of one directory are looked at.
pub(crate) const LIST_LIMIT: usize = 65_536;

/// Links followed for one path: the kernel's own limit (`MAXSYMLINKS`).
const LINK_LIMIT: usize = 40;

/// The directory below which everything is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// The running machine.
    #[must_use]
    pub fn machine() -> Self {
        Self::new("/")
    }

    /// A directory that holds `sys`, `proc` and `etc` of a machine, such as a recording of one.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is the running machine and not a recording.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.path == Path::new("/")
    }

    /// The bytes of a small regular file.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Result<Vec<u8>, ReadError> {
        let bytes = self.read_at_most(relative, ATTRIBUTE_LIMIT + 1)?;
        if bytes.len() > ATTRIBUTE_LIMIT {
            return Err(ReadError::Unusable(format!("it is longer than {ATTRIBUTE_LIMIT} bytes")));
        }
        Ok(bytes)
    }

    /// The first `limit` bytes of a regular file.
    pub(crate) fn read_at_most(
        &self,
        relative: impl AsRef<Path>,
        limit: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let path = self.path.join(self.canonical(relative)?);
        // Looked at before it is opened: opening a pipe or a device can have effects of its own.
        if FileType::from_raw_mode(rustix::fs::lstat(&path)?.st_mode) != FileType::RegularFile {
            return Err(ReadError::Unusable("it is not a regular file".into()));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(&path, flags, Mode::empty())?);
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A small text file, trimmed; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn text(&self, relative: impl AsRef<Path>) -> Result<String, ReadError> {
        self.read(relative).map(|bytes| clean(&bytes))
    }

    /// Whether a small text file holds exactly `value`.
    pub(crate) fn says(&self, relative: impl AsRef<Path>, value: &str) -> bool {
        self.text(relative).is_ok_and(|text| text == value)
    }

    /// Whether anything is there.
    pub(crate) fn exists(&self, relative: impl AsRef<Path>) -> bool {
        self.canonical(relative).is_ok()
    }

    /// Whether a directory is there.
    pub(crate) fn is_directory(&self, relative: impl AsRef<Path>) -> bool {
        self.canonical(relative).is_ok_and(|path| self.path.join(path).is_dir())
    }

    /// Names in a directory, sorted, at most [`LIST_LIMIT`].
    pub(crate) fn list(&self, relative: impl AsRef<Path>) -> Result<Vec<OsString>, ReadError> {
        let entries = std::fs::read_dir(self.path.join(self.canonical(relative)?))?;
        let mut names: Vec<OsString> =
            entries.take(LIST_LIMIT).filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Where a path leads once every link is followed, relative to the root and never outside it.
    pub(crate) fn canonical(&self, relative: impl AsRef<Path>) -> Result<PathBuf, ReadError> {
        let mut rest: VecDeque<OsString> = steps(relative.as_ref()).collect();
        let mut place = PathBuf::new();
        let mut links = 0;
        while let Some(step) = rest.pop_front() {
            if step == ".." {
                place.pop();
                continue;
            }
            place.push(&step);
            let target = match rustix::fs::readlink(self.path.join(&place), Vec::new()) {
                Ok(target) => target,
                Err(Errno::INVAL) => continue, // it is there, and no link
                Err(errno) => return Err(errno.into()),
            };
            links += 1;
            if links > LINK_LIMIT {
                return Err(ReadError::Unusable("its links lead in a circle".into()));
            }
            let target = Path::new(OsStr::from_bytes(target.as_bytes()));
            if target.is_absolute() {
                place.clear();
            } else {
                place.pop();
            }
            for step in steps(target).collect::<Vec<_>>().into_iter().rev() {
                rest.push_front(step);
            }
        }
        Ok(place)
    }
}

fn steps(path: &Path) -> impl Iterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

/// Text without the blanks and NULs around it.
pub(crate) fn clean(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned()
}

/// A name for people, without control characters.
pub(crate) fn shown(name: &OsStr) -> String {
    name.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is not there, or it vanished while it was read.
    #[error("it is not there")]
    Missing,
    /// Only others may read it.
    #[error("permission denied")]
    Denied,
    /// Anything else, in words.
    #[error("{0}")]
    Unusable(String),
}

impl From<Errno> for ReadError {
    fn from(errno: Errno) -> Self {
        match errno {
            // A device that is pulled out while its attributes are read answers with NODEV or NXIO.
            Errno::NOENT | Errno::NOTDIR | Errno::NODEV | Errno::NXIO => Self::Missing,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Unusable(other.to_string().to_lowercase()),
        }
    }
}
impl From<std::io::Error> for ReadError {
    fn from(error: std::io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(errno) => errno.into(),
            None => Self::Unusable(error.to_string().to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn directory() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::new(directory.path());
        (directory, root)
    }

    #[test]
    fn links_stay_inside_the_root() {
        let (directory, root) = directory();
        std::fs::create_dir_all(directory.path().join("sys/devices/a")).unwrap();
        std::fs::write(directory.path().join("sys/devices/a/serial"), " X1 \n\0").unwrap();
        std::fs::create_dir_all(directory.path().join("sys/class")).unwrap();
        symlink("/sys/devices/a", directory.path().join("sys/class/absolute")).unwrap();
        symlink("../../../../../sys/devices/a", directory.path().join("sys/class/climbing")).unwrap();
        for link in ["absolute", "climbing"] {
            assert_eq!(root.canonical(format!("sys/class/{link}")).unwrap(), Path::new("sys/devices/a"));
            assert_eq!(root.text(format!("sys/class/{link}/serial")).unwrap(), "X1");
        }
        symlink("/etc/passwd", directory.path().join("outside")).unwrap();
        assert_eq!(root.read("outside"), Err(ReadError::Missing));
        assert_eq!(root.read("../../../../../../../etc/passwd"), Err(ReadError::Missing));
    }

    #[test]
    fn only_small_regular_files_are_read() {
        let (directory, root) = directory();
        let at = |name: &str| directory.path().join(name);
        symlink("loop", at("loop")).unwrap();
        std::fs::create_dir(at("directory")).unwrap();
        std::fs::write(at("page"), vec![b'x'; ATTRIBUTE_LIMIT]).unwrap();
        std::fs::write(at("long"), vec![b'x'; 1 << 20]).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            rustix::fs::makedev(0, 0),
        )
        .unwrap();
        assert!(matches!(root.read("loop"), Err(ReadError::Unusable(reason)) if reason.contains("circle")));
        for odd in ["directory", "pipe"] {
            assert!(matches!(root.read(odd), Err(ReadError::Unusable(reason)) if reason.contains("regular")));
        }
        assert_eq!(root.read("page").unwrap().len(), ATTRIBUTE_LIMIT);
        assert!(matches!(root.read("long"), Err(ReadError::Unusable(reason)) if reason.contains("longer")));
        assert_eq!(root.read_at_most("long", 10).unwrap().len(), 10);
        assert_eq!(root.read("nowhere/at/all"), Err(ReadError::Missing));
        assert_eq!(root.read("page/below"), Err(ReadError::Missing));
        assert!(matches!(root.read("x".repeat(5000)), Err(ReadError::Unusable(_))));
    }

    #[test]
    fn endless_files_of_the_machine_end() {
        assert!(matches!(Root::machine().read("dev/zero"), Err(ReadError::Unusable(_))));
        assert!(Root::machine().read("proc/self/stat").is_ok());
    }
}
