//! The walls of the house: who may use whom, what may not come in, and what the pure crates may not touch.
//!
//! Every rule is asked of the real workspace, and of a small one that breaks it: a check that finds nothing there
//! would find nothing here either.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure here is a failed test"
)]

#[path = "deps/crates.rs"]
mod crates;
#[path = "deps/edges.rs"]
mod edges;
#[path = "deps/fixture.rs"]
mod fixture;
#[path = "deps/sources.rs"]
mod sources;

use fixture::Fixture;
use std::path::{Path, PathBuf};

/// One line for each thing that is wrong.
type Findings = Vec<String>;

/// The workspace that is tested.
fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[track_caller]
fn nothing(findings: Findings) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

#[track_caller]
fn only(findings: Findings, expected: &[&str]) {
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for part in expected {
        assert!(findings.iter().any(|line| line.contains(part)), "no {part:?} in {findings:#?}");
    }
}

#[test]
fn crates_use_only_whom_they_may() {
    nothing(edges::unexpected(&house()));
}

#[test]
fn a_forbidden_edge_is_found() {
    let bad = Fixture::new();
    bad.package("landfast-protocol", &[]);
    bad.package("landfast-agent", &["landfast-protocol"]);
    bad.package("landfast-core", &["landfast-protocol", "landfast-agent"]);
    bad.package("landfast-rogue", &["landfast-core"]);
    only(
        edges::unexpected(bad.path()),
        &["landfast-core uses landfast-agent", "landfast-rogue uses landfast-core"],
    );
}

#[test]
fn an_edge_for_tests_only_counts_too() {
    let bad = Fixture::new();
    bad.package("landfast-core", &[]);
    bad.package("landfast-protocol", &["dev:landfast-core"]);
    only(edges::unexpected(bad.path()), &["landfast-protocol uses landfast-core"]);
}

#[test]
fn no_forbidden_crate_stands_below_the_agent_and_the_pure_crates() {
    nothing(crates::below(&house()));
}

#[test]
fn a_forbidden_crate_or_feature_is_found() {
    let bad = Fixture::new();
    bad.package("mio", &[]);
    bad.package("tokio", &["mio"]);
    bad.package("sqlx-core", &[]);
    bad.package("sqlx", &["sqlx-core"]);
    bad.package("landfast-protocol", &["mio"]);
    bad.package("landfast-core", &["tokio"]);
    bad.package("between", &["tokio with rt-multi-thread", "sqlx"]);
    bad.package("landfast-agent", &["between"]);
    let found = crates::below(bad.path());
    only(
        found,
        &[
            "landfast-protocol: mio",
            "landfast-core: mio",
            "landfast-core: tokio",
            "landfast-agent: sqlx",
            "landfast-agent: sqlx-core",
            "landfast-agent: tokio feature \"rt-multi-thread\"",
        ],
    );
}

#[test]
fn no_unwanted_crate_is_locked() {
    nothing(crates::unwanted(&house()));
}

#[test]
fn an_unwanted_crate_is_found() {
    let bad = Fixture::new();
    bad.package("openssl-sys", &[]);
    bad.package("landfast-cli", &["dev:openssl-sys"]);
    crates::lock(bad.path());
    only(crates::unwanted(bad.path()), &["openssl-sys"]);
}

#[test]
fn the_pure_crates_touch_nothing_outside() {
    nothing(sources::impure(&house()));
}

#[test]
fn a_pure_crate_that_reaches_outside_is_found() {
    let bad = Fixture::new();
    bad.file(
        "src/core/lib.rs",
        "//! std::fs in words\nuse std::{collections::BTreeMap, fs::{self, File}};\n",
    );
    bad.file("src/core/deep/clock.rs", "fn now() -> u64 { ::std::time::SystemTime::now() }\n");
    bad.file("src/protocol/lib.rs", "const A: &str = \"std::env\"; /* std::net */\nuse std as outside;\n");
    bad.file(
        "src/protocol/raw.rs",
        "const A: &str = r#\"\" std::env\"#; fn a<'a>(b: &'a str) { std :: thread :: yield_now(); }\n",
    );
    bad.file("src/protocol/tests/all.rs", "use std::fs;\n");
    bad.file(
        "src/protocol/some.rs",
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse std::process;\n",
    );
    only(
        sources::impure(bad.path()),
        &[
            "src/core/lib.rs: std::fs",
            "src/core/deep/clock.rs: std::time",
            "src/protocol/lib.rs: std under another name",
            "src/protocol/raw.rs: std::thread",
            "src/protocol/some.rs: std::process",
        ],
    );
}

#[test]
fn files_keep_the_measures_of_the_house() {
    nothing(sources::measures(&house()));
}

#[test]
fn a_file_beyond_measure_is_found() {
    let bad = Fixture::new();
    let attribute = concat!("#[", "allow(dead_code)]\nfn a() {}\n");
    let shared = concat!("#![", "allow(dead_code, reason = \"shared\")]\nfn a() {}\n");
    let pause = concat!("fn a() { std::thread::", "sleep(b); }\n");
    bad.file("src/core/long.rs", &"\n".repeat(501));
    bad.file("src/core/just_right.rs", &"\n".repeat(500));
    bad.file("src/agent/main.rs", &"\n".repeat(41));
    bad.file("src/agent/lints.rs", attribute);
    bad.file("src/agent/tests/lints.rs", attribute);
    bad.file("src/agent/tests/shared.rs", shared);
    bad.file("tests/main.rs", &"\n".repeat(41));
    bad.file("tests/slow.rs", pause);
    only(
        sources::measures(bad.path()),
        &["long.rs", "main.rs", "src/agent/lints.rs", "src/agent/tests/lints.rs", "slow.rs"],
    );
}
