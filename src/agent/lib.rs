//! landfastd: holds the licenses of this machine and answers applications.
//!
//! The shell around `landfast-core`: it turns what happens into events, makes records durable, and carries out the
//! effects in their order. It decides nothing by itself.

pub mod adapters;
pub mod arguments;
pub mod config;
pub mod daemon;
pub mod dbus;
pub mod desk;
pub mod faultpoint;
pub mod front;
pub mod http;
mod logging;
pub mod store;
pub mod transport;

use arguments::{Action, Arguments};
use std::path::PathBuf;
use std::process::ExitCode;

/// What `landfastd` does.
#[must_use]
pub fn main() -> ExitCode {
    // systemd may name several, separated by colons; the agent has one.
    let state = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from);
    let arguments = match Arguments::parse(std::env::args_os().skip(1), state) {
        Ok(arguments) => arguments,
        Err(error) => {
            complain(&error);
            return ExitCode::from(2);
        }
    };
    match arguments.action {
        Action::Help => print!("{}", arguments::HELP),
        Action::Version => println!("landfastd {}", env!("CARGO_PKG_VERSION")),
        Action::CheckConfig | Action::Run => {
            if let Err(error) = start(&arguments) {
                complain(&error);
                return error.exit_code();
            }
        }
    }
    ExitCode::SUCCESS
}

fn start(arguments: &Arguments) -> Result<(), daemon::DaemonError> {
    let settings = daemon::configure(arguments)?;
    if arguments.action == Action::CheckConfig {
        print!("{settings}");
        return Ok(());
    }
    logging::start(settings.log);
    daemon::run(arguments, settings)
}

/// Our errors end with the next step, after a semicolon.
fn complain(error: &dyn std::error::Error) {
    let text = error.to_string();
    match text.rsplit_once("; ") {
        Some((reason, next)) => eprintln!("landfastd: {reason}\n  next: {next}"),
        None => eprintln!("landfastd: {text}"),
    }
}
