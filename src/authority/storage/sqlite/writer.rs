//! The writer: exchanges that wait together share one commit, and none is answered before it.

use crate::signer::Signer;
use crate::storage::exchange::{Incoming, exchange};
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::failed;
use crate::storage::{ExchangeError, StorageError};
use landfast_protocol::Timestamp;
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Exchanges that may wait; more are told to come back.
const QUEUE: usize = 1024;
/// Exchanges that share a commit at most, so that the first of them does not wait long.
const GROUP: usize = 64;

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
    task: JoinHandle<Result<(), sqlx::Error>>,
}

impl Writer {
    pub fn start(connection: SqliteConnection, signer: Arc<Signer>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        Self { queue, task: tokio::spawn(work(connection, signer, jobs)) }
    }

    pub async fn exchange(&self, incoming: Incoming, now: Timestamp, fresh: [u8; 8]) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { incoming, now, fresh, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ExchangeError::Busy,
            mpsc::error::TrySendError::Closed(_) => StorageError::Closed.into(),
        })?;
        answered.await.map_err(|_| StorageError::Closed)?
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

async fn work(
    mut connection: SqliteConnection,
    signer: Arc<Signer>,
    mut jobs: mpsc::Receiver<Job>,
) -> Result<(), sqlx::Error> {
    let mut group = Vec::new();
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let (waiting, work): (Vec<_>, Vec<_>) =
            group.drain(..).map(|job| (job.answer, (job.incoming, job.now, job.fresh))).unzip();
        let answers = commit(&mut connection, &signer, work).await;
        for (answer, waiting) in answers.into_iter().zip(waiting) {
            // Who went away asks again, and gets the same answer.
            let _ = waiting.send(answer);
        }
    }
    connection.close().await
}

/// Answers a group in one transaction, each exchange in a savepoint of its own.
async fn commit(
    connection: &mut SqliteConnection,
    signer: &Signer,
    group: Vec<(Incoming, Timestamp, [u8; 8])>,
) -> Vec<Answer> {
    let size = group.len();
    match try_commit(connection, signer, group).await {
        Ok(answers) => answers,
        Err(error) => {
            tracing::error!(%error, exchanges = size, "nothing was committed");
            (0..size).map(|_| Err(error.clone().into())).collect()
        }
    }
}

async fn try_commit(
    connection: &mut SqliteConnection,
    signer: &Signer,
    group: Vec<(Incoming, Timestamp, [u8; 8])>,
) -> Result<Vec<Answer>, StorageError> {
    let mut answers = Vec::with_capacity(group.len());
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin"))?;
    for (incoming, now, fresh) in group {
        let mut own = transaction.begin().await.map_err(failed("begin"))?;
        let answer = exchange(&mut SqliteLedger::new(&mut own), signer, incoming, now, fresh).await;
        match &answer {
            Ok(_) => own.commit().await.map_err(failed("commit"))?,
            Err(error) => {
                tracing::warn!(%error, code = error.code(), "an exchange was not answered");
                own.rollback().await.map_err(failed("roll back"))?;
            }
        }
        answers.push(answer);
    }
    transaction.commit().await.map_err(failed("commit"))?;
    Ok(answers)
}
