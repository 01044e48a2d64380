//! Why a call was not answered as asked: a stable code, a sentence, the next step, and the HTTP status.

use landfast_core::effect::Refusal;
use landfast_core::event::TransportFailure;
use landfast_protocol::frame::FrameError;

/// Why a face did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The device's state machine refused, or could not finish.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not a message of ours, or a damaged one.
    #[error(transparent)]
    Message(#[from] FrameError),
    /// A response of an issuer that is not configured here.
    #[error("this message is from issuer {0}, which is not configured here")]
    ForeignIssuer(String),
    /// Only administrators may.
    #[error("only root and the user that the agent runs as may do this")]
    NotPermitted,
    /// The queue of commands is full.
    #[error("the agent is still busy with other commands")]
    Busy,
    /// The agent is going down.
    #[error("the agent is stopping")]
    Stopping,
    /// No issuer is configured.
    #[error("no issuer is configured")]
    NoIssuer,
    /// No issuer of that name.
    #[error("no issuer is named `{name}`; configured: {known}")]
    UnknownIssuer {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The command goes to one issuer, and there are several.
    #[error("several issuers are configured, name one of: {known}")]
    IssuerNeeded {
        /// What there is.
        known: String,
    },
    /// Something in the call cannot be read.
    #[error("{0}")]
    BadInput(String),
    /// A license id, or its beginning, that names nothing held here.
    #[error("no license here has an id that starts with {0}")]
    UnknownLicense(String),
    /// The beginning of a license id names several.
    #[error("{count} licenses here have an id that starts with {prefix}")]
    AmbiguousLicense {
        /// What was given.
        prefix: String,
        /// How many match.
        count: usize,
    },
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists, the method does not.
    #[error("this path takes {allowed} only")]
    MethodNotAllowed {
        /// What it takes.
        allowed: String,
    },
    /// The body is larger than the route takes.
    #[error("the body is larger than the {limit} bytes that this path takes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive within {seconds} s")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// All places for connections or event streams are taken.
    #[error("{limit} {what} are open, which is the limit")]
    Full {
        /// `connections` or `event streams`.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// The Host header names another server: somebody pointed a name at this machine.
    #[error("the Host header does not name this machine's loopback address and port")]
    ForeignHost,
    /// A web page sent this.
    #[error("requests from web pages are refused")]
    CrossOrigin,
}

impl Fault {
    /// A stable code for programs; `docs/http.md` lists them.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Message(error) => error.code(),
            Self::ForeignIssuer(_) => "foreign_issuer",
            Self::NotPermitted => "not_permitted",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::NoIssuer => "no_issuer",
            Self::UnknownIssuer { .. } => "unknown_issuer",
            Self::IssuerNeeded { .. } => "issuer_needed",
            Self::BadInput(_) => "bad_input",
            Self::UnknownLicense(_) => "not_held",
            Self::AmbiguousLicense { .. } => "ambiguous_license",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::TooLarge { .. } => "too_large",
            Self::TimedOut { .. } => "timed_out",
            Self::Full { .. } => "too_many_connections",
            Self::ForeignHost => "foreign_host",
            Self::CrossOrigin => "cross_origin",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal_status(refusal),
            Self::Message(_) | Self::ForeignIssuer(_) => 422,
            Self::NotPermitted | Self::ForeignHost | Self::CrossOrigin => 403,
            Self::Busy | Self::Stopping | Self::Full { .. } => 503,
            Self::UnknownIssuer { .. }
            | Self::IssuerNeeded { .. }
            | Self::BadInput(_)
            | Self::AmbiguousLicense { .. } => 400,
            Self::NoIssuer | Self::UnknownLicense(_) => 409,
            Self::NotFound => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::TooLarge { .. } => 413,
            Self::TimedOut { .. } => 408,
        }
    }

    /// The next step.
    #[must_use]
    pub fn advice(&self) -> String {
        let advice = match self {
            Self::Refused(refusal) => return refusal.advice(),
            Self::Message(_) => "nothing was changed; fetch the response again, or ask the vendor",
            Self::ForeignIssuer(_) => {
                "add the issuer's file to the agent's configuration, or import it elsewhere"
            }
            Self::NotPermitted => "run the command as root, for example with sudo",
            Self::Busy => "nothing was done; try again in a few seconds",
            Self::Stopping => "start the agent again, then repeat the command",
            Self::NoIssuer => {
                "put the vendor's issuer file where the agent looks for it, then restart the agent"
            }
            Self::UnknownIssuer { .. } | Self::IssuerNeeded { .. } => "name a configured issuer",
            Self::BadInput(_) => "correct the call; docs/http.md and docs/dbus.md describe it",
            Self::UnknownLicense(_) => "see `landfast licenses` for what is here",
            Self::AmbiguousLicense { .. } => "give more digits of the license id",
            Self::NotFound => "see /openapi.json for what there is",
            Self::MethodNotAllowed { .. } => "use another method",
            Self::TooLarge { .. } => "check that this is the right file",
            Self::TimedOut { .. } => "send the whole body at once",
            Self::Full { .. } => "try again in a few seconds, and close connections that are not needed",
            Self::ForeignHost => {
                "use http://127.0.0.1, http://localhost or http://[::1] with the configured port"
            }
            Self::CrossOrigin => "call from a program, not from a web page; the Unix socket serves both",
        };
        advice.to_owned()
    }
}

fn refusal_status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotReached { failure: TransportFailure::NoAddress, .. } => 409,
        Refusal::NotReached { failure: TransportFailure::Unreachable(_), .. } => 504,
        Refusal::NotReached { .. } => 502,
        Refusal::NotHeld(_)
        | Refusal::TooMany { .. }
        | Refusal::NothingHeld
        | Refusal::TooManyPending(_)
        | Refusal::RequestNotMade(_)
        | Refusal::Sealed(_) => 409,
        Refusal::HardwareNotRead => 503,
        Refusal::BadCommand(_) => 400,
        Refusal::BadResponse { .. } => 422,
        Refusal::Store(_) | Refusal::VerdictNotStored(_) | Refusal::StoreLost => 507,
    }
}
