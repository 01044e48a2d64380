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
use daemon::DaemonError;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `landfastd` does.
#[must_use]
pub fn main() -> ExitCode {
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

fn start(arguments: &Arguments) -> Result<(), DaemonError> {
    let settings = daemon::configure(arguments)?;
    if arguments.action == Action::CheckConfig {
        let printed = std::io::stdout().write_all(format!("{settings}{arguments}").as_bytes());
        return printed.map_err(|source| DaemonError::System { operation: "print", source });
    }
    logging::start(settings.log);
    daemon::run(arguments, settings)
}

/// Our errors end with the next step, after a semicolon.
fn complain(error: &dyn std::error::Error) {
    let text = error.to_string();
    let (reason, next) = text.rsplit_once("; ").unwrap_or((&text, "see the lines above"));
    // Where nobody reads errors, the exit code has to do.
    let _ = writeln!(std::io::stderr(), "landfastd: {reason}\n  next: {next}");
}
