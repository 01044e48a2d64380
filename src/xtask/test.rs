//! `cargo xtask test`: everything that must hold before a change lands.

use crate::output::{Counts, Reader};
use crate::steps::{Steps, cargo, execute};
use crate::{deny, hwdata, lab, tools};
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};

/// Runs every check and every test; with a filter, only the tests whose names contain it.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let options = Options::parse(arguments)?;
    let mut steps = Steps::default();
    let mut counts = Counts::default();
    steps.run("tools", || tools::ensure(&tools::FOR_TESTS));
    if options.filter.is_none() {
        steps.run("format", || done(&["fmt", "--all", "--check"]));
        steps.run("clippy", || done(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
        steps.run("deny", deny::check);
        steps.run("docs", documents);
    }
    steps.run("tests", || tests(&options, &mut counts));
    if options.filter.is_none() {
        steps.run("hwdata", || hwdata::check(&mut counts.skipped));
    }
    if options.filter.is_none() {
        steps.run("lab", || lab::short(&mut counts.skipped));
    }
    if options.long {
        steps.run("seeds", seeds);
    }
    steps.print();
    Ok(summary(&steps, &counts))
}

#[derive(Default)]
struct Options {
    /// Also what takes long: ten thousand seeds where some hundreds do otherwise.
    long: bool,
    filter: Option<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--long" => options.long = true,
                option if option.starts_with('-') => bail!("unknown option {option}; there is only --long"),
                _ if options.filter.is_some() => bail!("one filter is enough"),
                filter => options.filter = Some(filter.to_owned()),
            }
        }
        Ok(options)
    }
}

fn done(arguments: &[&str]) -> Result<()> {
    execute(&mut cargo(arguments))
}

fn documents() -> Result<()> {
    execute(
        cargo(&["doc", "--workspace", "--no-deps", "--lib", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Every test of every package. The output of tests that pass is read for what they skipped, and not shown.
fn tests(options: &Options, counts: &mut Counts) -> Result<()> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.args(&options.filter).args(["--", "--show-output"]).stdout(Stdio::piped());
    let mut child = command.spawn().context("starting cargo test")?;
    let output = child.stdout.take().context("cargo's output")?;
    let mut reader = Reader::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if reader.line(&line) {
            println!("{line}");
        }
    }
    *counts = reader.counts;
    let status = child.wait()?;
    ensure!(status.success(), "cargo test: {status}");
    ensure!(counts.passed + counts.skipped.len() > 0, "no test has run");
    Ok(())
}

/// The simulation once more, optimised, with all seeds of the long mode.
fn seeds() -> Result<()> {
    let arguments =
        ["test", "--release", "--package", "landfast-tests", "--test", "simulation", "--", "--nocapture"];
    execute(cargo(&arguments).env("LANDFAST_SIM_SEEDS", "10000"))
}

/// What did not run and what failed stands last, where it is seen.
fn summary(steps: &Steps, counts: &Counts) -> ExitCode {
    for (test, reason) in &counts.skipped {
        println!("SKIPPED {test}: {reason}");
    }
    for test in &counts.failures {
        println!("FAILED  {test}");
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped.len());
    if steps.all_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
