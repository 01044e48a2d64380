//! Whether the database takes writes: what the writer met, until a probe proves that it is over.

use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::{close, connect};
use crate::storage::{ExchangeError, StorageError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More than the exchanges that usually share a commit write: what fits now, fits when devices ask.
const PROBE_BYTES: i64 = 256 * 1024;

/// The last failure to write, while nothing speaks against it.
#[derive(Debug, Default)]
pub struct Trouble {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// Failures so far, so that a probe does not clear one that it did not see.
    count: u64,
    error: Option<StorageError>,
}

impl Trouble {
    /// A transaction failed.
    pub fn note(&self, error: &StorageError) {
        let mut last = self.last();
        last.count += 1;
        last.error = Some(error.clone());
    }

    /// An exchange of a transaction that did commit may still have failed for want of space.
    pub fn judge(&self, answer: &Result<Vec<u8>, ExchangeError>) {
        if let Err(ExchangeError::Storage(error @ StorageError::Database { .. })) = answer {
            self.note(error);
        }
    }

    /// Whether exchanges can be written now. After a failure this writes, which costs a commit, to find out.
    pub async fn is_over(&self, path: &Path) -> Result<(), StorageError> {
        let seen = {
            let last = self.last();
            if last.error.is_none() {
                return Ok(());
            }
            last.count
        };
        probe(path).await?;
        let mut last = self.last();
        if last.count == seen {
            last.error = None;
        }
        last.error.clone().map_or(Ok(()), Err)
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits some bytes and takes them away again, on a connection of its own.
async fn probe(path: &Path) -> Result<(), StorageError> {
    let mut connection = connect(path).await?;
    let mut fill = Batch::default();
    fill.push(
        "INSERT INTO setting (name, value) VALUES ('probe', zeroblob($1)) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(PROBE_BYTES);
    fill.run(&mut connection).await?;
    let mut clear = Batch::default();
    clear.push("DELETE FROM setting WHERE name = 'probe'");
    clear.run(&mut connection).await?;
    close(connection).await
}
