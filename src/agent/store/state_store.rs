//! The store: opened once, written by one agent.

use super::copy::{Copies, Slot};
use super::database;
use super::directory::Lock;
use super::error::StoreError;
use super::image::Image;
use super::medium::{FileMedium, Medium};
use crate::faultpoint::{self, Boundary};
use landfast_core::step::HistoryEntry;
use landfast_core::{Record, step};
use landfast_protocol::{IssuerId, Timestamp};
use redb::Database;
use zeroize::Zeroizing;

/// What the store holds for an issuer when it is opened.
#[derive(Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing, and it never did: a key may be made.
    Nothing,
    /// The last state that was stored.
    State(Zeroizing<Vec<u8>>),
    /// Counter and tombstones are gone.
    Lost {
        /// Since when, by the wall clock.
        since: Timestamp,
        /// The newest grant that was kept beside the store.
        grant: Option<Vec<u8>>,
    },
}

/// Something that happened to the store and that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Whose state it is about; none for all.
    pub issuer: Option<IssuerId>,
    /// `store_damaged`, `store_healed`, `store_unwritable`, `copy_renewed` or `store_lost`.
    pub code: &'static str,
    /// What it is and what to do.
    pub message: String,
}

/// The store of all issuers.
#[derive(Debug)]
pub struct Store<M: Medium = FileMedium> {
    pub(super) medium: M,
    /// None after trouble; opened again with the next write.
    pub(super) database: Option<Database>,
    pub(super) slots: Vec<OfIssuer>,
    pub(super) incidents: Vec<Incident>,
    pub(super) _lock: Lock,
}

#[derive(Debug)]
pub(super) struct OfIssuer {
    pub issuer: IssuerId,
    pub copies: Copies,
    /// Of the newest state that a caller may have been told of; zero before the first.
    pub generation: u64,
    /// The number of the newest line of history.
    pub line: u64,
    pub lost: bool,
    /// A refusal is noted that something newer makes meaningless.
    pub refused: bool,
    /// The newest state lies in the prepared copy, which could not take its place yet.
    pub promotion_due: bool,
    pub loaded: Option<Zeroizing<Vec<u8>>>,
}

