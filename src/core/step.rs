//! Persist before anything else: the only way from an event to its effects leads through the store.

use crate::clock::Moment;
use crate::effect::{Effect, Ticket};
use crate::machine::{Inner, Machine, Unstored};

/// What has to be durable before the effects of an event may happen. One record is one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The machine's whole state; it replaces the one before. Holds the device key: guard it.
    pub state: Vec<u8>,
    /// Lines to append to the device's history.
    pub history: Vec<HistoryEntry>,
}

/// One line of the device's history.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryEntry {
    /// When, in licensing time.
    pub at: landfast_protocol::Timestamp,
    /// A stable code such as `license_activated`.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Makes records durable.
pub trait Store {
    /// Why a record could not be stored.
    type Error: std::fmt::Display;
    /// Returns only when the record survives a power cut, and leaves the record before in place otherwise.
    fn write(&mut self, record: &Record) -> Result<(), Self::Error>;
}

/// An event that was thought through and has not happened yet.
#[must_use = "an event happens only when its step is committed"]
#[derive(Debug)]
pub struct Step<'a> {
    pub(crate) machine: &'a mut Machine,
    pub(crate) next: Box<Inner>,
    pub(crate) record: Result<Option<Record>, String>,
    pub(crate) now: Moment,
    pub(crate) effects: Vec<Effect>,
    pub(crate) caller: Option<Ticket>,
}

impl Step<'_> {
    /// What would be stored; none when the event changes nothing durable.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref().ok().and_then(Option::as_ref)
    }

    /// Stores the record, then lets the event happen and gives the effects to carry out, in order. When the store
    /// fails, nothing that the event decided happened: the caller is refused, and what waits is tried later. What was
    /// seen of the hardware and the time counts all the same where it restricts, and is stored with the next event.
    pub fn commit<S: Store>(self, store: &mut S) -> Vec<Effect> {
        let stored = match &self.record {
            Ok(Some(record)) => store.write(record).map_err(|error| error.to_string()),
            Ok(None) => Ok(()),
            Err(reason) => Err(reason.clone()),
        };
        match stored {
            Ok(()) => {
                self.machine.inner = self.next;
                self.effects
            }
            Err(reason) => {
                let Self { next, caller, now, .. } = self;
                self.machine.store_failed(Unstored { next: &next, caller, reason, now: &now })
            }
        }
    }
}
