//! What can go wrong with an exchange, apart from answers that say no.

use crate::adapters::EntropyError;
use crate::signer::SignError;
use landfast_protocol::IssuerId;
use landfast_protocol::frame::FrameError;
use std::path::PathBuf;
use std::sync::Arc;

/// The store did not do what it was asked. It may work when asked again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// The database refused.
    #[error("the database cannot {operation}: {source}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// What it said.
        source: Arc<sqlx::Error>,
    },
    /// The database file cannot be opened.
    #[error(
        "cannot open the database {path}: {source}; check that the directory is right and writable, and run `landfast-authority init` if it is new"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// What was said.
        source: Arc<sqlx::Error>,
    },
    /// The tables could not be brought up to date.
    #[error("cannot bring the database {path} up to date: {source}; was it written by a newer release?")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What was said.
        source: Arc<sqlx::migrate::MigrateError>,
    },
    /// A stored value cannot be read.
    #[error(
        "the database holds an unreadable {what}: {reason}; restore it from a backup, then run `landfast-authority epoch raise`"
    )]
    Corrupt {
        /// Which value.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The store was closed.
    #[error("the authority is shutting down; send the request again")]
    Closed,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It is not an acceptable message.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It is for another vendor.
    #[error(
        "the request is for issuer {found}, this authority is {own}; check the address in the device's issuer file"
    )]
    ForeignIssuer {
        /// Whom it names.
        found: IssuerId,
        /// Who we are.
        own: IssuerId,
    },
    /// A counter or sequence that no device reaches by counting.
    #[error("the request carries a number beyond 2^63; the device's store is damaged")]
    OutOfRange,
    /// Too much to do.
    #[error("the authority is busy; send the same request again in a moment")]
    Busy,
    /// The store has trouble. Nothing was decided.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No randomness. Nothing was decided.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The answer could not be signed. Nothing was decided.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The stored state breaks a limit of the protocol. Nothing was decided.
    #[error("the answer breaks a limit of the protocol: {0}")]
    Limit(#[from] landfast_protocol::BoundError),
}

impl ExchangeError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Frame(error) => error.code(),
            Self::ForeignIssuer { .. } => "foreign_issuer",
            Self::OutOfRange => "number_out_of_range",
            Self::Busy => "busy",
            Self::Storage(_) => "storage_unavailable",
            Self::Sign(SignError::Window { .. }) => "signing_key_expired",
            Self::Entropy(_) | Self::Sign(_) | Self::Limit(_) => "internal",
        }
    }
}
