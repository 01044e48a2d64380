//! Reading files that nobody but root could have written (P11).

use super::error::ConfigError;
use rustix::fs::{Mode, OFlags};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// A CA bundle in an issuer file is a few KiB; nothing here needs more.
const MAX_BYTES: u64 = 256 * 1024;
const MAX_FILES: usize = 256;
/// As many as the kernel follows.
const MAX_LINKS: usize = 40;

/// Who may own the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// Root: the directory that the packages install.
    Root,
    /// Root, or the user that the agent runs as: a directory named on the command line.
    RootOrSelf,
}

impl Owners {
    /// How far that is to be trusted, as status shows it.
    #[must_use]
    pub fn trust(self) -> &'static str {
        match self {
            Self::Root => "production",
            Self::RootOrSelf => "development",
        }
    }

    fn admit(self, uid: u32) -> bool {
        uid == 0 || (self == Self::RootOrSelf && uid == rustix::process::geteuid().as_raw())
    }
}

/// A file that was trusted when it was read, with its text.
#[derive(Debug)]
pub(super) struct TrustedFile {
    pub path: PathBuf,
    pub text: String,
}

/// The configuration directory, itself trusted.
pub(super) struct Directory {
    path: PathBuf,
    real: PathBuf,
    owners: Owners,
}

impl Directory {
    /// Judges the directory.
    pub fn open(path: &Path, owners: Owners) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
        let real = path.canonicalize().map_err(unreadable)?;
        let metadata = real.metadata().map_err(unreadable)?;
        if !metadata.is_dir() {
            return Err(unreadable(io::Error::from(io::ErrorKind::NotADirectory)));
        }
        let directory = Self { path: path.to_owned(), real, owners };
        let given = std::path::absolute(path).map_err(unreadable)?;
        if owners == Owners::Root || given != directory.real {
            directory.judge_links_to(&given)?;
        }
        directory.judge(path, &metadata)?;
        Ok(directory)
    }

    /// One file, or nothing where there is none.
    pub fn read_optional(&self, name: &str) -> Result<Option<TrustedFile>, ConfigError> {
        let path = self.path.join(name);
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => self.read(&path).map(Some),
        }
    }

    /// Every `*.toml` of a directory below, by name; nothing where there is no such directory.
    pub fn read_all(&self, name: &str) -> Result<Vec<TrustedFile>, ConfigError> {
        let path = self.path.join(name);
        let unreadable = |source| ConfigError::Unreadable { file: path.clone(), source };
        let entries = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        self.judge_way_to(&path)?;
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(unreadable)?.path();
            let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden && file.extension().is_some_and(|extension| extension == "toml") {
                files.push(file);
            }
            if files.len() > MAX_FILES {
                return Err(unreadable(io::Error::other(format!("it holds more than {MAX_FILES} files"))));
            }
        }
        files.sort();
        files.iter().map(|file| self.read(file)).collect()
    }

    /// What is judged is what is read: the open file, and every directory on the way to where it really lies.
    fn read(&self, path: &Path) -> Result<TrustedFile, ConfigError> {
        let unreadable = |source: io::Error| ConfigError::Unreadable { file: path.to_owned(), source };
        self.judge_way_to(path)?;
        // Not blocking: a pipe put in place of the file must not hold up the start.
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| unreadable(error.into()))?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(unreadable(io::Error::other("it is no regular file")));
        }
        self.judge(path, &metadata)?;
        let mut text = String::new();
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unreadable(io::Error::other(format!("it has more than {MAX_BYTES} bytes"))));
        }
        Ok(TrustedFile { path: path.to_owned(), text })
    }

    /// The directories from where `path` really lies up to the configuration directory; where a link leads out of
    /// it, every directory and link on the way there.
    fn judge_way_to(&self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
        let real = path.canonicalize().map_err(unreadable)?;
        if !real.starts_with(&self.real) {
            return self.judge_links_to(&std::path::absolute(path).map_err(unreadable)?);
        }
        for directory in real.ancestors().skip(usize::from(!real.is_dir())) {
            if directory == self.real {
                break;
            }
            self.judge(directory, &directory.metadata().map_err(unreadable)?)?;
        }
        Ok(())
    }

    /// Follows an absolute path as the kernel does, and judges every directory in which a name is looked up, and every
    /// link: who can replace one of them decides what is found at the end.
    fn judge_links_to(&self, path: &Path) -> Result<(), ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
        let mut names: Vec<PathBuf> = names(path);
        let (mut at, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = names.pop() {
            self.judge_passage(&at, &at.metadata().map_err(unreadable)?)?;
            let next = at.join(&name);
            let metadata = next.symlink_metadata().map_err(unreadable)?;
            if name.as_os_str() == ".." {
                at.pop();
            } else if metadata.is_symlink() {
                links += 1;
                if links > MAX_LINKS {
                    return Err(unreadable(rustix::io::Errno::LOOP.into()));
                }
                self.judge_owner(&next, &metadata)?;
                let target = next.read_link().map_err(unreadable)?;
                names.extend(self::names(&target));
                at = if target.is_absolute() { PathBuf::from("/") } else { at };
            } else {
                at = next;
            }
        }
        if at.is_dir() { self.judge(&at, &at.metadata().map_err(unreadable)?) } else { Ok(()) }
    }

    /// In a sticky directory such as /tmp nobody else can replace what is ours.
    fn judge_passage(&self, directory: &Path, metadata: &Metadata) -> Result<(), ConfigError> {
        let sticky = metadata.mode() & 0o1000 != 0 && !directory.starts_with(&self.real);
        if sticky { self.judge_owner(directory, metadata) } else { self.judge(directory, metadata) }
    }

    fn judge(&self, path: &Path, metadata: &Metadata) -> Result<(), ConfigError> {
        self.judge_owner(path, metadata)?;
        if metadata.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(ConfigError::Untrusted {
            file: path.to_owned(),
            reason: format!("others can write it (mode {:04o})", metadata.mode() & 0o7777),
            advice: format!("check its content, then run `chmod go-w {}`", path.display()),
        })
    }

    fn judge_owner(&self, path: &Path, metadata: &Metadata) -> Result<(), ConfigError> {
        if self.owners.admit(metadata.uid()) {
            return Ok(());
        }
        let allowed = match self.owners {
            Owners::Root => "only root may own it",
            Owners::RootOrSelf => "only root or the agent's own user may own it",
        };
        Err(ConfigError::Untrusted {
            file: path.to_owned(),
            reason: format!("it belongs to user {}; {allowed}", metadata.uid()),
            advice: format!(
                "check its content, then run `chown --no-dereference root:root {}`",
                path.display()
            ),
        })
    }
}

/// The names of a path, the last one first; the root is none.
fn names(path: &Path) -> Vec<PathBuf> {
    let name = |part: Component<'_>| match part {
        Component::Normal(_) | Component::ParentDir => Some(PathBuf::from(part.as_os_str())),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().rev().filter_map(name).collect()
}
