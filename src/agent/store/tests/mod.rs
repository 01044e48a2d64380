mod crash;
mod damage;
pub mod disk;
mod trouble;

use super::{Held, Medium, Store};
use crate::store::StoreError;
use landfast_core::Record;
use landfast_core::step::HistoryEntry;
use landfast_protocol::{IssuerId, Timestamp};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub const ISSUER: IssuerId = IssuerId([0xa1; 16]);
pub const OTHER: IssuerId = IssuerId([0xb2; 16]);
pub const NOW: Timestamp = Timestamp(1_700_000_000);

/// The `number`-th record of a device: a state that nobody mistakes for another, and one line.
pub fn record(number: u64) -> Record {
    let state = format!("state {number} {}", "x".repeat(usize::try_from(number % 7).unwrap() * 700));
    Record { state: state.into_bytes(), history: vec![line(number)] }
}

pub fn line(number: u64) -> HistoryEntry {
    HistoryEntry { at: Timestamp(number), code: "tested".to_owned(), message: format!("line {number}") }
}

pub fn state(number: u64) -> Held {
    Held::State(Zeroizing::new(record(number).state))
}

pub fn lines<M: Medium>(store: &mut Store<M>) -> Vec<u64> {
    store.history(ISSUER, None, usize::MAX).unwrap().iter().map(|entry| entry.at.0).collect()
}

pub fn codes<M: Medium>(store: &mut Store<M>) -> Vec<&'static str> {
    store.incidents().iter().map(|incident| incident.code).collect()
}

pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(directory: &Path) -> Store {
    Store::open(directory, &[ISSUER, OTHER]).unwrap()
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let directory = directory();
    let mut store = open(directory.path());
    assert_eq!(store.take(ISSUER, NOW), Held::Nothing);
    for number in 1..=3 {
        store.write(ISSUER, &record(number)).unwrap();
    }
    store.write(OTHER, &record(9)).unwrap();
    drop(store);
    let mut store = open(directory.path());
    assert_eq!(codes(&mut store), Vec::<&str>::new());
    assert_eq!(store.take(ISSUER, NOW), state(3));
    assert_eq!(store.take(OTHER, NOW), state(9));
    assert_eq!(lines(&mut store), [1, 2, 3]);
}

#[test]
fn every_file_is_private() {
    use std::os::unix::fs::MetadataExt;
    fn walk(path: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            }
            found.push(path);
        }
    }
    let directory = directory();
    let state = directory.path().join("state");
    let mut store = open(&state);
    store.write(ISSUER, &record(1)).unwrap();
    store.keep_grant(ISSUER, b"grant").unwrap();
    let mut found = vec![state.clone()];
    walk(&state, &mut found);
    for name in ["lock", "store.redb", "held", "grant"] {
        assert!(found.iter().any(|path| path.ends_with(name)), "{name} is missing in {found:?}");
    }
    for path in found {
        let mode = path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_second_agent_is_refused_by_name() {
    let directory = directory();
    let first = open(directory.path());
    let message = Store::open(directory.path(), &[ISSUER]).unwrap_err().to_string();
    assert!(message.contains(&format!("(process {})", std::process::id())), "{message}");
    assert!(message.contains("stop it first"), "{message}");
    drop(first);
    open(directory.path());
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Store::open(directory.path(), &[ISSUER]).unwrap_err();
    assert!(matches!(refused, StoreError::Untrusted { .. }), "{refused}");
}

#[test]
fn history_is_bounded_and_read_by_time_and_number() {
    let directory = directory();
    let mut store = open(directory.path());
    let many = |from: u64, to: u64| Record { state: b"s".to_vec(), history: (from..to).map(line).collect() };
    store.write(ISSUER, &many(0, 6_000)).unwrap();
    store.write(OTHER, &many(0, 10)).unwrap();
    store.write(ISSUER, &many(6_000, 12_000)).unwrap();
    let all = lines(&mut store);
    assert_eq!((all.len(), all[0], all[9_999]), (10_000, 2_000, 11_999));
    store.write(ISSUER, &many(12_000, 12_001)).unwrap();
    let all = lines(&mut store);
    assert_eq!((all.len(), all[0]), (10_000, 2_001));
    let some = store.history(ISSUER, Some(Timestamp(11_000)), 3).unwrap();
    assert_eq!(some.iter().map(|entry| entry.at.0).collect::<Vec<_>>(), [11_998, 11_999, 12_000]);
    assert_eq!(store.history(ISSUER, Some(Timestamp(12_000)), 100).unwrap().len(), 1);
    assert_eq!(store.history(OTHER, None, 100).unwrap().len(), 10);
}

#[test]
fn a_grant_is_kept_beside_the_store() {
    let directory = directory();
    let mut store = open(directory.path());
    store.write(ISSUER, &record(1)).unwrap();
    for grant in [b"one".as_slice(), b"another"] {
        store.keep_grant(ISSUER, grant).unwrap();
        let kept = directory.path().join(format!("issuers/{ISSUER}/grant"));
        assert_eq!(std::fs::read(kept).unwrap(), grant);
    }
}
