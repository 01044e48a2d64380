//! SQL picks the same part of an archive as the rule that says what to pick.

use crate::support::*;
use landfast_authority::domain::device::DeviceRecord;
use landfast_authority::domain::fork::{KnownRequest, detect, pick};
use landfast_authority::storage::memory::{Tables, transact};
use landfast_authority::storage::sqlite::{self, transaction};
use landfast_authority::storage::{Archived, Changes, Ledger, StorageError};
use landfast_protocol::grant::{Position, RequestName};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::request::{MAX_LISTED, Opened, Previous, Request};
use landfast_protocol::{Digest, List};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Counter, branch, previous (epoch, sequence, executed), what is listed of each lower counter, executed and lost.
type Parts = (u64, u8, Option<(u32, u64, u64)>, Vec<u8>, bool, bool);

fn any_request() -> impl Strategy<Value = Parts> {
    let previous = proptest::option::of((0u32..2, 0u64..5, 0u64..25));
    (1u64..30, 0u8..2, previous, proptest::collection::vec(0u8..3, 30), any::<bool>(), any::<bool>())
}

fn name(owner: u8, counter: u64, branch: u8) -> RequestName {
    let mut digest = [owner; 32];
    digest[0] = branch;
    digest[1..9].copy_from_slice(&counter.to_le_bytes());
    RequestName { counter, digest: Digest(digest) }
}

fn build(owner: u8, key: &SecretKey, (counter, branch, previous, lists, ..): &Parts) -> Opened {
    let executed = previous.map_or(0, |previous| previous.2);
    let mut listed: Vec<_> = (1..*counter)
        .filter(|earlier| *earlier >= executed && lists[*earlier as usize] < 2)
        .map(|earlier| name(owner, earlier, lists[earlier as usize]))
        .collect();
    listed.drain(..listed.len().saturating_sub(MAX_LISTED));
    let mut device = Device { key: key.clone(), ..Device::new(0) };
    let opened = Request::open(&device.request()).unwrap();
    let previous = previous.map(|(epoch, sequence, executed)| Previous {
        position: Position { epoch, sequence },
        digest: Digest([0; 32]),
        executed,
    });
    let request =
        Request { counter: *counter, previous, listed: List::new(listed).unwrap(), ..opened.request };
    Opened { request, name: name(owner, *counter, *branch), key: opened.key }
}

#[tokio::test]
async fn sql_and_rule_judge_a_request_by_the_same_facts() {
    let mut runner = TestRunner::deterministic();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("authority.db");
    sqlite::create(&path).await.unwrap();
    let mut connection = sqlite::connect(&path).await.unwrap();
    let mut forks = 0;
    for owner in 0..60u8 {
        let key = SecretKey::from_seed(&[owner; 32]);
        let mut draw = |count: usize| {
            proptest::collection::vec(any_request(), 0..count).new_tree(&mut runner).unwrap().current()
        };
        let mut all: Vec<KnownRequest> = Vec::new();
        for parts in draw(25) {
            let known = KnownRequest::of(&build(owner, &key, &parts), parts.4, parts.5);
            if all.iter().all(|other| other.name != known.name) {
                all.push(known);
            }
        }
        let record = DeviceRecord {
            highest: all.iter().map(|known| known.name).max(),
            cut: Position { epoch: u32::from(owner % 3 == 0), sequence: u64::from(owner % 4) },
            ..DeviceRecord::new(key.public(), 0, NOW)
        };
        let asked: Vec<_> = draw(40).iter().map(|parts| build(owner, &key, parts)).collect();
        let archive = |known: &KnownRequest| Changes {
            device: Some(record.clone()),
            archived: Some(Archived {
                device: record.id(),
                known: known.clone(),
                request: Vec::new(),
                response: Vec::new(),
                at: NOW,
            }),
            ..Changes::default()
        };
        let mut tables = Tables::default();
        for known in &all {
            transact(tables.save(archive(known))).unwrap().unwrap();
        }
        let picked = transaction(&mut connection, async |ledger| {
            for known in &all {
                ledger.save(archive(known)).await?;
            }
            let mut picked = Vec::new();
            for opened in &asked {
                picked.push(ledger.known(&record, opened).await?);
            }
            Ok::<_, StorageError>(picked)
        })
        .await
        .unwrap();
        for (opened, by_sql) in asked.iter().zip(picked) {
            let by_rule = pick(all.iter(), opened, record.cut);
            assert_eq!(transact(tables.known(&record, opened)).unwrap().unwrap(), by_rule);
            for (seen, lost) in [(0, false), (15, false), (30, false), (30, true)] {
                let verdict = detect(&by_sql, opened, seen, lost);
                assert_eq!(verdict.is_some(), detect(&by_rule, opened, seen, lost).is_some(), "{opened:?}");
                forks += usize::from(verdict.is_some());
            }
            assert_eq!(by_sql.next_executed, by_rule.next_executed);
        }
    }
    assert!(forks > 100, "garbage is full of forks, {forks} were found");
}
