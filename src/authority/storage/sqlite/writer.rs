//! The writer: exchanges that wait together share one commit, and none is answered before it.

use crate::signer::Signer;
use crate::storage::exchange::{Incoming, exchange};
use crate::storage::sqlite::connect;
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::failed;
use crate::storage::sqlite::trouble::Trouble;
use crate::storage::{ExchangeError, StorageError};
use landfast_protocol::Timestamp;
use sqlx::{Connection, SqliteConnection};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How much the writer takes on.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Exchanges that may wait; more are told to come back.
    pub queue: usize,
    /// Exchanges that share a commit at most, so that the first of them does not wait long.
    pub group: usize,
}

impl Default for Load {
    fn default() -> Self {
        Self { queue: 1024, group: 64 }
    }
}

type Answer = Result<Vec<u8>, ExchangeError>;

/// One exchange that waits for the writer.
#[derive(Debug)]
struct Job {
    incoming: Incoming,
    now: Timestamp,
    fresh: [u8; 8],
    answer: oneshot::Sender<Answer>,
}

/// The handle of the writer task.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    commits: Arc<AtomicU64>,
    trouble: Arc<Trouble>,
    task: JoinHandle<Result<(), sqlx::Error>>,
}

impl Writer {
    /// Opens the database in `path` and starts the task.
    pub async fn start(path: PathBuf, signer: Arc<Signer>, load: Load) -> Result<Self, StorageError> {
        let (queue, jobs) = mpsc::channel(load.queue.max(1));
        let (commits, trouble) = (Arc::new(AtomicU64::new(0)), Arc::new(Trouble::default()));
        let work = Work {
            connection: Some(connect(&path).await?),
            path,
            signer,
            commits: Arc::clone(&commits),
            trouble: Arc::clone(&trouble),
            group: load.group.max(1),
        };
        Ok(Self { queue, commits, trouble, task: tokio::spawn(work.run(jobs)) })
    }

    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub async fn exchange(&self, incoming: Incoming, now: Timestamp, fresh: [u8; 8]) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { incoming, now, fresh, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ExchangeError::Busy,
            mpsc::error::TrySendError::Closed(_) => StorageError::Closed.into(),
        })?;
        answered.await.map_err(|_| StorageError::Closed)?
    }

    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Why exchanges could not be written lately.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    pub fn is_running(&self) -> Result<(), StorageError> {
        if self.queue.is_closed() { Err(StorageError::Closed) } else { Ok(()) }
    }

    pub async fn close(self) -> Result<(), StorageError> {
        drop(self.queue);
        match self.task.await {
            Ok(closed) => closed.map_err(failed("close")),
            Err(_) => Err(StorageError::Closed),
        }
    }
}

type Group = Vec<(Incoming, Timestamp, [u8; 8])>;

/// The task behind the handle.
struct Work {
    /// None after an error: SQLite may have rolled back by itself, and then the connection's idea of the transaction
    /// that it is in is wrong for ever.
    connection: Option<SqliteConnection>,
    path: PathBuf,
    signer: Arc<Signer>,
    commits: Arc<AtomicU64>,
    trouble: Arc<Trouble>,
    group: usize,
}

impl Work {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) -> Result<(), sqlx::Error> {
        let mut group = Vec::new();
        while jobs.recv_many(&mut group, self.group).await > 0 {
            let (waiting, work): (Vec<_>, Group) =
                group.drain(..).map(|job| (job.answer, (job.incoming, job.now, job.fresh))).unzip();
            let answers = self.commit(work).await;
            for (answer, waiting) in answers.into_iter().zip(waiting) {
                // Who went away asks again, and gets the same answer.
                let _ = waiting.send(answer);
            }
        }
        match self.connection {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }

    /// Answers a group in one transaction. An exchange that fails leaves nothing in it.
    async fn commit(&mut self, group: Group) -> Vec<Answer> {
        let size = group.len();
        match self.try_commit(group).await {
            Ok(answers) => {
                answers.iter().for_each(|answer| self.trouble.judge(answer));
                answers
            }
            Err(error) => {
                tracing::error!(%error, exchanges = size, "nothing was committed");
                self.trouble.note(&error);
                (0..size).map(|_| Err(error.clone().into())).collect()
            }
        }
    }

    async fn try_commit(&mut self, group: Group) -> Result<Vec<Answer>, StorageError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path).await?,
        };
        let answers = answer(&mut connection, &self.signer, group).await?;
        self.connection = Some(connection);
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(answers)
    }
}

async fn answer(
    connection: &mut SqliteConnection,
    signer: &Signer,
    group: Group,
) -> Result<Vec<Answer>, StorageError> {
    let mut answers = Vec::with_capacity(group.len());
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin"))?;
    let mut ledger = SqliteLedger::new(&mut transaction);
    for (incoming, now, fresh) in group {
        let answer = exchange(&mut ledger, signer, incoming, now, fresh).await;
        if let Err(error) = &answer {
            tracing::warn!(%error, code = error.code(), "an exchange was not answered");
        }
        answers.push(match answer {
            Err(ExchangeError::Storage(error)) if ledger.is_over() => return Err(error),
            answer => answer,
        });
    }
    transaction.commit().await.map_err(failed("commit"))?;
    Ok(answers)
}
