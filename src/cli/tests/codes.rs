//! The table of exit codes knows every code that agent, client and command can answer with, and no other.
#![cfg(test)]

use landfast_cli::Exit;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts in quotation marks that look like codes.
fn literals(text: &str) -> impl Iterator<Item = String> + '_ {
    let code = |text: &&str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    text.split('"').skip(1).step_by(2).filter(code).map(str::to_owned)
}

/// The body of a type's `fn code`, up to the next function.
fn codes_of(file: &str, of: &str) -> Vec<String> {
    let text = read(&sources().join(file));
    let implementation =
        text.split(&format!("impl {of} {{")).nth(1).unwrap_or_else(|| panic!("{of} in {file}"));
    let body =
        implementation.split("pub fn code(&self)").nth(1).unwrap_or_else(|| panic!("{of}::code in {file}"));
    let found: Vec<String> = literals(body.split("\n    }\n").next().unwrap()).collect();
    assert!(found.len() > 2, "{of}::code in {file} has changed its form: {found:?}");
    found
}

/// The argument at `place` of each call, where it is in quotation marks.
fn arguments(text: &str, call: &str, place: usize) -> Vec<String> {
    let argument = |after: &str| literals(after.split(',').nth(place).unwrap_or_default()).next();
    text.split(call).skip(1).filter_map(argument).collect()
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What the sources of agent, client and command can answer with.
fn possible() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    codes.extend(codes_of("agent/front/fault.rs", "Fault"));
    codes.extend(codes_of("core/effect.rs", "Refusal"));
    codes.extend(codes_of("core/event.rs", "TransportFailure"));
    codes.extend(codes_of("protocol/frame.rs", "FrameError"));
    codes.extend(codes_of("client/error.rs", "Error"));
    let refused = arguments(&read(&sources().join("core/exchange.rs")), "refuse(", 0);
    assert!(refused.len() > 2, "core/exchange.rs has changed its form: {refused:?}");
    codes.extend(refused);
    let mut files = Vec::new();
    rust_files(&sources().join("cli"), &mut files);
    for file in files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "tests")) {
        codes.extend(arguments(&read(file), "Failure::new(", 1));
    }
    codes
}

#[test]
fn every_code_leads_to_an_exit_code_and_none_is_invented() {
    let possible = possible();
    let known: BTreeSet<String> = Exit::codes().map(|(code, _)| code.to_owned()).collect();
    let missing: Vec<_> = possible.difference(&known).collect();
    assert!(missing.is_empty(), "no exit code for {missing:?}");
    let invented: Vec<_> = known.difference(&possible).collect();
    assert!(invented.is_empty(), "nothing answers {invented:?}");
    assert_eq!(Exit::codes().count(), known.len(), "a code stands twice");
}

#[test]
fn codes_of_newer_agents_go_by_their_status() {
    for (status, exit) in [(403, 5), (400, 4), (413, 4), (422, 4), (409, 1), (503, 3), (507, 3), (404, 3)] {
        assert_eq!(Exit::of_status(status) as u8, exit, "{status}");
    }
}

#[test]
fn of_several_results_the_one_that_says_most_wins() {
    let order = [
        Exit::Done,
        Exit::Pending,
        Exit::Denied,
        Exit::NotReachable,
        Exit::BadInput,
        Exit::NotPermitted,
        Exit::Usage,
    ];
    for (at, better) in order.iter().enumerate() {
        for worse in &order[at..] {
            assert_eq!(better.worse(*worse), *worse);
            assert_eq!(worse.worse(*better), *worse);
        }
    }
}
