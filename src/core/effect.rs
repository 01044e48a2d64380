//! What the shell has to do, in the order given.

use crate::event::TransportFailure;
use crate::view::{BindingState, IssuerView, ResultView};
use landfast_protocol::{Duration, LicenseId, Timestamp};
use std::sync::Arc;

/// Names a waiting caller. The shell draws it; the machine only repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Replace what checks read. Comes before anything that leaves the machine.
    Publish(Arc<IssuerView>),
    /// Deliver these bytes to the authority; report with `Response` or `SendFailed`. A later `Send` replaces an
    /// earlier one that is still under way.
    Send {
        /// The counter to report back.
        counter: u64,
        /// The signed request, the same bytes at each attempt.
        request: Arc<[u8]>,
        /// Licensing time, which judges the certificate of whoever answers: the wall clock may be wrong.
        time: Timestamp,
    },
    /// Answer a waiting caller. Each ticket is answered exactly once.
    Reply(Ticket, Result<Reply, Refusal>),
    /// Tell listeners.
    Signal(Signal),
    /// Send `Event::Wake` when the boot clock has reached this. Replaces the time asked for before; none for
    /// never.
    WakeAt(Option<Duration>),
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What became of each operation of the command, or of the imported response.
    pub results: Vec<ResultView>,
    /// Whether anything changed on this device.
    pub changed: bool,
    /// The request to carry by hand, for [`crate::event::Delivery::File`].
    pub request: Option<Arc<[u8]>>,
}

/// Why a command was not carried out, or not to its end. Each has a stable code, and says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is durable and is tried again; no answer came yet.
    #[error("{failure}")]
    NotReached {
        /// Why.
        failure: TransportFailure,
        /// Seconds until the next attempt.
        retry_in: Duration,
    },
    /// Neither held nor being activated here.
    #[error("license {} is not on this device", .0.short())]
    NotHeld(LicenseId),
    /// More units than are held.
    #[error("license {} has {held} units here, {asked} were to be returned", license.short())]
    TooMany {
        /// Which license.
        license: LicenseId,
        /// Units held, less those already returned.
        held: u32,
        /// Units asked for.
        asked: u32,
    },
    /// Nothing to return, and nothing that is bound to the hardware.
    #[error("this device holds no license")]
    NothingHeld,
    /// Zero units, or a license named twice.
    #[error("{0}")]
    BadCommand(&'static str),
    /// One request cannot carry more operations.
    #[error("{0} operations are still without an answer, no more fit into one request")]
    TooManyPending(usize),
    /// Nobody has looked at the hardware yet, and a request shows it.
    #[error("the hardware has not been looked at yet")]
    HardwareNotRead,
    /// The request cannot be put together.
    #[error("the request cannot be made: {0}")]
    RequestNotMade(String),
    /// The response is not acceptable.
    #[error("{message}")]
    BadResponse {
        /// A stable code.
        code: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The store did not take the record, so nothing happened.
    #[error("the agent could not store the change, so nothing was done: {0}")]
    Store(String),
    /// The hardware was looked at, and what it means could not be stored.
    #[error("the hardware was looked at, but the agent could not store the verdict: {0}")]
    VerdictNotStored(String),
    /// The store was lost: counter and tombstones are gone.
    #[error("the store of this device is lost")]
    StoreLost,
    /// The key is sealed to the machine, and too little of that machine is there.
    #[error("{0}")]
    Sealed(String),
}

impl Refusal {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotReached { failure, .. } => failure.code(),
            Self::NotHeld(_) => "not_held",
            Self::TooMany { .. } => "too_many_units",
            Self::NothingHeld => "nothing_held",
            Self::BadCommand(_) => "bad_command",
            Self::TooManyPending(_) => "too_many_pending",
            Self::HardwareNotRead => "hardware_not_read",
            Self::RequestNotMade(_) => "request_not_made",
            Self::BadResponse { code, .. } => code,
            Self::Store(_) | Self::VerdictNotStored(_) => "store_failed",
            Self::StoreLost => "store_lost",
            Self::Sealed(_) => "secrets_sealed",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::NotReached { failure: TransportFailure::NoAddress, .. } => {
                "add `addresses` to the issuer file, or carry the request by hand with --offline".to_owned()
            }
            Self::NotReached { retry_in, .. } => format!(
                "nothing is lost: the request is kept and tried again in {} s; see `landfast pending`",
                retry_in.0
            ),
            Self::NotHeld(_) => "see `landfast licenses` for what is here".to_owned(),
            Self::TooMany { held, .. } => format!("return at most {held}"),
            Self::NothingHeld => "see `landfast licenses`".to_owned(),
            Self::BadCommand(_) => "correct the command".to_owned(),
            Self::TooManyPending(_) => {
                "wait until the authority was reached; see `landfast pending`".to_owned()
            }
            Self::HardwareNotRead => {
                "nothing was done; run `landfast rescan`, then repeat the command".to_owned()
            }
            Self::RequestNotMade(_) => {
                "nothing was done; ask for fewer licenses at once, or tell the vendor this sentence".to_owned()
            }
            Self::BadResponse { .. } => {
                "nothing was changed; fetch the response again, or ask the vendor".to_owned()
            }
            Self::Store(_) => "free space in, or mend, the state directory, then try again".to_owned(),
            Self::VerdictNotStored(_) => {
                "free space in, or mend, the state directory; until then the stricter verdict counts: see `landfast fingerprint`"
                    .to_owned()
            }
            Self::StoreLost => "run `landfast doctor`, which says how to begin anew".to_owned(),
            Self::Sealed(_) => "licenses stay granted through the grace of their binding meanwhile".to_owned(),
        }
    }
}

/// What listeners are told. The views hold the details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What a check answers may have changed.
    EntitlementsChanged,
    /// The verdict on the hardware changed.
    BindingChanged {
        /// Before.
        from: BindingState,
        /// Now.
        to: BindingState,
    },
    /// The set of licenses changed.
    LicensesChanged,
    /// An operation got its result, or a command left one pending.
    OperationsChanged,
}
