//! The programs that are tried, built as a developer builds them.

use super::process::run;
use crate::steps::{cargo, execute, target};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs are.
pub struct Programs {
    /// `landfastd`, to be installed.
    pub daemon: PathBuf,
    /// `landfast`, to be installed.
    pub command: PathBuf,
    /// `landfast-authority`, which runs on this host.
    pub authority: PathBuf,
    /// This program, which QEMU starts as the pipe to the wire.
    pub pipe: PathBuf,
}

impl Programs {
    /// Builds them, or takes those in LANDFAST_BINARIES. What is installed on machines loses its symbols, which are most of it.
    pub fn build(directory: &Path) -> Result<Self> {
        let built = match std::env::var_os("LANDFAST_BINARIES") {
            Some(built) => PathBuf::from(built),
            None => debug_build()?,
        };
        let stripped = |name: &str| {
            let small = directory.join(name);
            run(Command::new("strip").arg("-o").arg(&small).arg(built.join(name)))?.ok()?;
            anyhow::Ok(small)
        };
        // Copies as well: another build while scenarios run must not change what they try.
        let (authority, pipe) = (directory.join("landfast-authority"), directory.join("xtask"));
        std::fs::copy(built.join("landfast-authority"), &authority)?;
        std::fs::copy(std::env::current_exe()?, &pipe)?;
        Ok(Self { daemon: stripped("landfastd")?, command: stripped("landfast")?, authority, pipe })
    }
}

fn debug_build() -> Result<PathBuf> {
    println!("building the programs");
    let mut build = cargo(&["build", "--quiet", "--bins"]);
    for package in ["landfast-agent", "landfast-cli", "landfast-authority"] {
        build.args(["--package", package]);
    }
    execute(&mut build)?;
    Ok(target().join("debug"))
}
