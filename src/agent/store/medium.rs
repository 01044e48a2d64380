//! What the database lies on: a file, or, in crash tests, something that forgets what was not synced.

use super::directory::{self, Quarantine};
use super::error::StoreError;
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the database lies.
pub trait Medium: fmt::Debug + Send {
    /// How redb reads and writes it.
    type Backend: StorageBackend;
    /// What errors call it.
    fn path(&self) -> &Path;
    /// Opens what is there; an empty medium becomes an empty database.
    fn open(&mut self) -> io::Result<Self::Backend>;
    /// Puts what is there aside, so that the next [`Medium::open`] finds an empty medium. Gives its new name.
    fn set_aside(&mut self) -> Result<PathBuf, StoreError>;
}

/// A file in the state directory.
#[derive(Debug)]
pub struct FileMedium {
    path: PathBuf,
    quarantine: Quarantine,
}

impl FileMedium {
    /// The database of a state directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { path: directory.join("store.redb"), quarantine: Quarantine::of(directory) }
    }

    /// A database appears under its name only when it is whole, so that a power cut while it is first made leaves no
    /// half of one.
    fn make(&self) -> io::Result<()> {
        let unfinished = self.path.with_extension("new");
        let file = private().create(true).truncate(true).open(&unfinished)?;
        let made = file.try_clone().map_err(redb::DatabaseError::from).and_then(|file| {
            super::database::builder().create_with_backend(FileBackend::new(file)?).map(drop)
        });
        made.map_err(|error| match error {
            redb::DatabaseError::Storage(redb::StorageError::Io(error)) => error,
            other => io::Error::other(other.to_string()),
        })?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &self.path)?;
        directory::sync(self.path.parent().unwrap_or(Path::new("/")))
    }
}

impl Medium for FileMedium {
    type Backend = FileBackend;

    fn path(&self) -> &Path {
        &self.path
    }

    fn open(&mut self) -> io::Result<FileBackend> {
        let file = match private().open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                private().open(&self.path)?
            }
            file => file?,
        };
        backend(file)
    }

    fn set_aside(&mut self) -> Result<PathBuf, StoreError> {
        self.quarantine.take(&self.path, "store.redb")
    }
}

fn backend(file: File) -> io::Result<FileBackend> {
    FileBackend::new(file).map_err(|error| io::Error::other(error.to_string()))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
