//! A file that is complete beside its place before it takes it: whoever looks finds the old one or the new one.

use crate::commands::error::CommandError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Gone again unless it is put in its place.
#[derive(Debug)]
pub struct Aside {
    place: PathBuf,
    written: PathBuf,
}

impl Aside {
    /// Writes what is to stand in `place`, durably, under another name.
    pub fn write(place: &Path, content: &[u8]) -> Result<Self, CommandError> {
        // The file behind a link is replaced, not the link.
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        let refused = |source| CommandError::Write { path: place.clone(), source };
        let name = place.file_name().filter(|_| !place.exists() || place.is_file());
        let Some(mut name) = name.map(ToOwned::to_owned) else {
            return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, "it is no file; name another")));
        };
        name.push(".new");
        let aside = Self { written: place.with_file_name(name), place: place.clone() };
        let _ = fs::remove_file(&aside.written);
        let create = || {
            let mut file = OpenOptions::new().write(true).create_new(true).open(&aside.written)?;
            file.write_all(content)?;
            file.sync_all()
        };
        create().map_err(refused)?;
        Ok(aside)
    }

    /// Puts it in its place.
    pub fn put(self) -> Result<(), CommandError> {
        let put = || {
            fs::rename(&self.written, &self.place)?;
            let parent = self.place.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        put().map_err(|source| CommandError::Write { path: self.place.clone(), source })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.written);
    }
}
