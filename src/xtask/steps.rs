//! Steps of a task: all of them are tried, and the end says how each went and how long it took.

use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

struct Finished {
    name: &'static str,
    result: Result<()>,
    took: Duration,
}

/// The steps so far.
#[derive(Default)]
pub struct Steps {
    finished: Vec<Finished>,
}

impl Steps {
    /// Carries out one step, whatever became of the steps before.
    pub fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("\n=== {name}");
        let stopwatch = Stopwatch::start();
        let result = step();
        if let Err(error) = &result {
            println!("{name}: {error:#}");
        }
        self.finished.push(Finished { name, result, took: stopwatch.elapsed() });
    }

    /// A table of all steps.
    pub fn print(&self) {
        println!("\n=== steps");
        let width = self.finished.iter().map(|step| step.name.len()).max().unwrap_or(0);
        for Finished { name, result, took } in &self.finished {
            let (word, detail) = match result {
                Ok(()) => ("ok", String::new()),
                Err(error) => ("FAILED", format!("  {error:#}")),
            };
            println!("{word:<8} {name:<width$} {:>7.1} s{detail}", took.as_secs_f64());
        }
    }

    /// Whether no step failed.
    pub fn all_well(&self) -> bool {
        self.finished.iter().all(|step| step.result.is_ok())
    }
}

/// Runs a command of the project to its end; its output goes to the terminal.
pub fn execute(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {:?}", command.get_program()))?;
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    ensure!(status.success(), "`{} {}`: {status}", command.get_program().display(), arguments.join(" "));
    Ok(())
}

/// The cargo that started this program, in the top directory.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(top());
    command
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

/// The top directory of the project.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
