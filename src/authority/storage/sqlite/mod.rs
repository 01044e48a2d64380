//! SQLite: one writer that lets exchanges share a commit, and connections of their own for commands.

mod batch;
mod facts;
mod forks;
mod ledger;
mod reads;
pub mod report;
mod rows;
mod save;
mod trouble;
mod writer;

pub use ledger::SqliteLedger;
pub use writer::Load;

use crate::signer::Signer;
use crate::storage::exchange::Incoming;
use crate::storage::{ExchangeError, Storage, StorageError};
use landfast_protocol::Timestamp;
use rows::failed;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use writer::Writer;

/// How long one process waits for another to finish its transaction.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// Makes a database that only its owner can read: it shows activation ids to support.
pub async fn create(path: &Path) -> Result<(), StorageError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let opened = |source| StorageError::Open { path: path.to_owned(), source: Arc::new(source) };
    made.map_err(|error| opened(sqlx::Error::Io(error)))?;
    close(connect(path).await?).await
}

/// Opens a database that exists and brings its tables up to date.
pub async fn connect(path: &Path) -> Result<SqliteConnection, StorageError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // Every commit is on the disk before anyone hears of it.
        .synchronous(SqliteSynchronous::Full)
        // What a savepoint may have to take back is kept in memory: a file for it would be made in each commit.
        .pragma("temp_store", "memory")
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let path = || path.to_owned();
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(|source| StorageError::Open { path: path(), source: Arc::new(source) })?;
    migrations()
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|source| StorageError::Migrate { path: path(), source: Arc::new(source) })?;
    Ok(connection)
}

/// Closes a connection; the last one puts the write-ahead log back into the database.
pub async fn close(connection: SqliteConnection) -> Result<(), StorageError> {
    connection.close().await.map_err(failed("be closed"))
}

fn migrations() -> Migrator {
    let scripts = [
        ("start", include_str!("migrations/0001_start.sql")),
        ("planned change", include_str!("migrations/0002_planned_change.sql")),
        ("passing", include_str!("migrations/0003_passing.sql")),
    ];
    let migration = |(number, (name, script)): (i64, (&'static str, &'static str))| {
        Migration::new(number, name.into(), MigrationType::Simple, script.into_sql_str(), false)
    };
    Migrator::with_migrations((1..).zip(scripts).map(migration).collect())
}

/// Runs `work` as one serializable transaction and commits it if it succeeds.
pub async fn transaction<T, E: From<StorageError>>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteLedger<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin"))?;
    let done = work(&mut SqliteLedger::new(&mut transaction)).await?;
    transaction.commit().await.map_err(failed("commit"))?;
    Ok(done)
}

/// The store that serves devices.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    signer: Arc<Signer>,
    writer: Writer,
    reader: Mutex<SqliteConnection>,
}

impl Sqlite {
    /// Opens the database and starts its writer. Call it inside a tokio runtime.
    pub async fn open(path: &Path, signer: Signer, load: Load) -> Result<Self, StorageError> {
        let signer = Arc::new(signer);
        let writer = Writer::start(path.to_owned(), Arc::clone(&signer), load).await?;
        Ok(Self { path: path.to_owned(), signer, writer, reader: Mutex::new(connect(path).await?) })
    }

    /// Commits so far. Exchanges that waited together share one.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// Exchanges that wait for the writer now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    /// Answers what is queued, commits, and closes the database.
    pub async fn close(self) -> Result<(), StorageError> {
        self.writer.close().await?;
        close(self.reader.into_inner()).await
    }
}

impl Storage for Sqlite {
    async fn exchange(
        &self,
        request: Vec<u8>,
        now: Timestamp,
        fresh: [u8; 8],
    ) -> Result<Vec<u8>, ExchangeError> {
        let incoming = Incoming::open(request, self.signer.issuer())?;
        self.writer.exchange(incoming, now, fresh).await
    }

    async fn health(&self) -> Result<(), StorageError> {
        self.writer.is_running()?;
        let mut reader = self.reader.lock().await;
        sqlx::query("SELECT value FROM setting WHERE name = 'epoch'")
            .fetch_one(&mut *reader)
            .await
            .map_err(failed("be read"))?;
        self.writer.trouble().is_over(&self.path).await
    }

    fn signer(&self) -> &Signer {
        &self.signer
    }
}
