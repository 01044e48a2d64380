//! Why the agent cannot run, or cannot go on.

use crate::adapters::ClockError;
use crate::config::ConfigError;
use crate::http::BindError;
use crate::store::StoreError;
use std::io;
use std::process::ExitCode;

/// Why the agent cannot run, or cannot go on. Each message ends with the next step, after a semicolon.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration is wrong or cannot be trusted.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state directory is taken, or cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clocks cannot be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The local socket cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The operating system refused something that the agent cannot do without.
    #[error("cannot {operation}: {source}; look at the kernel's log and at the limits of this service")]
    System {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A part of the agent ended that must not.
    #[error("{part} ended by itself: {reason}; start the agent again, and report this with its log")]
    Ended {
        /// Which part.
        part: &'static str,
        /// As far as known.
        reason: String,
    },
}

impl DaemonError {
    /// For use with `map_err`.
    pub(super) fn system(operation: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { operation, source }
    }

    /// As documented in `--help`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        let untrusted = matches!(self, Self::Config(_) | Self::Store(StoreError::Untrusted { .. }));
        ExitCode::from(if untrusted { 4 } else { 1 })
    }
}
