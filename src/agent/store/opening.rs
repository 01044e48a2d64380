//! Opening the store: what is damaged is set aside, what can be healed is healed.

use super::copy::{Copies, Slot};
use super::database::{self, OpenFailure};
use super::directory::{self, Lock};
use super::error::StoreError;
use super::image::Image;
use super::medium::{FileMedium, Medium};
use super::recovery::{Decision, Found, decide};
use super::state_store::{OfIssuer, Store};
use landfast_protocol::IssuerId;
use std::path::Path;

impl Store {
    /// Opens the state directory for these issuers, healing what can be healed.
    pub fn open(directory: &Path, issuers: &[IssuerId]) -> Result<Self, StoreError> {
        directory::prepare(directory)?;
        Self::open_with(directory, FileMedium::new(directory), issuers)
    }
}

impl<M: Medium> Store<M> {
    /// As [`Store::open`], with the database on any medium.
    pub fn open_with(directory: &Path, medium: M, issuers: &[IssuerId]) -> Result<Self, StoreError> {
        let lock = Lock::take(directory)?;
        let mut store =
            Self { medium, database: None, slots: Vec::new(), incidents: Vec::new(), _lock: lock };
        let trouble = match store.open_database(true) {
            Ok(()) => None,
            Err(error) if is_passing(&error) => Some(error),
            Err(error) => return Err(error),
        };
        for issuer in issuers {
            let copies = Copies::of(directory, *issuer);
            let slot = match &trouble {
                None => store.recover(*issuer, copies)?,
                Some(_) => match from_copies(*issuer, copies)? {
                    Some(slot) => slot,
                    None => return Err(trouble.unwrap_or(StoreError::Lost)),
                },
            };
            store.slots.push(slot);
        }
        if let Some(error) = trouble {
            let message = format!("{error}; licenses stay granted, but nothing can be changed until then");
            store.incident(None, "store_unwritable", message);
        }
        Ok(store)
    }

    pub(super) fn open_database(&mut self, starting: bool) -> Result<(), StoreError> {
        match self.try_open()? {
            Ok(()) => return Ok(()),
            Err(OpenFailure::Damaged(reason)) => self.set_aside(&reason)?,
            // A sector that cannot be read is damage. Of a disk that fails while it is written, that is too much to
            // say: it may be well again, and then nothing was lost.
            Err(OpenFailure::Medium(error)) if starting && !database::is_unwritable(&error) => {
                self.set_aside(&error.to_string())?;
            }
            Err(failure) => return Err(self.refused(failure)),
        }
        self.try_open()?.map_err(|failure| self.refused(failure))
    }

    fn try_open(&mut self) -> Result<Result<(), OpenFailure>, StoreError> {
        let path = self.medium.path().to_owned();
        let backend = self.medium.open().map_err(StoreError::file(&path, "open the database"))?;
        Ok(database::open(backend).map(|database| self.database = Some(database)))
    }

    fn set_aside(&mut self, reason: &str) -> Result<(), StoreError> {
        let aside = self.medium.set_aside()?;
        let message = format!(
            "the database was damaged ({reason}) and is kept as {}; its history is gone from `landfast history`; \
             check the disk",
            aside.display()
        );
        self.incident(None, "store_damaged", message);
        Ok(())
    }

    fn refused(&self, failure: OpenFailure) -> StoreError {
        let path = self.medium.path().to_owned();
        match failure {
            OpenFailure::Damaged(reason) => StoreError::Damaged { path, reason },
            OpenFailure::Medium(source) => StoreError::File { path, operation: "open the database", source },
            OpenFailure::Busy => StoreError::Busy { path, holder: String::new() },
            OpenFailure::OtherRelease(found) => StoreError::OtherRelease { path, found },
        }
    }

    /// Finds out what to believe of an issuer, and makes database and copy agree.
    fn recover(&mut self, issuer: IssuerId, copies: Copies) -> Result<OfIssuer, StoreError> {
        let (row, line) = match &self.database {
            None => (Slot::Absent, 0),
            Some(database) => database::row(database, issuer)
                .and_then(|row| Ok((row, database::newest_line(database, issuer)?)))
                .map_err(database::failed(self.medium.path(), "read the state"))?,
        };
        let found = Found::beside(row, &copies)?;
        let damaged_copy = found.copy == Slot::Damaged;
        let beside = found.prepared.generation();
        let mut slot = OfIssuer::new(issuer, copies, found.refused != Slot::Absent);
        match decide(found) {
            Decision::Fresh => {
                let _ = slot.copies.discard();
            }
            Decision::Use(image) => {
                let _ = slot.copies.discard();
                slot.adopt(image);
                slot.line = line;
            }
            Decision::Promote(image) => {
                slot.promotion_due = slot.copies.promote().is_err();
                slot.adopt(image);
                slot.line = line;
            }
            Decision::Copy(image) => {
                self.renew_copy(&slot, &image, damaged_copy);
                slot.adopt(image);
                slot.line = line;
            }
            Decision::Heal(image) => {
                if beside == Some(image.generation) {
                    slot.promotion_due = slot.copies.promote().is_err();
                }
                self.heal(&slot, &image);
                slot.adopt(image);
            }
            Decision::Lost => {
                slot.lost = true;
                slot.line = line;
                let message = "the state of this device is gone from the database and from its copy; \
                               run `landfast doctor`"
                    .to_owned();
                self.incident(Some(issuer), "store_lost", message);
            }
        }
        Ok(slot)
    }

    fn renew_copy(&mut self, slot: &OfIssuer, image: &Image, damaged: bool) {
        let sealed = image.seal(slot.issuer);
        let aside = if damaged { slot.copies.set_aside().map(Some) } else { Ok(None) };
        let renewed = aside.and_then(|aside| {
            slot.copies.prepare(&sealed).and_then(|()| slot.copies.promote()).map(|()| aside)
        });
        let message = match renewed {
            Ok(Some(aside)) => format!(
                "the copy of the state was damaged, is kept as {}, and was made anew; check the disk",
                aside.display()
            ),
            Ok(None) => "the copy of the state was missing or old, and was made anew".to_owned(),
            Err(error) => format!("the copy of the state could not be made anew: {error}"),
        };
        self.incident(Some(slot.issuer), "copy_renewed", message);
    }

    /// The copy is intact, so a database that does not take it is no loss: the next write tries again.
    fn heal(&mut self, slot: &OfIssuer, image: &Image) {
        let sealed = image.seal(slot.issuer);
        let healed = match &self.database {
            Some(database) => database::commit(database, slot.issuer, Some(&sealed), image.line, &[]),
            None => Ok(()),
        };
        let message = match healed {
            Ok(()) => "the state was taken from its copy, which is as new; nothing was lost".to_owned(),
            Err(error) => {
                self.database = None;
                format!("the state is taken from its copy, but the database does not take it: {error}")
            }
        };
        self.incident(Some(slot.issuer), "store_healed", message);
    }
}

/// With a database that cannot be opened for writing now, the copies say what is held. None when they cannot.
fn from_copies(issuer: IssuerId, copies: Copies) -> Result<Option<OfIssuer>, StoreError> {
    let found = Found::beside(Slot::Absent, &copies)?;
    let mut slot = OfIssuer::new(issuer, copies, found.refused != Slot::Absent);
    match decide(found) {
        Decision::Heal(image) => slot.adopt(image),
        Decision::Fresh => {}
        _ => return Ok(None),
    }
    Ok(Some(slot))
}

/// Trouble that ends when somebody frees space or mounts the disk writable.
fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::File { source, .. } if database::is_unwritable(source))
}
