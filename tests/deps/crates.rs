//! Crates from elsewhere: what may not stand below the agent and the pure crates, and what is wanted nowhere.

use super::Findings;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// What may not be below a crate: names of crates, whole families with `*`, and features.
const FORBIDDEN: [(&str, &[&str]); 3] = [
    // A daemon on small machines: one thread, no database server's client, no web framework, no screens.
    (
        "landfast-agent",
        &[
            "sqlx*",
            "axum*",
            "clap*",
            "tokio feature \"rt-multi-thread\"",
            "tokio feature \"full\"",
            "async-io",
            "async-executor",
        ],
    ),
    ("landfast-core", PURE),
    ("landfast-protocol", PURE),
];
/// No input, output, clock or randomness of its own.
const PURE: &[&str] = &["tokio*", "mio", "async-*", "hyper*", "zbus*", "rustix", "nix", "getrandom", "redb"];

/// Unmaintained, or with advisories that nobody answers.
const UNWANTED: [&str; 10] = [
    "sharks",
    "bincode",
    "serde_yml",
    "rustls-pemfile",
    "backoff",
    "instant",
    "paste",
    "fxhash",
    "async-std",
    "openssl-sys",
];

/// What stands below a crate of the workspace at `root` and may not, in what is shipped on this platform.
pub fn below(root: &Path) -> Findings {
    let mut findings = Findings::new();
    for (package, forbidden) in FORBIDDEN {
        let tree = cargo(root, &["tree", "-p", package, "-e", "normal,features", "--prefix", "none"]);
        let entries: BTreeSet<String> = tree.lines().filter_map(entry).collect();
        assert!(entries.contains(package), "cargo tree does not name {package} itself: {tree}");
        for found in entries.iter().filter(|entry| forbidden.iter().any(|rule| matches(rule, entry))) {
            findings.push(format!("{package}: {found}"));
        }
    }
    findings
}

/// What is locked for any platform or purpose, and wanted for none.
pub fn unwanted(root: &Path) -> Findings {
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.filter(|name| UNWANTED.contains(name)).map(str::to_owned).collect()
}

/// Writes the lock file of a workspace without crates from elsewhere.
pub fn lock(root: &Path) {
    cargo(root, &["generate-lockfile", "--offline"]);
}

/// `tokio v1.54.0 (*)` is the crate, `tokio feature "rt"` a feature of it.
fn entry(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    match (words.next()?, words.next()) {
        ("feature", Some(feature)) => Some(format!("{name} feature {feature}")),
        _ => Some(name.to_owned()),
    }
}

fn matches(rule: &str, entry: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(family) => !entry.contains(' ') && entry.starts_with(family),
        None => entry == rule,
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root).output().expect("cargo");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}
