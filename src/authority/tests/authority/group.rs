//! Exchanges that share a commit: one that fails leaves nothing behind, and harms no other.

use crate::client::within;
use crate::support::*;
use landfast_authority::domain::history::Chain;
use landfast_authority::storage::Storage;
use landfast_authority::storage::sqlite::{self, Load, Sqlite, SqliteLedger, report, transaction};
use landfast_protocol::operation::Outcome;
use sqlx::{AssertSqlSafe, Executor, SqliteConnection};
use std::path::Path;
use std::sync::Arc;

/// A database with a license for each of four devices.
async fn stocked(path: &Path) -> (SqliteConnection, Arc<Sqlite>) {
    sqlite::create(path).await.unwrap();
    let mut connection = sqlite::connect(path).await.unwrap();
    let sold: Vec<_> = (1..=4).map(|number| license(number, "Historian", 1, 1)).collect();
    for step in 0..stock_steps(&sold) {
        let work = async |l: &mut SqliteLedger<'_>| stock_step(l, &sold, step).await;
        transaction(&mut connection, work).await.unwrap();
    }
    let store = Sqlite::open(path, signer(), Load::default()).await.unwrap();
    (connection, Arc::new(store))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_a_failing_exchange_of_a_group_leaves_nothing_and_harms_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (mut other, store) = stocked(&directory.path().join("authority.db")).await;
    let mut devices: Vec<_> = (1..=4).map(Device::new).collect();
    let takes: Vec<_> = devices
        .iter_mut()
        .zip(1..)
        .map(|(device, number)| device.activate(activation(number), None))
        .collect();
    let requests: Vec<_> = devices.iter_mut().map(Device::request).collect();
    // What the third device does fails at its end, when most of it is written.
    let third = hex(&devices[2].id().0);
    let trigger = format!(
        "CREATE TRIGGER stop BEFORE INSERT ON history WHEN instr(NEW.entry, '{third}') \
         BEGIN SELECT RAISE(ABORT, 'stopped by the test'); END"
    );
    other.execute(AssertSqlSafe(trigger)).await.unwrap();
    // While another process writes, the first waits for it, and the others for the first: they are one group.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let ask = |request: Vec<u8>| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.exchange(request, NOW, [0; 8]).await })
    };
    let before = store.commits();
    let mut asked = vec![ask(requests[0].clone())];
    within(async {
        while store.waiting() > 0 {
            tokio::task::yield_now().await;
        }
        asked.extend(requests[1..].iter().map(|request| ask(request.clone())));
        while store.waiting() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    other.execute("ROLLBACK").await.unwrap();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(within(answer).await.unwrap());
    }
    assert_eq!(store.commits() - before, 2, "the last three shared one");
    let refused = answers[2].as_ref().unwrap_err();
    assert!(refused.to_string().contains("written"), "{refused}");
    for number in [0, 1, 3] {
        let response = devices[number].import(answers[number].as_ref().unwrap());
        assert_eq!(outcome(&response, takes[number]), Outcome::Done);
    }
    let id = devices[2].id();
    let known = async |l: &mut SqliteLedger<'_>| landfast_authority::storage::Ledger::device(l, &id).await;
    assert!(transaction(&mut other, known).await.unwrap().is_none(), "nothing of it was kept");
    other.execute("DROP TRIGGER stop").await.unwrap();
    // Asked again it is done, and the history is one chain.
    let answer = store.exchange(requests[2].clone(), NOW, [0; 8]).await.unwrap();
    assert_eq!(outcome(&devices[2].import(&answer), takes[2]), Outcome::Done);
    let mut chain = Chain::default();
    for link in report::history(&mut other, 0, 1000).await.unwrap() {
        chain.follow(&link).unwrap();
    }
    assert!(chain.length > 12, "{chain:?}");
}