impl<M: Medium> Store<M> {
    /// What was held for an issuer. The state is given away: the machine keeps it from here on.
    pub fn take(&mut self, issuer: IssuerId, now: Timestamp) -> Held {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.issuer == issuer) else {
            return Held::Nothing;
        };
        if slot.lost {
            return Held::Lost { since: slot.copies.lost_since(now), grant: slot.copies.grant() };
        }
        slot.loaded.take().map_or(Held::Nothing, Held::State)
    }

    /// What happened since the last call.
    pub fn incidents(&mut self) -> Vec<Incident> {
        std::mem::take(&mut self.incidents)
    }

    /// The view of one issuer that the machine commits to.
    pub fn of(&mut self, issuer: IssuerId) -> IssuerStore<'_, M> {
        IssuerStore { store: self, issuer, failure: None }
    }

    /// Makes a record durable, or leaves the one before in place.
    pub fn write(&mut self, issuer: IssuerId, record: &Record) -> Result<(), StoreError> {
        let at = self.position(issuer)?;
        if self.slots[at].lost {
            return Err(StoreError::Lost);
        }
        self.ensure_open()?;
        faultpoint::pass(Boundary::PersistBefore);
        let next = self.slots[at].next(record.state.clone(), record.history.len());
        let written = self.replace(at, &next, &record.history);
        if written.is_err() {
            // What was refused may have reached the database all the same: better undone now than found later.
            let _ = self.ensure_open();
        }
        written?;
        faultpoint::pass(Boundary::PersistAfter);
        Ok(())
    }

    /// Appends a line that no event of the machine gave.
    pub fn note(&mut self, issuer: IssuerId, entry: HistoryEntry) -> Result<(), StoreError> {
        self.ensure_open()?;
        let at = self.position(issuer)?;
        let Some(database) = &self.database else { return Ok(()) };
        let line = self.slots[at].line;
        database::commit(database, issuer, None, line, &[entry])
            .map_err(database::failed(self.medium.path(), "append to the history"))
            .inspect_err(|_| self.database = None)?;
        self.slots[at].line = line + 1;
        Ok(())
    }

    /// The newest `limit` lines of an issuer's history since `since`, oldest first.
    pub fn history(
        &mut self,
        issuer: IssuerId,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        self.ensure_open()?;
        let Some(database) = &self.database else { return Ok(Vec::new()) };
        database::history(database, issuer, since, limit)
            .map_err(database::failed(self.medium.path(), "read the history"))
    }

    /// The grant that is kept beside the store.
    #[must_use]
    pub fn grant(&self, issuer: IssuerId) -> Option<Vec<u8>> {
        self.slots.iter().find(|slot| slot.issuer == issuer)?.copies.grant()
    }

    /// Keeps a copy of the newest grant beside the store. It informs, so its failure harms nothing that is stored.
    pub fn keep_grant(&self, issuer: IssuerId, frame: &[u8]) -> Result<(), StoreError> {
        let at = self.position(issuer)?;
        self.slots[at].copies.keep_grant(frame)
    }

    fn position(&self, issuer: IssuerId) -> Result<usize, StoreError> {
        self.slots.iter().position(|slot| slot.issuer == issuer).ok_or(StoreError::Lost)
    }

    pub(super) fn incident(&mut self, issuer: Option<IssuerId>, code: &'static str, message: String) {
        self.incidents.push(Incident { issuer, code, message });
    }

    /// Copy beside the old one, transaction, copy in its place. On failure the state before is in force.
    fn replace(&mut self, at: usize, next: &Image, history: &[HistoryEntry]) -> Result<(), StoreError> {
        let slot = &mut self.slots[at];
        let Some(database) = &self.database else { return Err(StoreError::Lost) };
        if slot.promotion_due {
            slot.copies.promote()?;
            slot.promotion_due = false;
        }
        let first = slot.generation == 0 && !slot.copies.held()?;
        let sealed = next.seal(slot.issuer);
        let copied = slot.copies.prepare(&sealed).and_then(|()| {
            faultpoint::pass(Boundary::PersistCopied);
            if first { slot.copies.mark_held() } else { Ok(()) }
        });
        if let Err(error) = copied {
            // In this order: the marker alone would say that something was lost.
            if first {
                let _ = slot.copies.unmark();
            }
            let _ = slot.copies.discard();
            return Err(error);
        }
        let after = next.line.saturating_sub(history.len() as u64);
        if let Err(error) = database::commit(database, slot.issuer, Some(&sealed), after, history) {
            if first {
                let _ = slot.copies.unmark();
            }
            // Nobody can tell whether a transaction that failed reached the disk. The note outlives a crash.
            slot.refused = slot.copies.refuse().is_ok();
            self.database = None;
            return Err(database::failed(self.medium.path(), "store the change")(error));
        }
        faultpoint::pass(Boundary::PersistCommitted);
        slot.generation = next.generation;
        slot.line = next.line;
        slot.promotion_due = slot.copies.promote().is_err();
        if slot.refused {
            slot.refused = slot.copies.forget_refused().is_err();
        }
        Ok(())
    }

    fn ensure_open(&mut self) -> Result<(), StoreError> {
        if self.database.is_some() {
            return Ok(());
        }
        self.open_database(false)?;
        for at in 0..self.slots.len() {
            if let Err(error) = self.agree(at) {
                self.database = None;
                return Err(error);
            }
        }
        Ok(())
    }

    /// After trouble the database may lag behind what callers were told, or hold what they were told had failed.
    fn agree(&mut self, at: usize) -> Result<(), StoreError> {
        let Some(database) = &self.database else { return Ok(()) };
        let slot = &mut self.slots[at];
        let row = database::row(database, slot.issuer)
            .map_err(database::failed(self.medium.path(), "read the state"))?;
        let found = row.generation();
        if slot.lost || found.unwrap_or(0) == slot.generation && row != Slot::Damaged {
            return Ok(());
        }
        let told =
            [slot.copies.prepared()?, slot.copies.current()?].into_iter().find_map(|copy| match copy {
                Slot::Intact(image) if image.generation == slot.generation => Some(image),
                _ => None,
            });
        let newest = found.unwrap_or(0).max(slot.generation);
        match told {
            Some(image) => self.replace(at, &Image { generation: newest + 1, ..image }, &[]),
            None => {
                slot.generation = newest;
                Ok(())
            }
        }
    }
}

impl OfIssuer {
    pub fn new(issuer: IssuerId, copies: Copies, refused: bool) -> Self {
        Self {
            issuer,
            copies,
            generation: 0,
            line: 0,
            lost: false,
            refused,
            promotion_due: false,
            loaded: None,
        }
    }

    pub fn adopt(&mut self, image: Image) {
        self.generation = image.generation;
        self.line = image.line;
        self.loaded = Some(image.state);
    }

    fn next(&self, state: Vec<u8>, lines: usize) -> Image {
        Image {
            generation: self.generation + 1,
            line: self.line + lines as u64,
            state: Zeroizing::new(state),
        }
    }
}

/// The part of the store that one machine commits to.
#[derive(Debug)]
pub struct IssuerStore<'a, M: Medium = FileMedium> {
    store: &'a mut Store<M>,
    issuer: IssuerId,
    /// Set when the last write failed.
    pub failure: Option<String>,
}

impl<M: Medium> step::Store for IssuerStore<'_, M> {
    type Error = StoreError;

    fn write(&mut self, record: &Record) -> Result<(), StoreError> {
        let written = self.store.write(self.issuer, record);
        self.failure = written.as_ref().err().map(ToString::to_string);
        written
    }
}
