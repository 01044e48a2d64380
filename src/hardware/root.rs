//! Bounded, confined reading below one directory.
//!
//! Symbolic links are resolved here and not by the kernel, so that an absolute link in a recorded root stays inside
//! it, and so that the canonical place of a device (`sys/devices/…`) is known: it tells what kind of device it is.

use landfast_protocol::reading::Reading;
use rustix::fs::{FileType, Mode, OFlags, RawMode};
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
        let bytes = self.read_at_most(&relative, ATTRIBUTE_LIMIT + 1)?;
        if bytes.len() > ATTRIBUTE_LIMIT {
            return Err(ReadError::unusable(relative, format!("it is longer than {ATTRIBUTE_LIMIT} bytes")));
        }
        Ok(bytes)
    }

    /// The first `limit` bytes of a regular file.
    pub(crate) fn read_at_most(
        &self,
        relative: impl AsRef<Path>,
        limit: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let failed = |errno: Errno| ReadError::new(&relative, errno.into());
        let path = self.path.join(self.canonical(&relative)?);
        // Looked at before it is opened, because opening a pipe or a device can have effects of its own; and again
        // afterwards, because it may have been exchanged in between.
        regular(&relative, rustix::fs::lstat(&path).map_err(failed)?.st_mode)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(&path, flags, Mode::empty()).map_err(failed)?);
        regular(&relative, rustix::fs::fstat(&file).map_err(failed)?.st_mode)?;
        let mut bytes = Vec::new();
        file.take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| ReadError::new(&relative, error.into()))?;
        Ok(bytes)
    }

    /// A small text file, trimmed; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn text(&self, relative: impl AsRef<Path>) -> Result<String, ReadError> {
        self.read(relative).map(|bytes| clean(&bytes))
    }

    /// Whether a small text file is there and holds exactly `value`.
    pub(crate) fn says(&self, relative: impl AsRef<Path>, value: &str) -> Result<bool, ReadError> {
        self.text(relative).or_missing().map(|text| text.is_some_and(|text| text == value))
    }

    /// Whether anything is there.
    pub(crate) fn exists(&self, relative: impl AsRef<Path>) -> bool {
        self.canonical(relative).is_ok()
    }

    /// Whether a directory is there.
    pub(crate) fn is_directory(&self, relative: impl AsRef<Path>) -> bool {
        self.canonical(relative).is_ok_and(|path| self.path.join(path).is_dir())
    }

    /// Names in a directory, sorted. One with more than [`LIST_LIMIT`] is not used: a part of it would be another part
    /// the next time.
    pub(crate) fn list(&self, relative: impl AsRef<Path>) -> Result<Vec<OsString>, ReadError> {
        let entries = std::fs::read_dir(self.path.join(self.canonical(&relative)?))
            .map_err(|error| ReadError::new(&relative, error.into()))?;
        let mut names: Vec<OsString> =
            entries.take(LIST_LIMIT + 1).filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        if names.len() > LIST_LIMIT {
            return Err(ReadError::unusable(relative, format!("it has more than {LIST_LIMIT} entries")));
        }
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
                Err(errno) => return Err(ReadError::new(relative, errno.into())),
            };
            links += 1;
            if links > LINK_LIMIT {
                return Err(ReadError::unusable(relative, "its links lead in a circle"));
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

fn regular(path: impl AsRef<Path>, mode: RawMode) -> Result<(), ReadError> {
    let what = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Directory => "a directory",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    };
    Err(ReadError::unusable(path, format!("it is {what} where a file should be")))
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

/// Which file could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("/{}: {why}", shown(path.as_os_str()))]
pub(crate) struct ReadError {
    path: PathBuf,
    pub(crate) why: Why,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
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

impl ReadError {
    fn new(path: impl AsRef<Path>, why: Why) -> Self {
        let path = path.as_ref();
        Self { path: path.strip_prefix("/").unwrap_or(path).to_owned(), why }
    }

    /// A file that was read, and that does not hold what it should.
    pub(crate) fn unusable(path: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(path, Why::Unusable(why.into()))
    }

    /// For the administrator: which file, what is wrong, and what follows.
    pub(crate) fn reading(&self) -> Reading {
        Reading::Unreadable(format!("{self}, so it counts neither for nor against this machine"))
    }
}

/// For files that many machines do not have.
pub(crate) trait OrMissing<T> {
    /// Nothing where there is no such file; an error only where there is one, and it cannot be read.
    fn or_missing(self) -> Result<Option<T>, ReadError>;
}
impl<T> OrMissing<T> for Result<T, ReadError> {
    fn or_missing(self) -> Result<Option<T>, ReadError> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(ReadError { why: Why::Missing, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<Errno> for Why {
    fn from(errno: Errno) -> Self {
        match errno {
            // A device that is pulled out while its attributes are read answers with NODEV or NXIO.
            Errno::NOENT | Errno::NOTDIR | Errno::NODEV | Errno::NXIO => Self::Missing,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Unusable(other.to_string().to_lowercase()),
        }
    }
}
impl From<std::io::Error> for Why {
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
        assert_eq!(root.read("outside").or_missing(), Ok(None));
        assert_eq!(root.read("../../../../../../../etc/passwd").or_missing(), Ok(None));
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
        let why = |name: &str| root.read(name).unwrap_err().to_string();
        assert_eq!(why("loop"), "/loop: its links lead in a circle");
        assert_eq!(why("directory"), "/directory: it is a directory where a file should be");
        assert_eq!(why("pipe"), "/pipe: it is a pipe where a file should be");
        assert_eq!(why("long"), "/long: it is longer than 4096 bytes");
        assert_eq!(root.read("page").unwrap().len(), ATTRIBUTE_LIMIT);
        assert_eq!(root.read_at_most("long", 10).unwrap().len(), 10);
        for gone in ["nowhere/at/all", "page/below"] {
            assert_eq!(root.read(gone).unwrap_err().why, Why::Missing);
        }
        assert!(why(&"x".repeat(5000)).contains("file name too long"));
    }

    #[test]
    fn endless_files_of_the_machine_end() {
        let why = Root::machine().read("dev/zero").unwrap_err().to_string();
        assert_eq!(why, "/dev/zero: it is a device where a file should be");
        assert!(Root::machine().read("proc/self/stat").is_ok());
    }
}
