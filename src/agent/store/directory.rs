//! The state directory: who may use it, and where damaged files go.

use super::error::StoreError;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes the state directory, or judges the one that is there.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    make(path).map_err(StoreError::file(path, "make the state directory"))?;
    let metadata = path.metadata().map_err(StoreError::file(path, "read the state directory"))?;
    let untrusted = |reason: String| Err(StoreError::Untrusted { path: path.to_owned(), reason });
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own && metadata.uid() != 0 {
        return untrusted(format!("it belongs to user {}, the agent runs as {own}", metadata.uid()));
    }
    if metadata.mode() & 0o022 != 0 {
        return untrusted(format!("others can write it (mode {:04o})", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Makes a directory that only this user can look into, and those above it; one that is there stays as it is.
pub(super) fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes what was done to the names in a directory survive a power cut.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Held while an agent runs; the kernel lets go of it however the agent ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lock");
        let mut file = open(&path).map_err(StoreError::file(&path, "open the lock"))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let known = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
                let holder = if known { format!(" (process {})", holder.trim()) } else { String::new() };
                return Err(StoreError::Busy { path, holder });
            }
            Err(error) => return Err(StoreError::file(&path, "lock the state directory")(error.into())),
        }
        // For the message above only: a disk that has no room for it must not keep the agent from starting.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| {
            file.write_all(format!("{}\n", rustix::process::getpid().as_raw_nonzero()).as_bytes())
        });
        Ok(Self { _file: file })
    }
}

/// A state directory that has become read-only can still be locked, and its licenses be answered for.
fn open(path: &Path) -> io::Result<File> {
    let writable =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    match writable {
        // Where no agent has been before there is nothing to lock, and the disk is the reason.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            File::open(path).map_err(|_| error)
        }
        opened => opened,
    }
}

/// Where damaged files are kept. Nothing is ever removed from there.
#[derive(Clone, Debug)]
pub(super) struct Quarantine {
    directory: PathBuf,
}

impl Quarantine {
    pub fn of(state: &Path) -> Self {
        Self { directory: state.join("quarantine") }
    }

    /// Moves a file there under the first free `NAME.N`.
    pub fn take(&self, path: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let failed = || StoreError::file(path, "set the damaged file aside");
        make(&self.directory).map_err(failed())?;
        let mut number = 1;
        let target = loop {
            let candidate = self.directory.join(format!("{name}.{number}"));
            if !candidate.try_exists().map_err(failed())? {
                break candidate;
            }
            number += 1;
        };
        std::fs::rename(path, &target).map_err(failed())?;
        sync(&self.directory).map_err(failed())?;
        sync(path.parent().unwrap_or(Path::new("/"))).map_err(failed())?;
        Ok(target)
    }
}
