//! The command line of `landfastd`.

use crate::dbus::Bus;
use std::fmt;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
landfastd holds the licenses of this machine and answers applications

Usage: landfastd [OPTIONS]

Options:
  --config DIR    configuration [default: /etc/landfast]; a directory given here may also belong to this user
  --state DIR     what must survive [default: $STATE_DIRECTORY, else /var/lib/landfast]
  --socket PATH   local HTTP socket [default: /run/landfast/agent.sock]
  --bus BUS       system, session, none, or a D-Bus address [default: system]
  --sysroot DIR   read a recorded machine below DIR instead of this one
  --check-config  check the configuration, print what it means, and end
  --version       print the version
  --help          print this

Exit codes: 0 ended in good order, 1 cannot run (the message says why), 2 wrong usage, 4 untrusted or wrong
configuration.
";

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Be the agent.
    #[default]
    Run,
    /// Only judge the configuration.
    CheckConfig,
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// The command line, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub action: Action,
    /// The configuration directory, if one was named.
    pub config: Option<PathBuf>,
    /// The state directory.
    pub state: PathBuf,
    /// The local HTTP socket.
    pub socket: PathBuf,
    /// The message bus; none to stay off.
    pub bus: Option<Bus>,
    /// A recorded machine.
    pub sysroot: Option<PathBuf>,
}

/// The command line is not understood.
#[derive(Debug, thiserror::Error)]
#[error("{0}; see landfastd --help")]
pub struct UsageError(String);

impl Arguments {
    /// Reads a command line without the program's name. `state_directory` is what systemd names, if it does.
    pub fn parse(
        line: impl IntoIterator<Item = std::ffi::OsString>,
        state_directory: Option<PathBuf>,
    ) -> Result<Self, UsageError> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let wrong = |error: lexopt::Error| UsageError(error.to_string());
        let mut arguments = Self {
            action: Action::Run,
            config: None,
            state: state_directory.map_or_else(|| PathBuf::from("/var/lib/landfast"), first),
            socket: PathBuf::from("/run/landfast/agent.sock"),
            bus: Some(Bus::System),
            sysroot: None,
        };
        let mut parser = lexopt::Parser::from_args(line);
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Long("config") => arguments.config = Some(parser.value().map_err(wrong)?.into()),
                Long("state") => arguments.state = parser.value().map_err(wrong)?.into(),
                Long("socket") => arguments.socket = parser.value().map_err(wrong)?.into(),
                Long("sysroot") => arguments.sysroot = Some(parser.value().map_err(wrong)?.into()),
                Long("bus") => {
                    let text = parser.value().map_err(wrong)?.string().map_err(wrong)?;
                    arguments.bus = match text.as_str() {
                        "none" => None,
                        text => Some(text.parse().map_err(|error: &str| UsageError(error.to_owned()))?),
                    };
                }
                Long("check-config") => arguments.action = Action::CheckConfig,
                Short('V') | Long("version") => arguments.action = Action::Version,
                Short('h') | Long("help") => arguments.action = Action::Help,
                other => return Err(wrong(other.unexpected())),
            }
        }
        Ok(arguments)
    }
}

/// systemd may name several, separated by colons; the agent has one.
fn first(directories: PathBuf) -> PathBuf {
    match directories.to_str().and_then(|all| all.split_once(':')) {
        Some((first, _)) => PathBuf::from(first),
        None => directories,
    }
}

/// What `--check-config` prints beside the settings.
impl fmt::Display for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "state directory: {}", self.state.display())?;
        writeln!(f, "socket: {}", self.socket.display())?;
        let bus = self.bus.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        writeln!(f, "bus: {bus}")?;
        let root =
            self.sysroot.as_ref().map_or_else(|| "this machine".into(), |root| root.display().to_string());
        writeln!(f, "hardware: {root}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Arguments, UsageError> {
        Arguments::parse(line.iter().map(Into::into), None)
    }

    #[test]
    fn everything_can_be_tried_without_installing() {
        let line =
            ["--config", "/c", "--state", "/s", "--socket", "/k", "--bus", "session", "--sysroot", "/r"];
        let arguments = parse(&line).unwrap();
        assert_eq!(arguments.config, Some("/c".into()));
        assert_eq!((arguments.state, arguments.socket), ("/s".into(), "/k".into()));
        assert_eq!((arguments.bus, arguments.sysroot), (Some(Bus::Session), Some("/r".into())));
        assert_eq!(parse(&["--bus", "none"]).unwrap().bus, None);
        assert_eq!(parse(&["--bus", "unix:path=/b"]).unwrap().bus, Some(Bus::Address("unix:path=/b".into())));
    }

    #[test]
    fn systemd_names_the_state_directory() {
        let arguments = Arguments::parse([], Some("/var/lib/private/landfast".into())).unwrap();
        assert_eq!(arguments.state, PathBuf::from("/var/lib/private/landfast"));
        let arguments = Arguments::parse([], Some("/var/lib/one:/var/lib/two".into())).unwrap();
        assert_eq!(arguments.state, PathBuf::from("/var/lib/one"));
    }

    #[test]
    fn wrong_words_are_named_with_the_way_out() {
        for line in [&["--conifg", "/c"][..], &["--bus", "sytem"], &["--state"], &["stop"]] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.contains("--help"), "{message}");
        }
    }
}
