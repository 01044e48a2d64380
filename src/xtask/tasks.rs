//! The list of tasks.

use crate::{bench, demo, hwdata, lab, man, test};
use anyhow::{Result, ensure};
use std::process::ExitCode;

/// Name, arguments, what it does, and the function that does it.
type Task = (&'static str, &'static str, &'static str, fn(&[String]) -> Result<ExitCode>);

const TASKS: [Task; 6] = [
    ("demo", "[--keep]", "tell the life of a license with the real programs", demo::run),
    ("test", "[--long] [FILTER]", "install the test tools, check everything, run every test", test::run),
    ("bench", "[--json] [NAME...]", "measure each figure beside its floor", bench::run),
    (
        "lab",
        "[--list] [--short] [--keep] [NAME...]",
        "change the hardware of virtual field servers",
        lab::run,
    ),
    ("hwdata", "[--json] [DIR]", "hold recordings of real machines against each other", hwdata::run),
    ("man", "", "write man pages and shell completions to target/", man::run),
];

/// Starts the task that the first argument names, or lists them all.
pub fn start(arguments: &[String]) -> Result<ExitCode> {
    let (name, rest) =
        arguments.split_first().map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    if let Some((.., run)) = TASKS.iter().find(|task| task.0 == name) {
        return run(rest);
    }
    ensure!(matches!(name, "help" | "--help" | "-h"), "there is no task {name}; `cargo xtask` lists them");
    for (name, arguments, what, _) in TASKS {
        println!("cargo xtask {:<41} {what}", format!("{name} {arguments}"));
    }
    Ok(ExitCode::SUCCESS)
}
