//! The README tells no tales: its shell sessions are run against the real programs, and what documents point at is
//! there.
//!
//! A fenced block whose first line says `session=NAME` belongs to a session; the blocks of a session run in order, in
//! one shell and one new directory.
//! - ```` ```console session=NAME ````: lines that begin with `$ ` are commands, a backslash at the end continues them.
//!   Each must succeed. The lines below are its output; `…` stands for any text, alone on a line for any lines. Where no
//!   output stands, none is compared.
//! - ```` ```LANGUAGE session=NAME file=PATH ````: a file that is written there.
//! - The port 7443 is replaced by a free one.
//! - `<!-- until: COMMAND -->` before a block waits until the command succeeds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "readme/document.rs"]
mod document;
#[path = "readme/links.rs"]
mod links;
#[path = "readme/matching.rs"]
mod matching;
#[path = "readme/session.rs"]
mod session;

use landfast_tests::harness::{Bus, binary};
use std::path::{Path, PathBuf};

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn sessions_in_the_readme_run_as_they_stand() {
    let sessions = document::sessions(&std::fs::read_to_string(house().join("README.md")).unwrap());
    assert!(!sessions.is_empty(), "the README has no session");
    let programs = binary("landfast").unwrap();
    for (name, steps) in sessions {
        let directory = tempfile::tempdir().unwrap();
        let bus = Bus::start(directory.path()).unwrap();
        session::run(&steps, directory.path(), programs.parent().unwrap(), &bus.address)
            .unwrap_or_else(|trouble| panic!("README.md, session {name}: {trouble}"));
    }
}

#[test]
fn a_session_that_does_not_go_as_told_is_found() {
    let told = |text: &str| {
        let directory = tempfile::tempdir().unwrap();
        let sessions = document::sessions(text);
        session::run(&sessions[0].1, directory.path(), directory.path(), "")
    };
    let wrong =
        told("```console session=a\n$ x=1\n$ echo $x; echo b\n1\n…\n$ echo two\none\n```\n").unwrap_err();
    assert!(wrong.contains("line 6") && wrong.contains("-one") && wrong.contains("+two"), "{wrong}");
    let failed = told("```console session=a\n$ true\n$ false\n$ exit 0\n```\n").unwrap_err();
    assert!(failed.contains("line 3") && failed.contains("false"), "{failed}");
    told(
        "```sh\n$ false\n```\n```text session=a file=some/note\nhello\n```\n<!-- until: test -s log -->\n\
         ```console session=a\n$ cat some/note\nhello\n```\n"
            .replace("<!-- until", "```console session=a\n$ cat some/note \\\n    >log &\n```\n<!-- until")
            .as_str(),
    )
    .unwrap();
}

#[test]
fn what_documents_point_at_is_there() {
    let missing = links::missing(&house());
    assert!(missing.is_empty(), "\n  {}\n", missing.join("\n  "));
}

#[test]
fn a_dead_link_is_found() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("docs")).unwrap();
    std::fs::create_dir_all(directory.path().join("src/core")).unwrap();
    std::fs::write(directory.path().join("src/core/lib.rs"), "//! See `docs/a.md` and `docs/c.md`.\n")
        .unwrap();
    let text =
        "[a](docs/b.md#c) [web](https://example.org) `core/lib.rs` `src/core/` `core/gone.rs` `/etc/none/`";
    std::fs::write(directory.path().join("README.md"), text).unwrap();
    std::fs::write(directory.path().join("docs/a.md"), "[up](../README.md) [gone](README.md)").unwrap();
    let missing = links::missing(directory.path());
    let expected = [
        "README.md: docs/b.md",
        "README.md: core/gone.rs",
        "docs/a.md: README.md",
        "src/core/lib.rs: docs/c.md",
    ];
    assert_eq!(missing, expected);
}
