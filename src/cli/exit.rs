//! Exit codes, and which of the agent's codes leads to which.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or granted.
    Done = 0,
    /// Denied, or refused by rule.
    Denied = 1,
    /// Called wrongly.
    Usage = 2,
    /// Agent or authority not reachable, or not able to work.
    NotReachable = 3,
    /// Bad or untrusted input.
    BadInput = 4,
    /// Not permitted.
    NotPermitted = 5,
    /// Pending: a case is open.
    Pending = 6,
}

/// What `landfast --help` says about exit codes.
pub(crate) const HELP: &str = "Exit codes:
  0  done, or granted
  1  denied, or refused by rule
  2  called wrongly
  3  agent or authority not reachable
  4  bad or untrusted input
  5  not permitted
  6  pending: a case is open";

/// Every code that a call can end with: those of the agent (docs/http.md), of the client and of this command.
const CODES: &[(&str, Exit)] = &[
    ("nothing_held", Exit::Denied),
    ("not_held", Exit::Denied),
    ("too_many_units", Exit::Denied),
    ("too_many_pending", Exit::Denied),
    ("request_not_made", Exit::Denied),
    ("request_refused", Exit::Denied),
    ("store_lost", Exit::Denied),
    ("secrets_sealed", Exit::Denied),
    ("no_issuer", Exit::Denied),
    ("not_confirmed", Exit::Denied),
    ("usage", Exit::Usage),
    ("bad_question", Exit::Usage),
    ("confirmation_needed", Exit::Usage),
    ("issuer_needed", Exit::Usage),
    ("no_address", Exit::NotReachable),
    ("authority_unreachable", Exit::NotReachable),
    ("authority_tls", Exit::NotReachable),
    ("authority_unavailable", Exit::NotReachable),
    ("agent_unreachable", Exit::NotReachable),
    ("busy", Exit::NotReachable),
    ("stopping", Exit::NotReachable),
    ("too_many_connections", Exit::NotReachable),
    ("timed_out", Exit::NotReachable),
    ("store_failed", Exit::NotReachable),
    ("hardware_not_read", Exit::NotReachable),
    ("not_found", Exit::NotReachable),
    ("method_not_allowed", Exit::NotReachable),
    ("no_runtime", Exit::NotReachable),
    ("answer_unusable", Exit::BadInput),
    ("agent_unexpected", Exit::BadInput),
    ("bad_input", Exit::BadInput),
    ("bad_command", Exit::BadInput),
    ("bad_id", Exit::BadInput),
    ("bad_time", Exit::BadInput),
    ("bad_file", Exit::BadInput),
    ("unknown_issuer", Exit::BadInput),
    ("foreign_issuer", Exit::BadInput),
    ("ambiguous_license", Exit::BadInput),
    ("too_large", Exit::BadInput),
    ("not_a_message", Exit::BadInput),
    ("unknown_version", Exit::BadInput),
    ("wrong_kind", Exit::BadInput),
    ("bad_signature", Exit::BadInput),
    ("untrusted_signer", Exit::BadInput),
    ("malformed_message", Exit::BadInput),
    ("wrong_device", Exit::BadInput),
    ("unknown_request", Exit::BadInput),
    ("old_epoch", Exit::BadInput),
    ("not_permitted", Exit::NotPermitted),
    ("agent_forbidden", Exit::NotPermitted),
    ("foreign_host", Exit::NotPermitted),
    ("cross_origin", Exit::NotPermitted),
];

impl Exit {
    /// Every known code and where it leads.
    pub fn codes() -> impl Iterator<Item = (&'static str, Self)> {
        CODES.iter().copied()
    }

    /// Where a known code leads.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        CODES.iter().find(|(known, _)| *known == code).map(|(_, exit)| *exit)
    }

    /// Where the code of a newer agent leads, by the HTTP status that came with it.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::NotPermitted,
            400 | 413 | 415 | 422 => Self::BadInput,
            404 | 405 | 408 | 429 | 500.. => Self::NotReachable,
            _ => Self::Denied,
        }
    }

    /// The one that says more of two that happened.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Pending => 1,
            Self::Denied => 2,
            Self::NotReachable => 3,
            Self::BadInput => 4,
            Self::NotPermitted => 5,
            Self::Usage => 6,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
