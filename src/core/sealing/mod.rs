//! Secrets sealed to a machine: they open while enough of it is there.
//!
//! A random key encrypts the secret. The key is split into one share per point of weight that the machine enrolled,
//! and each group of evidence opens as many of its shares as the binding would count for it, by keys that are derived
//! from the values themselves. `docs/adr/0017-threshold-sealing.md` has the reasons; `docs/threat-model.md` says what
//! this stops, and what it does not.
//!
//! Nothing here reads, stores, or draws randomness. Enrolling and opening take tens of milliseconds per value of the
//! hardware and [`Stretch::memory_kib`] of memory for that time; [`Key::seal`] costs next to nothing.

mod enrol;
mod error;
mod field;
mod keys;
mod lock;
mod open;
mod rungs;
mod shamir;
mod source;
mod stretch;
mod threshold;

pub use enrol::{Key, Terms, enrol, seal};
pub use error::{CannotSeal, GroupOpening, GroupReport, Opening, SealError};
pub use lock::{MAX_BOX, MAX_SECRET, SealedBox};
pub use open::{Opened, Secret, examine, open};
pub use source::Shown;
pub use stretch::{Stretch, StretchError};
