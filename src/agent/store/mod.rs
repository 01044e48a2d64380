//! Everything that must survive: one redb transaction per record, and a second, synced copy of each device's state.
//!
//! ```text
//! STATE/lock              held by the running agent
//! STATE/store.redb        states by issuer, and their history
//! STATE/issuers/ID/state  the copy of one state; `state.new` while it is being replaced
//! STATE/issuers/ID/held   a key was made here: never silently make another
//! STATE/issuers/ID/grant  the newest grant, which speaks for itself
//! STATE/issuers/ID/lost   since when counter and tombstones are gone
//! STATE/quarantine/       damaged files, kept for the vendor's support
//! ```
//! A write goes: copy beside the old one (synced), transaction (synced), copy in its place (synced). So the copy is
//! at any time as new as anything that a caller was told of, and a crash anywhere leaves the state before or after.

mod copy;
mod database;
mod directory;
mod error;
mod image;
mod medium;
mod opening;
mod recovery;
mod state_store;

pub use error::StoreError;
pub use medium::{FileMedium, Medium};
pub use state_store::{Held, Incident, IssuerStore, Store};

#[cfg(test)]
mod tests;

/// Disks that fail as a test wants.
#[cfg(test)]
pub(crate) mod testing {
    pub(crate) use super::tests::disk::Disk;
}
