//! Bits that flip, files that vanish, backups that are put back.

use super::*;

fn prepared(directory: &Path, records: u64) {
    let mut store = open(directory);
    for number in 1..=records {
        store.write(ISSUER, &record(number)).unwrap();
    }
    store.write(OTHER, &record(1)).unwrap();
    store.keep_grant(ISSUER, b"a grant").unwrap();
}

fn quarantined(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("quarantine")).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn file_of(directory: &Path, name: &str) -> PathBuf {
    directory.join("issuers").join(ISSUER.to_string()).join(name)
}

#[test]
fn p8_a_damaged_database_is_set_aside_and_healed_from_the_copy() {
    type Damage = fn(&mut Vec<u8>);
    let damages: &[(&str, Damage)] = &[
        ("empty", |bytes| bytes.clear()),
        ("cut", |bytes| bytes.truncate(bytes.len() / 3)),
        ("overwritten at its start", |bytes| bytes[..512].fill(0xff)),
        ("something else", |bytes| *bytes = b"#!/bin/sh\n".repeat(500)),
        ("zeros", |bytes| bytes.fill(0)),
    ];
    for (what, damage) in damages {
        let directory = directory();
        prepared(directory.path(), 5);
        let path = directory.path().join("store.redb");
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes);
        std::fs::write(&path, &bytes).unwrap();

        let mut store = open(directory.path());
        assert_eq!(store.take(ISSUER, NOW), state(5), "{what}");
        assert_eq!(store.take(OTHER, NOW), state(1), "{what}");
        let incidents = store.incidents();
        assert!(incidents.iter().any(|i| i.code == "store_healed" && i.issuer == Some(ISSUER)), "{what}");
        if !bytes.is_empty() {
            assert_eq!(incidents[0].code, "store_damaged", "{what}");
            assert!(incidents[0].message.contains("store.redb.1"), "{}", incidents[0].message);
            assert_eq!(std::fs::read(directory.path().join("quarantine/store.redb.1")).unwrap(), bytes);
        }
        store.write(ISSUER, &record(6)).unwrap();
        drop(store);
        let mut store = open(directory.path());
        assert_eq!(store.take(ISSUER, NOW), state(6), "{what}");
        assert_eq!(codes(&mut store), Vec::<&str>::new(), "{what}: healed once is healed");
    }
}

#[test]
fn b16_a_flipped_bit_anywhere_in_the_database_is_harmless_or_healed() {
    let directory = directory();
    prepared(directory.path(), 3);
    let path = directory.path().join("store.redb");
    let intact = std::fs::read(&path).unwrap();
    let mut healed = 0;
    // Bits of pages in use: a flip elsewhere shows nothing.
    let used: Vec<usize> = (0..intact.len()).filter(|at| intact[*at] != 0).collect();
    for at in used.iter().step_by(used.len() / 60 + 1) {
        let mut bytes = intact.clone();
        bytes[*at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let mut store = open(directory.path());
        assert_eq!(store.take(ISSUER, NOW), state(3), "byte {at}");
        healed += usize::from(codes(&mut store).contains(&"store_healed"));
        drop(store);
    }
    assert!(healed > 0, "no flip was seen");
}

#[test]
fn a_vanished_database_is_healed_from_the_copy() {
    let directory = directory();
    prepared(directory.path(), 4);
    std::fs::remove_file(directory.path().join("store.redb")).unwrap();
    let mut store = open(directory.path());
    assert_eq!(store.take(ISSUER, NOW), state(4));
    assert_eq!(codes(&mut store), ["store_healed", "store_healed"]);
}

#[test]
fn b11_a_database_from_a_backup_does_not_bring_back_an_older_state() {
    let directory = directory();
    prepared(directory.path(), 3);
    let path = directory.path().join("store.redb");
    let backup = std::fs::read(&path).unwrap();
    let mut store = open(directory.path());
    store.write(ISSUER, &record(4)).unwrap();
    drop(store);
    std::fs::write(&path, backup).unwrap();
    let mut store = open(directory.path());
    assert_eq!(store.take(ISSUER, NOW), state(4));
    assert_eq!(codes(&mut store), ["store_healed"]);
}

#[test]
fn p8_a_damaged_copy_is_kept_aside_and_made_anew() {
    let directory = directory();
    prepared(directory.path(), 3);
    let path = file_of(directory.path(), "state");
    let intact = std::fs::read(&path).unwrap();
    for number in 1..=2 {
        std::fs::write(&path, &intact[..intact.len() - 1]).unwrap();
        let mut store = open(directory.path());
        assert_eq!(store.take(ISSUER, NOW), state(3));
        assert_eq!(codes(&mut store), ["copy_renewed"]);
        assert_eq!(std::fs::read(&path).unwrap(), intact);
        assert_eq!(quarantined(directory.path()).len(), number);
    }
    assert_eq!(quarantined(directory.path()), ["state-a1a1a1a1.1", "state-a1a1a1a1.2"]);
}

#[test]
fn p8_without_database_and_copy_the_store_is_lost_and_says_so_at_every_start() {
    let directory = directory();
    prepared(directory.path(), 3);
    std::fs::write(directory.path().join("store.redb"), b"nothing that was written here").unwrap();
    std::fs::write(file_of(directory.path(), "state"), b"nor this").unwrap();
    for start in 0..3 {
        let mut store = open(directory.path());
        let later = Timestamp(NOW.0 + start);
        let grant = Some(b"a grant".to_vec());
        assert_eq!(store.take(ISSUER, later), Held::Lost { since: NOW, grant }, "since the first start");
        assert_eq!(store.take(OTHER, later), state(1), "the other issuer goes on");
        assert!(codes(&mut store).contains(&"store_lost"));
        let refused = store.write(ISSUER, &record(4)).unwrap_err();
        assert!(matches!(refused, StoreError::Lost), "{refused}");
        store.write(OTHER, &record(1)).unwrap();
    }
    assert!(quarantined(directory.path()).contains(&"store.redb.1".to_owned()));
    assert!(file_of(directory.path(), "state").exists(), "nothing is dropped");
}

#[test]
fn a_deleted_state_is_a_lost_one() {
    let directory = directory();
    prepared(directory.path(), 2);
    std::fs::remove_file(directory.path().join("store.redb")).unwrap();
    std::fs::remove_file(file_of(directory.path(), "state")).unwrap();
    let mut store = open(directory.path());
    assert!(matches!(store.take(ISSUER, NOW), Held::Lost { .. }));
}
