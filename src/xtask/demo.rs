//! `cargo xtask demo`: builds the programs and tells the life of a license with them.

use crate::steps::{cargo, execute};
use crate::tools;
use anyhow::Result;
use std::process::ExitCode;

const PROGRAMS: [&str; 4] = ["landfast-agent", "landfast-cli", "landfast-authority", "landfast-tests"];

/// Builds, then hands over to the story; `--keep` goes on to it.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    tools::ensure(&tools::FOR_DEMO)?;
    println!("building the programs (a few minutes the first time)");
    let mut build = cargo(&["build", "--quiet", "--bins"]);
    for package in PROGRAMS {
        build.args(["--package", package]);
    }
    execute(&mut build)?;
    execute(
        cargo(&["run", "--quiet", "--package", "landfast-tests", "--bin", "landfast-demo", "--"])
            .args(arguments),
    )?;
    Ok(ExitCode::SUCCESS)
}
