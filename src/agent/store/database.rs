//! What the database holds, and how it is read and written.

use super::copy::Slot;
use super::error::StoreError;
use super::image::Image;
use landfast_core::step::HistoryEntry;
use landfast_protocol::{IssuerId, Timestamp};
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, StorageBackend, StorageError, TableDefinition,
    TableError,
};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The newest state of each issuer's device, sealed.
const STATES: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("states.1");
/// Lines of history by issuer and number, as JSON.
const HISTORY: TableDefinition<(&[u8; 16], u64), &[u8]> = TableDefinition::new("history.1");
/// So many lines are kept per issuer; the oldest go first.
pub(super) const HISTORY_LINES: u64 = 10_000;
/// A state is read at start, and history when somebody asks for it: there is nothing to gain from a larger cache.
const CACHE_BYTES: usize = 64 * 1024;

/// How every database is opened: each page is checked once, so that damage is found before it is believed.
pub(super) fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// Why a database was not opened.
#[derive(Debug)]
pub(super) enum OpenFailure {
    /// It is there and is not what was written.
    Damaged(String),
    /// The medium fails.
    Medium(io::Error),
    /// Another process has it open.
    Busy,
    /// A release with another format wrote it.
    OtherRelease(String),
}

/// Opens a database, or makes one on an empty medium.
pub(super) fn open(backend: impl StorageBackend) -> Result<Database, OpenFailure> {
    // Damage may trip an assertion of the library; it is damage all the same.
    let opened = catch_unwind(AssertUnwindSafe(|| builder().create_with_backend(backend)));
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => {
            Err(OpenFailure::Busy)
        }
        Ok(Err(DatabaseError::UpgradeRequired(format))) => {
            Err(OpenFailure::OtherRelease(format!("database format {format}")))
        }
        Ok(Err(DatabaseError::Storage(StorageError::Io(error)))) if !is_content(&error) => {
            Err(OpenFailure::Medium(error))
        }
        Ok(Err(error)) => Err(OpenFailure::Damaged(error.to_string())),
        Err(_) => Err(OpenFailure::Damaged("its pages contradict each other".to_owned())),
    }
}

/// Trouble with what was read, not with reading it.
fn is_content(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// Trouble of the medium as a whole, which says nothing about what lies on it.
pub(super) fn is_unwritable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::PermissionDenied
    )
}

/// What the database holds for an issuer.
pub(super) fn row(database: &Database, issuer: IssuerId) -> Result<Slot, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(STATES) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Slot::Absent),
        table => table?,
    };
    let Some(row) = table.get(&issuer.0)? else { return Ok(Slot::Absent) };
    Ok(Image::open(issuer, row.value()).map_or(Slot::Damaged, Slot::Intact))
}

/// The number of an issuer's newest line; zero without any.
pub(super) fn newest_line(database: &Database, issuer: IssuerId) -> Result<u64, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(HISTORY) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(0),
        table => table?,
    };
    let newest = table.range((&issuer.0, 0)..=(&issuer.0, u64::MAX))?.next_back().transpose()?;
    Ok(newest.map_or(0, |(key, _)| key.value().1))
}

/// Replaces a state and puts lines after line number `after`, in one transaction that is durable when this returns.
pub(super) fn commit(
    database: &Database,
    issuer: IssuerId,
    sealed: Option<&[u8]>,
    after: u64,
    history: &[HistoryEntry],
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    if let Some(sealed) = sealed {
        transaction.open_table(STATES)?.insert(&issuer.0, sealed)?;
    }
    append(&mut transaction.open_table(HISTORY)?, issuer, after, history)?;
    transaction.commit()?;
    Ok(())
}

fn append(
    table: &mut redb::Table<'_, (&'static [u8; 16], u64), &'static [u8]>,
    issuer: IssuerId,
    after: u64,
    history: &[HistoryEntry],
) -> Result<(), redb::Error> {
    // Lines of what was undone.
    table.retain_in((&issuer.0, after + 1)..=(&issuer.0, u64::MAX), |_, _| false)?;
    let mut number = after;
    for entry in history {
        number += 1;
        let line = serde_json::to_vec(entry).map_err(|error| io::Error::other(error.to_string()))?;
        table.insert((&issuer.0, number), line.as_slice())?;
    }
    let too_old = number.saturating_sub(HISTORY_LINES);
    if too_old > 0 {
        table.retain_in((&issuer.0, 0)..=(&issuer.0, too_old), |_, _| false)?;
    }
    Ok(())
}

/// The newest `limit` lines since `since`, oldest first.
pub(super) fn history(
    database: &Database,
    issuer: IssuerId,
    since: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<HistoryEntry>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(HISTORY) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let mut lines = Vec::new();
    for row in table.range((&issuer.0, 0)..=(&issuer.0, u64::MAX))?.rev() {
        if lines.len() >= limit {
            break;
        }
        // A line that a newer release wrote in another form is left out, not held against the rest.
        let Ok(entry) = serde_json::from_slice::<HistoryEntry>(row?.1.value()) else { continue };
        if since.is_none_or(|since| entry.at >= since) {
            lines.push(entry);
        }
    }
    lines.reverse();
    Ok(lines)
}

/// In our words.
pub(super) fn failed(path: &Path, operation: &'static str) -> impl FnOnce(redb::Error) -> StoreError {
    move |error| {
        let path = path.to_owned();
        match error {
            redb::Error::Corrupted(reason) => StoreError::Damaged { path, reason },
            redb::Error::Io(source) => StoreError::File { path, operation, source },
            other => StoreError::Database { path, operation, reason: other.to_string() },
        }
    }
}
