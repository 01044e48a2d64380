//! Errors of commands, and what they mean for whoever called.

use crate::home::HomeError;
use crate::storage::StorageError;
use crate::storage::admin::AdminError;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Of the directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Of the catalog, a device or a case.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Of the database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An argument makes no sense.
    #[error("{0}")]
    Usage(String),
    /// What was named cannot be told apart or found.
    #[error("{0}")]
    Input(String),
    /// A check failed.
    #[error("{0}")]
    Refused(String),
    /// The socket cannot be opened.
    #[error("cannot listen on {address}: {source}; is another server running there?")]
    Listen {
        /// Where.
        address: String,
        /// What was said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What was said.
        source: std::io::Error,
    },
    /// Threads, signals.
    #[error("cannot start: {0}")]
    Runtime(#[source] std::io::Error),
}

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;
const INPUT: u8 = 4;
const NOT_PERMITTED: u8 = 5;

impl CommandError {
    fn code(&self) -> u8 {
        match self {
            Self::Home(error) => home(error),
            Self::Admin(error) => admin(error),
            Self::Storage(error) => storage(error),
            Self::Usage(_) => USAGE,
            Self::Input(_) => INPUT,
            Self::Refused(_) => REFUSED,
            Self::Listen { source, .. } | Self::Write { source, .. } | Self::Runtime(source) => io(source),
        }
    }

    /// Says what is wrong, and gives the exit code.
    pub fn print(&self, json: bool) -> ExitCode {
        let code = self.code();
        if json {
            eprintln!("{}", serde_json::json!({ "error": self.to_string(), "exit_code": code }));
        } else {
            eprintln!("landfast-authority: {self}");
        }
        ExitCode::from(code)
    }
}

fn home(error: &HomeError) -> u8 {
    match error {
        HomeError::Missing(_) | HomeError::Entropy(_) => UNREACHABLE,
        HomeError::NotEmpty(_) => REFUSED,
        HomeError::Name(_) | HomeError::Address(_) | HomeError::Certificate(_) => USAGE,
        HomeError::Exposed { .. }
        | HomeError::Damaged { .. }
        | HomeError::Tls { .. }
        | HomeError::Sign(_) => INPUT,
        HomeError::SigningKey(error) => home(error),
        HomeError::Io { source, .. } => io(source),
        HomeError::Storage(error) => storage(error),
    }
}

fn admin(error: &AdminError) -> u8 {
    match error {
        AdminError::Exists { .. } | AdminError::Nothing(_) | AdminError::EpochNotHigher { .. } => REFUSED,
        AdminError::Missing { .. } | AdminError::Sign(_) | AdminError::Limit(_) => INPUT,
        AdminError::License(_) => USAGE,
        AdminError::Storage(error) => storage(error),
    }
}

fn storage(error: &StorageError) -> u8 {
    match error {
        StorageError::Corrupt { .. } | StorageError::Migrate { .. } => INPUT,
        _ => UNREACHABLE,
    }
}

fn io(error: &std::io::Error) -> u8 {
    if error.kind() == ErrorKind::PermissionDenied { NOT_PERMITTED } else { UNREACHABLE }
}
