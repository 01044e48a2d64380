//! landfast: the administrator's command.
//!
//! It asks the agent over its Unix socket and keeps nothing itself. [`command`] is the one definition of its
//! arguments; help, manual pages and completions are made from it.

mod arguments;
mod commands;
mod exit;
mod failure;
mod ids;
mod report;
mod screen;
mod table;
mod text;

pub use arguments::{Arguments, Command};
pub use commands::run;
pub use exit::Exit;
pub use failure::Failure;
pub use report::Report;
pub use screen::Screen;

use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// The whole tree of commands and options.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// The process from its arguments to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let screen = Screen::detect();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let json = arguments.json;
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("landfast", "no_runtime", error.to_string(), "free memory and files"))
        .and_then(|runtime| runtime.block_on(run(arguments, &screen)));
    let exit = match done {
        Ok(report) => report.print(json, &screen),
        Err(failure) => failure.print(json, &screen),
    };
    exit.into()
}

/// Help and version, or arguments that do not parse: then clap's words, or in JSON for a program that asked so.
fn refuse(error: &clap::Error) -> ExitCode {
    let wants_json =
        std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if wants_json && error.use_stderr() {
        let message = error.render().to_string();
        let advice = "see `landfast help`";
        return Failure::new("landfast", "usage", message.trim(), advice)
            .print(true, &Screen::plain())
            .into();
    }
    // Nobody is left to be told when this fails.
    error.print().ok();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}
