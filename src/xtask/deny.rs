//! cargo-deny: licenses, sources and unwanted crates, by the rules in `deny.toml`.

use crate::steps::{cargo, execute, top};
use crate::tools;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "0.20.2";

/// Checks what is locked.
pub fn check() -> Result<()> {
    let program = if tools::is_here("cargo-deny") { PathBuf::from("cargo-deny") } else { own()? };
    let arguments = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    execute(Command::new(program).args(arguments).current_dir(top()))
}

/// A copy for this project, kept outside of the tree so that a fresh clone finds it again.
fn own() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cache"))
    });
    let root = cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("landfast/tools");
    let program = root.join("bin/cargo-deny");
    if !program.exists() {
        println!("installing cargo-deny {VERSION} to {}, once", root.display());
        // Unoptimised it is built in half the time, and reads our few hundred crates in seconds all the same.
        let arguments = ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--quiet"];
        execute(cargo(&arguments).arg("--root").arg(&root).current_dir("/"))?;
    }
    Ok(program)
}
