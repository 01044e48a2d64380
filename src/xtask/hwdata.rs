//! `cargo xtask hwdata`: holds recordings of real machines against each other. The program that does it belongs to
//! `src/hardware`; no other has its loaders.

use crate::steps::{cargo, execute, target};
use anyhow::{Context, Result, ensure};
use std::process::{Command, ExitCode};

/// Where the recordings are, if nothing else is said.
const VARIABLE: &str = "LANDFAST_HWDATA";

/// Builds the program and hands over to it: `--json` and a directory go on to it, its exit code comes back.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let status = program()?.args(arguments).status().context("starting landfast-hwdata")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// The same as a step of the tests. Where there are no recordings it counts as skipped.
pub fn check(skipped: &mut Vec<(String, String)>) -> Result<()> {
    if std::env::var_os(VARIABLE).is_none_or(|directory| directory.is_empty()) {
        skipped.push(("hwdata".to_owned(), format!("{VARIABLE} names no directory of recorded machines")));
        return Ok(());
    }
    let status = program()?.status().context("starting landfast-hwdata")?;
    ensure!(status.success(), "a machine passes for another one, or a pair is wrong: see above");
    Ok(())
}

fn program() -> Result<Command> {
    let arguments = ["--package", "landfast-hardware", "--features", "dumps", "--bin", "landfast-hwdata"];
    execute(cargo(&["build", "--quiet"]).args(arguments))?;
    Ok(Command::new(target().join("debug/landfast-hwdata")))
}
