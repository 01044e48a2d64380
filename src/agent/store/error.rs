//! What can go wrong with the store.

use std::io;
use std::path::{Path, PathBuf};

/// Why something could not be stored or read. None of these loses anything that was stored before.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory of the state directory.
    #[error("{}: cannot {operation}: {source}; {}", path.display(), advice(source))]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The state directory belongs to, or can be written by, somebody else.
    #[error("{}: {reason}; run `chown` and `chmod 0700` so that only the agent's user can write it", path.display())]
    Untrusted {
        /// The state directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another agent runs on this state directory.
    #[error("{}: another landfastd{holder} uses this state directory; stop it first, or name another with --state", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Its process, as far as known.
        holder: String,
    },
    /// Written by a release that this one does not understand.
    #[error("{}: it was written by another release ({found}); install that release again", path.display())]
    OtherRelease {
        /// Which file.
        path: PathBuf,
        /// What is known of it.
        found: String,
    },
    /// The database is damaged.
    #[error("{}: the database is damaged: {reason}; restart the agent to heal it from its copy", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The database did not take or give something.
    #[error("{}: cannot {operation}: {reason}; free space in, or mend, the state directory", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What it said.
        reason: String,
    },
    /// Counter and tombstones are gone; nothing may be built on what is left.
    #[error("the store of this device is lost; `landfast doctor` says how to begin anew")]
    Lost,
}

impl StoreError {
    pub(super) fn file(path: &Path, operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), operation, source }
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free space there",
        io::ErrorKind::ReadOnlyFilesystem => "mount it writable; the kernel's log says why it is not",
        io::ErrorKind::PermissionDenied => "let the agent's user own it",
        io::ErrorKind::NotFound => "make the directory above it",
        _ => "check the disk",
    }
}
