//! The files of one issuer beside the database: the second copy of its state, and three small ones.

use super::directory::{self, Quarantine};
use super::error::StoreError;
use super::image::Image;
use landfast_protocol::{IssuerId, Timestamp};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const HELD: &str = "The agent made a device key for this issuer in this directory. While this file is here it will \
                    not make another one by itself: licenses are bound to that key. See `landfast doctor`.\n";
/// A state holds one grant (at most 384 KiB), one request and little else.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What a copy turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Absent,
    Damaged,
    Intact(Image),
}

impl Slot {
    pub fn generation(&self) -> Option<u64> {
        match self {
            Self::Intact(image) => Some(image.generation),
            _ => None,
        }
    }
}

/// The directory of one issuer.
#[derive(Debug)]
pub(super) struct Copies {
    issuer: IssuerId,
    directory: PathBuf,
    quarantine: Quarantine,
}

impl Copies {
    pub fn of(state: &Path, issuer: IssuerId) -> Self {
        let directory = state.join("issuers").join(issuer.to_string());
        Self { issuer, directory, quarantine: Quarantine::of(state) }
    }

    /// The copy in force.
    pub fn current(&self) -> Result<Slot, StoreError> {
        self.slot("state")
    }

    /// A copy that was written and has not taken its place yet.
    pub fn prepared(&self) -> Result<Slot, StoreError> {
        self.slot("state.new")
    }

    /// Writes a copy beside the one in force; durable when this returns.
    pub fn prepare(&self, sealed: &[u8]) -> Result<(), StoreError> {
        self.write("state.new", sealed)
    }

    /// Puts the prepared copy in its place; durable when this returns.
    pub fn promote(&self) -> Result<(), StoreError> {
        let path = self.path("state.new");
        std::fs::rename(&path, self.path("state"))
            .and_then(|()| directory::sync(&self.directory))
            .map_err(StoreError::file(&path, "replace the copy of the state"))
    }

    /// What the database was given last and seemed not to take.
    pub fn refused(&self) -> Result<Slot, StoreError> {
        self.slot("state.refused")
    }

    /// Notes that the prepared copy was refused, whatever the database made of it. Needs no space.
    pub fn refuse(&self) -> Result<(), StoreError> {
        let path = self.path("state.new");
        std::fs::rename(&path, self.path("state.refused"))
            .and_then(|()| directory::sync(&self.directory))
            .map_err(StoreError::file(&path, "note that the state was refused"))
    }

    /// Forgets the refusal: something newer was stored since.
    pub fn forget_refused(&self) -> Result<(), StoreError> {
        self.remove("state.refused")
    }

    /// Removes a prepared copy that came to nothing.
    pub fn discard(&self) -> Result<(), StoreError> {
        self.remove("state.new")
    }

    /// Keeps a damaged copy for those who want to know why.
    pub fn set_aside(&self) -> Result<PathBuf, StoreError> {
        self.quarantine.take(&self.path("state"), &format!("state-{}", self.issuer.short()))
    }

    /// Whether a key was ever made here.
    pub fn held(&self) -> Result<bool, StoreError> {
        let path = self.path("held");
        path.try_exists().map_err(StoreError::file(&path, "look for the marker"))
    }

    /// From now on a missing state is a lost one.
    pub fn mark_held(&self) -> Result<(), StoreError> {
        self.write("held", HELD.as_bytes())
    }

    /// Takes the marker back when the first state of all could not be stored.
    pub fn unmark(&self) -> Result<(), StoreError> {
        self.remove("held")
    }

    /// The newest grant that was kept beside the store.
    pub fn grant(&self) -> Option<Vec<u8>> {
        read(&self.path("grant")).ok().flatten().map(|bytes| bytes.to_vec())
    }

    /// Keeps a grant beside the store.
    pub fn keep_grant(&self, frame: &[u8]) -> Result<(), StoreError> {
        self.replace("grant", frame)
    }

    /// Since when the store is lost: as noted, or noted now.
    pub fn lost_since(&self, now: Timestamp) -> Timestamp {
        let noted = read(&self.path("lost")).ok().flatten();
        let noted = noted.and_then(|text| std::str::from_utf8(&text).ok()?.trim().parse().ok());
        noted.map_or_else(
            || {
                // Where it cannot be noted, the grace begins again with the next start, which harms nobody.
                let _ = self.replace("lost", format!("{}\n", now.0).as_bytes());
                now
            },
            Timestamp,
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        match std::fs::remove_file(&path).and_then(|()| directory::sync(&self.directory)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(StoreError::file(&path, "remove the file")),
        }
    }

    fn slot(&self, name: &str) -> Result<Slot, StoreError> {
        let path = self.path(name);
        let bytes = read(&path).map_err(StoreError::file(&path, "read the copy of the state"))?;
        Ok(match bytes {
            None => Slot::Absent,
            Some(bytes) => Image::open(self.issuer, &bytes).map_or(Slot::Damaged, Slot::Intact),
        })
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let unfinished = format!("{name}.tmp");
        self.write(&unfinished, bytes)?;
        let path = self.path(name);
        std::fs::rename(self.path(&unfinished), &path)
            .and_then(|()| directory::sync(&self.directory))
            .map_err(StoreError::file(&path, "replace the file"))
    }

    /// Content and name are durable when this returns.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name);
        self.try_write(&path, bytes).map_err(StoreError::file(&path, "write the file"))
    }

    fn try_write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if !self.directory.is_dir() {
            directory::make(&self.directory)?;
            for above in self.directory.ancestors().skip(1).take(2) {
                directory::sync(above)?;
            }
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        directory::sync(&self.directory)
    }
}

fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
