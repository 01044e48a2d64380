//! Where the authority's state lives, and the transactions on it.
//!
//! [`Ledger`] is what one transaction can read, and the one write that ends it. [`exchange`] and [`admin`] are
//! written once over it, so that the memory store of simulations and the SQLite store run the same code.

pub mod admin;
mod error;
pub mod exchange;
mod ledger;
pub mod memory;
pub mod sqlite;

pub use error::{ExchangeError, StorageError};
pub use ledger::{Archived, Case, Changes, Ledger, PASSING, Passing, Reads};
use ledger::{named, operations};

use crate::signer::Signer;
use landfast_protocol::Timestamp;
use std::future::Future;

/// A store that answers requests, each in one serializable transaction.
pub trait Storage: Send + Sync + 'static {
    /// Answers a request frame. The same bytes get the same answer, for ever; those of a
    /// [stranger](crate::domain::stranger) may be issued anew. `fresh` are random bytes for the number of a case.
    /// Nothing is answered before it is durable.
    fn exchange(
        &self,
        request: Vec<u8>,
        now: Timestamp,
        fresh: [u8; 8],
    ) -> impl Future<Output = Result<Vec<u8>, ExchangeError>> + Send;

    /// Whether the store can be read and, if that failed lately, written now.
    fn health(&self) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// For whom it answers.
    fn signer(&self) -> &Signer;
}
