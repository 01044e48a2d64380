//! What can happen to a device.

use crate::effect::Ticket;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::{ActivationId, Duration, LicenseId};

/// Something that happened. The shell reports, the machine decides.
#[derive(Clone, Debug)]
pub enum Event {
    /// The agent has started. Always the first event, followed by the first [`Event::Evidence`].
    Start,
    /// The hardware was looked at.
    Evidence(HardwareReading),
    /// An administrator wants licenses.
    Activate {
        /// Whom to answer.
        ticket: Ticket,
        /// Activation ids with the units to hold; none for the license's usual share.
        licenses: Vec<(ActivationId, Option<u32>)>,
        /// How the request travels.
        delivery: Delivery,
    },
    /// An administrator gives licenses back. It is final when this event's record is durable.
    Return {
        /// Whom to answer.
        ticket: Ticket,
        /// Which licenses.
        selection: Selection,
        /// How the request travels.
        delivery: Delivery,
    },
    /// An administrator wants the latest license information.
    Reclaim {
        /// Whom to answer.
        ticket: Ticket,
        /// How the request travels.
        delivery: Delivery,
    },
    /// An administrator announces a swap of hardware.
    PlanChange {
        /// Whom to answer.
        ticket: Ticket,
        /// How long it may take until the swap.
        window: Duration,
        /// How the request travels.
        delivery: Delivery,
    },
    /// A response arrived, raw or armored.
    Response {
        /// Whom to answer; none for the answer to a request that the agent sent by itself.
        ticket: Option<Ticket>,
        /// The bytes as they arrived.
        bytes: Vec<u8>,
        /// How it arrived.
        carrier: Carrier,
    },
    /// A request could not be delivered, or no usable answer came back.
    SendFailed {
        /// The counter of the request.
        counter: u64,
        /// Why.
        failure: TransportFailure,
    },
    /// The time asked for with [`crate::Effect::WakeAt`] has come.
    Wake,
    /// The agent is stopping; the mark of licensing time is saved.
    Shutdown,
}

/// How a request is to travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By the agent itself, retried until answered.
    Online,
    /// By hand: the reply carries the request, and the agent does not send it. Where it has an address, it asks for what
    /// is still pending by itself after an hour, in a request that lists this one.
    File,
}

/// What to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Everything held or still being activated.
    All,
    /// These licenses, with the units to give back; none for all of them.
    Licenses(Vec<(LicenseId, Option<u32>)>),
}

/// How a response arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Over the agent's own connection.
    Online,
    /// Imported by an administrator or a fleet tool.
    File,
}

impl Event {
    /// Who is answered because of it.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Activate { ticket, .. }
            | Self::Return { ticket, .. }
            | Self::Reclaim { ticket, .. }
            | Self::PlanChange { ticket, .. } => Some(*ticket),
            Self::Response { ticket, .. } => *ticket,
            Self::Start | Self::Evidence(_) | Self::SendFailed { .. } | Self::Wake | Self::Shutdown => None,
        }
    }
}

/// Why a request was not answered. None of these loses anything: the request is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportFailure {
    /// No address is configured.
    #[error("no authority address is configured for this issuer")]
    NoAddress,
    /// No connection, or none in time.
    #[error("the authority cannot be reached: {0}")]
    Unreachable(String),
    /// The TLS handshake failed: wrong name, expired, unknown CA.
    #[error("the authority's TLS certificate is not accepted: {0}")]
    Tls(String),
    /// The authority is overloaded or out of order; it says so itself.
    #[error("the authority cannot answer now: {0}")]
    Unavailable(String),
    /// The authority refused the request as such.
    #[error("the authority refused the request: {0}")]
    Refused(String),
    /// Something answered that is no authority: wrong content type, too large, garbage.
    #[error("the answer is not from a license authority: {0}")]
    Garbage(String),
}

impl TransportFailure {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::Unreachable(_) => "authority_unreachable",
            Self::Tls(_) => "authority_tls",
            Self::Unavailable(_) => "authority_unavailable",
            Self::Refused(_) => "request_refused",
            Self::Garbage(_) => "answer_unusable",
        }
    }
}
