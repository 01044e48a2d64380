//! Every image that a power cut can leave, rebuilt and opened (P8, I4).

use super::disk::{Disk, Moment, Operation, apply};
use super::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of the state directory; all of them are synced whenever the database is written.
fn files(directory: &Path) -> Files {
    let mut files = Files::new();
    let issuers = directory.join("issuers").join(ISSUER.to_string());
    for entry in std::fs::read_dir(&issuers).into_iter().flatten() {
        let path = entry.unwrap().path();
        files.insert(path.strip_prefix(directory).unwrap().to_owned(), std::fs::read(&path).unwrap());
    }
    files
}

fn unpack(files: &Files, directory: &Path) {
    for (path, bytes) in files {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// A power cut: what lies on the disk and in the files, and how many records callers were told of.
struct Cut<'a> {
    image: Vec<u8>,
    files: &'a Files,
    told: u64,
}

/// The store opens without complaint, holds the state before or the state after, each with its history, and goes on.
fn survives(cut: Cut<'_>, what: &str) {
    let directory = directory();
    unpack(cut.files, directory.path());
    let disk = Disk::holding(cut.image);
    let mut store = Store::open_with(directory.path(), disk.clone(), &[ISSUER]).unwrap();
    let held = store.take(ISSUER, NOW);
    let before = if cut.told == 0 { Held::Nothing } else { state(cut.told) };
    let after = state(cut.told + 1);
    let number = if held == after { cut.told + 1 } else { cut.told };
    assert!(held == before || held == after, "{what}, {} told: {held:?}", cut.told);
    // A first state that nobody was told of may be taken from its copy; its line is gone with its transaction.
    if cut.told > 0 {
        assert_eq!(codes(&mut store), Vec::<&str>::new(), "{what}, {} told", cut.told);
        assert_eq!(lines(&mut store), (1..=number).collect::<Vec<_>>(), "{what}");
    }
    store.write(ISSUER, &record(number + 1)).unwrap();
    drop(store);
    let mut store = Store::open_with(directory.path(), disk, &[ISSUER]).unwrap();
    assert_eq!(store.take(ISSUER, NOW), state(number + 1), "{what}");
    assert_eq!(codes(&mut store), Vec::<&str>::new(), "{what}");
}

/// A small generator, so that a failure can be repeated.
fn shuffle(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// What may have reached the disk of what was not synced: nothing, all, all but one, one alone, any half of it, and
/// half of the last write.
fn images(moment: &Moment, seed: u64) -> Vec<(String, Vec<u8>)> {
    let mut images = Vec::new();
    let count = moment.unsynced.len();
    let mut with = |name: String, keep: &dyn Fn(usize) -> bool, torn: bool| {
        let mut image = moment.durable.clone();
        for (at, operation) in moment.unsynced.iter().enumerate().filter(|(at, _)| keep(*at)) {
            match operation {
                Operation::Write(offset, data) if torn && at + 1 == count => {
                    apply(&mut image, &Operation::Write(*offset, data[..data.len() / 2].to_vec()));
                }
                operation => apply(&mut image, operation),
            }
        }
        images.push((name, image));
    };
    with("nothing".to_owned(), &|_| false, false);
    if count > 0 {
        with("all".to_owned(), &|_| true, false);
        with("the last one torn".to_owned(), &|_| true, true);
        with("the last alone".to_owned(), &|at| at + 1 == count, false);
        let mut state = seed;
        let left_out = usize::try_from(shuffle(&mut state)).unwrap_or(0) % count;
        with(format!("all but number {left_out}"), &|at| at != left_out, false);
        let mask = shuffle(&mut state);
        with(format!("those of mask {mask:x}"), &|at| mask >> (at % 64) & 1 == 1, false);
    }
    images
}

#[test]
fn p8_a_power_cut_at_any_write_leaves_the_state_before_or_after() {
    let directory = directory();
    let disk = Disk::default();
    let mut store = Store::open_with(directory.path(), disk.clone(), &[ISSUER]).unwrap();
    let told = Arc::new(Mutex::new(0_u64));
    let checked = Arc::new(AtomicUsize::new(0));
    let watcher = {
        let (told, checked, path) = (Arc::clone(&told), Arc::clone(&checked), directory.path().to_owned());
        move |moment: Moment| {
            let files = files(&path);
            let told = *told.lock().unwrap();
            let seed = 0x9e37_79b9_7f4a_7c15 ^ (checked.load(Ordering::Relaxed) as u64 + 1);
            for (what, image) in images(&moment, seed) {
                survives(Cut { image, files: &files, told }, &what);
                checked.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    disk.watch(Some(Arc::new(watcher)));
    for number in 1..=4 {
        store.write(ISSUER, &record(number)).unwrap();
        *told.lock().unwrap() = number;
    }
    disk.watch(None);
    assert!(checked.load(Ordering::Relaxed) > 50, "only {} images", checked.load(Ordering::Relaxed));
}

#[test]
fn p8_a_power_cut_while_the_copy_is_written_leaves_the_state_before_or_after() {
    let directory = directory();
    let disk = Disk::default();
    let mut store = Store::open_with(directory.path(), disk.clone(), &[ISSUER]).unwrap();
    let name = |file: &str| Path::new("issuers").join(ISSUER.to_string()).join(file);
    for number in 1..=4 {
        let (image_before, files_before) = (disk.bytes(), files(directory.path()));
        store.write(ISSUER, &record(number)).unwrap();
        let (image_after, files_after) = (disk.bytes(), files(directory.path()));
        let written = &files_after[&name("state")];
        let told = number - 1;
        for length in [0, 1, written.len() / 2, written.len() - 1, written.len()] {
            let mut files = files_before.clone();
            files.insert(name("state.new"), written[..length].to_vec());
            survives(Cut { image: image_before.clone(), files: &files, told }, &format!("torn at {length}"));
        }
        // The transaction is durable, the copy has not taken its place, or its old name has not gone yet.
        let mut files = files_before.clone();
        files.insert(name("held"), files_after[&name("held")].clone());
        files.insert(name("state.new"), written.clone());
        survives(Cut { image: image_after.clone(), files: &files, told }, "not promoted");
        survives(Cut { image: image_after, files: &files_after, told }, "promoted");
    }
}
