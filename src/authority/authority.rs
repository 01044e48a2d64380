//! The authority as one value: a store, a clock and a source of randomness.

use crate::adapters::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::home::{Home, HomeError};
use crate::storage::sqlite::{Load, Sqlite};
use crate::storage::{ExchangeError, Storage, StorageError};
use landfast_protocol::armor;
use std::path::Path;

/// Answers requests in this process. [`crate::api::serve`] puts it on a socket.
pub struct Authority<S> {
    storage: S,
    clock: Box<dyn Clock>,
    entropy: Box<dyn Entropy>,
}

impl Authority<Sqlite> {
    /// Opens the authority whose files `init` made in `directory`.
    pub async fn open(directory: &Path) -> Result<Self, HomeError> {
        let home = Home::open(directory)?;
        let storage = Sqlite::open(&home.database(), home.signer()?, Load::default()).await?;
        Ok(Self::new(storage, Box::new(SystemClock), Box::new(SystemEntropy)))
    }

    /// Answers what is queued, commits, and closes the database.
    pub async fn close(self) -> Result<(), StorageError> {
        self.storage.close().await
    }
}

impl<S: Storage> Authority<S> {
    /// Puts the parts together.
    pub fn new(storage: S, clock: Box<dyn Clock>, entropy: Box<dyn Entropy>) -> Self {
        Self { storage, clock, entropy }
    }

    /// Answers a request, given as a frame or in armor, with a response frame.
    pub async fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        let request = armor::decode(request)?;
        let mut fresh = [0; 8];
        self.entropy.fill(&mut fresh)?;
        self.storage.exchange(request, self.clock.now(), fresh).await
    }

    /// Whether exchanges can be answered now: the store works, and the signing key may sign.
    pub async fn health(&self) -> Result<(), ExchangeError> {
        self.storage.health().await?;
        Ok(self.storage.signer().ready(self.clock.now())?)
    }

    /// The store.
    pub fn storage(&self) -> &S {
        &self.storage
    }
}

impl<S> std::fmt::Debug for Authority<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}
