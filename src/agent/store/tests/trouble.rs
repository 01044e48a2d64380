//! Disks that are full, read-only, or lie.

use super::disk::Disk;
use super::*;
use std::io::ErrorKind;

fn open(directory: &Path, disk: &Disk) -> Store<Disk> {
    Store::open_with(directory, disk.clone(), &[ISSUER]).unwrap()
}

fn reopened(directory: &Path, disk: &Disk) -> Held {
    open(directory, disk).take(ISSUER, NOW)
}

#[test]
fn p8_a_full_disk_refuses_the_change_and_loses_nothing() {
    for after in 0..12 {
        let directory = directory();
        let disk = Disk::default();
        let mut store = open(directory.path(), &disk);
        store.write(ISSUER, &record(1)).unwrap();
        disk.fail(Some(ErrorKind::StorageFull), after);
        let Err(refused) = store.write(ISSUER, &record(2)) else {
            assert!(after > 1, "the disk never filled up");
            continue;
        };
        let message = refused.to_string();
        assert!(message.contains("free space"), "{message}");
        assert!(store.write(ISSUER, &record(2)).is_err(), "still full");
        disk.fail(None, 0);
        store.write(ISSUER, &record(3)).unwrap();
        assert_eq!(lines(&mut store), [1, 3], "after {after}");
        drop(store);
        assert_eq!(reopened(directory.path(), &disk), state(3));
    }
}

#[test]
fn p8_a_full_disk_and_a_restart_leave_the_state_before() {
    for after in 0..8 {
        let directory = directory();
        let disk = Disk::default();
        let mut store = open(directory.path(), &disk);
        store.write(ISSUER, &record(1)).unwrap();
        disk.fail(Some(ErrorKind::StorageFull), after);
        let written = store.write(ISSUER, &record(2)).is_ok();
        drop(store);
        disk.fail(None, 0);
        assert_eq!(reopened(directory.path(), &disk), state(if written { 2 } else { 1 }), "after {after}");
    }
}

#[test]
fn the_very_first_change_on_a_full_disk_leaves_no_trace() {
    let directory = directory();
    let disk = Disk::default();
    let mut store = open(directory.path(), &disk);
    disk.fail(Some(ErrorKind::StorageFull), 0);
    store.write(ISSUER, &record(1)).unwrap_err();
    drop(store);
    disk.fail(None, 0);
    assert_eq!(reopened(directory.path(), &disk), Held::Nothing, "nothing was lost, for nothing was held");
}

#[test]
fn p12_a_full_disk_at_start_answers_from_the_copy_and_recovers_by_itself() {
    for kind in [ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem] {
        let directory = directory();
        let disk = Disk::default();
        open(directory.path(), &disk).write(ISSUER, &record(1)).unwrap();
        disk.fail(Some(kind), 0);
        let mut store = open(directory.path(), &disk);
        assert_eq!(store.take(ISSUER, NOW), state(1));
        assert_eq!(codes(&mut store), ["store_unwritable"]);
        store.write(ISSUER, &record(2)).unwrap_err();
        disk.fail(None, 0);
        store.write(ISSUER, &record(3)).unwrap();
        drop(store);
        assert_eq!(reopened(directory.path(), &disk), state(3));
    }
}

#[test]
fn a_copy_that_cannot_be_written_refuses_the_change() {
    let directory = directory();
    let disk = Disk::default();
    let mut store = open(directory.path(), &disk);
    store.write(ISSUER, &record(1)).unwrap();
    // A directory in place of the file stands for any trouble that opening it may give.
    let blocked = directory.path().join(format!("issuers/{ISSUER}/state.new"));
    std::fs::create_dir(&blocked).unwrap();
    let message = store.write(ISSUER, &record(2)).unwrap_err().to_string();
    assert!(message.contains("state.new"), "{message}");
    std::fs::remove_dir(&blocked).unwrap();
    store.write(ISSUER, &record(3)).unwrap();
    assert_eq!(lines(&mut store), [1, 3]);
}

#[test]
fn i4_what_was_refused_did_not_happen_even_if_it_reached_the_disk() {
    let directory = directory();
    let disk = Disk::default();
    let mut store = open(directory.path(), &disk);
    store.write(ISSUER, &record(1)).unwrap();
    disk.lie(true);
    store.write(ISSUER, &record(2)).unwrap_err();
    disk.lie(false);
    store.write(ISSUER, &record(3)).unwrap();
    drop(store);
    assert_eq!(reopened(directory.path(), &disk), state(3));
}

#[test]
fn i4_what_was_refused_is_undone_by_the_next_start_at_the_latest() {
    for asked_before in [false, true] {
        let directory = directory();
        let disk = Disk::default();
        let mut store = open(directory.path(), &disk);
        store.write(ISSUER, &record(1)).unwrap();
        disk.lie(true);
        store.write(ISSUER, &record(2)).unwrap_err();
        disk.lie(false);
        if asked_before {
            assert_eq!(lines(&mut store), [1], "whoever needs the database next sets it right");
        }
        drop(store);
        let mut store = open(directory.path(), &disk);
        assert_eq!(store.take(ISSUER, NOW), state(1));
        assert_eq!(lines(&mut store), [1]);
        store.write(ISSUER, &record(3)).unwrap();
        drop(store);
        assert_eq!(reopened(directory.path(), &disk), state(3));
    }
}
