//! Where the built programs are.

use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The directory of the profile that this test was built with, such as `target/debug`.
pub fn build_directory() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let directory = own.parent().context("a program stands in a directory")?;
    let directory = if directory.ends_with("deps") { directory.parent() } else { Some(directory) };
    Ok(directory.context("target directory")?.to_owned())
}

/// The path of `landfastd`, `landfast` or `landfast-authority`, built if it is not up to date. The benchmark says
/// with LANDFAST_BINARIES and LANDFAST_DAEMON which ones it means.
pub fn binary(name: &str) -> Result<PathBuf> {
    if let Some(daemon) = std::env::var_os("LANDFAST_DAEMON").filter(|_| name == "landfastd") {
        return Ok(daemon.into());
    }
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let directory = BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    let directory = directory.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
    let path = directory.join(name);
    ensure!(path.exists(), "{} was not built", path.display());
    Ok(path)
}

/// Cargo builds the programs of other packages only when asked.
fn build() -> Result<PathBuf> {
    if let Some(directory) = std::env::var_os("LANDFAST_BINARIES") {
        return Ok(directory.into());
    }
    let directory = build_directory()?;
    let packages = ["-p", "landfast-agent", "-p", "landfast-cli", "-p", "landfast-authority"];
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile(&directory)])
        .args(packages)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    ensure!(status.success(), "building the programs failed");
    Ok(directory)
}

/// A `landfastd` that can be killed at a boundary: see `landfast_agent::faultpoint`.
pub fn fault_binary() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build_fault_binary().map_err(|error| format!("{error:#}")));
    built.clone().map_err(|error| anyhow::anyhow!(error))
}

/// A program of its own, so that the real one is never replaced by it.
fn build_fault_binary() -> Result<PathBuf> {
    let directory = build_directory()?;
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile(&directory), "-p", "landfast-tests"])
        .args(["--features", "fault-injection", "--bin", "landfastd-fault"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    ensure!(status.success(), "building landfastd-fault failed");
    Ok(directory.join("landfastd-fault"))
}

fn profile(directory: &std::path::Path) -> &str {
    match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    }
}
