//! `cargo xtask bench`: builds what is shipped, as it is shipped, and measures it beside its floors.

use crate::steps::{cargo, execute};
use crate::tools;
use anyhow::Result;
use std::process::ExitCode;

/// Each on its own, so that no other package's features get into what is measured.
const PROGRAMS: [&str; 4] = ["landfast-agent", "landfast-cli", "landfast-authority", "landfast-tests"];

/// Builds, then hands over to the benchmark; `--json` and names of figures go on to it.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    tools::ensure(&tools::FOR_DEMO)?;
    for package in PROGRAMS {
        execute(&mut cargo(&["build", "--quiet", "--profile", "dist", "--bins", "--package", package]))?;
    }
    let binaries = crate::steps::target().join("dist");
    let bench = binaries.join("landfast-bench");
    execute(std::process::Command::new(bench).args(arguments).env("LANDFAST_BINARIES", &binaries))?;
    Ok(ExitCode::SUCCESS)
}
