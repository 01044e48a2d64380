//! `cargo xtask bench`: builds what is shipped, as it is shipped, and measures it beside its floors.

use crate::steps::{cargo, execute};
use crate::tools;
use anyhow::Result;
use std::process::{Command, ExitCode};

/// Builds, then hands over to the benchmark; `--json` and names of figures go on to it.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    tools::ensure(&tools::FOR_DEMO)?;
    // Each on its own, so that no other package's features get into what is measured.
    build("dist", "landfast-agent")?;
    for package in ["landfast-cli", "landfast-authority", "landfast-tests"] {
        build("release", package)?;
    }
    let target = crate::steps::target();
    let mut bench = Command::new(target.join("release/landfast-bench"));
    bench.args(arguments).env("LANDFAST_BINARIES", target.join("release"));
    execute(bench.env("LANDFAST_DAEMON", target.join("dist/landfastd")))?;
    Ok(ExitCode::SUCCESS)
}

fn build(profile: &str, package: &str) -> Result<()> {
    execute(&mut cargo(&["build", "--quiet", "--profile", profile, "--bins", "--package", package]))
}
