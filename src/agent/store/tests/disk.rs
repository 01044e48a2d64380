//! A disk that knows which of its bytes would survive a power cut.

use crate::store::{Medium, StoreError};
use redb::StorageBackend;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What was asked of the disk since it was synced last.
#[derive(Clone, Debug)]
pub enum Operation {
    Write(usize, Vec<u8>),
    Resize(usize),
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Operation>,
    broken: Option<io::ErrorKind>,
    broken_after: usize,
    lying: bool,
    watcher: Option<Arc<dyn Fn(Moment) + Send + Sync>>,
}

/// The disk when an operation is about to begin.
pub struct Moment {
    pub durable: Vec<u8>,
    pub unsynced: Vec<Operation>,
}

impl Disk {
    /// A disk as a power cut left it.
    pub fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.overwrite(bytes);
        disk
    }

    /// Something else is there from now on.
    pub fn overwrite(&self, bytes: Vec<u8>) {
        self.with(|shared| {
            shared.live.clone_from(&bytes);
            shared.durable = bytes;
            shared.unsynced.clear();
        });
    }

    /// Everything, synced or not.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(|shared| shared.live.clone())
    }

    /// From the `after`-th operation on, whatever changes the disk fails so; none mends it.
    pub fn fail(&self, kind: Option<io::ErrorKind>, after: usize) {
        self.with(|shared| (shared.broken, shared.broken_after) = (kind, after));
    }

    /// Syncs do their work and say that they failed.
    pub fn lie(&self, lying: bool) {
        self.with(|shared| shared.lying = lying);
    }

    /// Calls `watcher` before each operation that changes the disk.
    pub fn watch(&self, watcher: Option<Arc<dyn Fn(Moment) + Send + Sync>>) {
        self.with(|shared| shared.watcher = watcher);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap())
    }

    fn change(&self, operation: Option<Operation>) -> io::Result<()> {
        let watcher = self.with(|shared| {
            let watcher = shared.watcher.clone()?;
            Some((watcher, Moment { durable: shared.durable.clone(), unsynced: shared.unsynced.clone() }))
        });
        if let Some((watcher, moment)) = watcher {
            watcher(moment);
        }
        self.with(|shared| {
            if let Some(kind) = shared.broken {
                match shared.broken_after.checked_sub(1) {
                    None => return Err(kind.into()),
                    Some(left) => shared.broken_after = left,
                }
            }
            match operation {
                Some(operation) => {
                    apply(&mut shared.live, &operation);
                    shared.unsynced.push(operation);
                }
                None => {
                    shared.durable = shared.live.clone();
                    shared.unsynced.clear();
                    if shared.lying {
                        return Err(io::Error::other("the disk says that it failed"));
                    }
                }
            }
            Ok(())
        })
    }
}

/// What an operation does to the bytes.
pub fn apply(bytes: &mut Vec<u8>, operation: &Operation) {
    match operation {
        Operation::Resize(length) => bytes.resize(*length, 0),
        Operation::Write(offset, data) => {
            let end = offset + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(data);
        }
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk(…)")
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|shared| shared.live.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|shared| {
            let from = usize::try_from(offset).unwrap();
            let bytes = shared.live.get(from..from + out.len());
            out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.change(Some(Operation::Resize(usize::try_from(length).unwrap())))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(None)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Some(Operation::Write(usize::try_from(offset).unwrap(), data.to_vec())))
    }
}

impl Medium for Disk {
    type Backend = Self;

    fn path(&self) -> &Path {
        Path::new("disk")
    }

    fn open(&mut self) -> io::Result<Self> {
        match self.with(|shared| shared.broken.filter(|_| shared.broken_after == 0)) {
            Some(kind) => Err(kind.into()),
            None => Ok(self.clone()),
        }
    }

    fn set_aside(&mut self) -> Result<PathBuf, StoreError> {
        self.with(|shared| {
            shared.live.clear();
            shared.durable.clear();
            shared.unsynced.clear();
        });
        Ok(PathBuf::from("aside"))
    }
}
