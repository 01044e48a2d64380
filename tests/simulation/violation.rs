//! What must never happen, and what did.

use std::fmt::{self, Display};

/// The rules that are checked after every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// I1: checks on all devices together grant no more than was sold.
    NeverMoreThanSold,
    /// I2: every unit is in the wallet or on one device.
    NothingLost,
    /// I3: the same request gets the same bytes.
    SameAnswer,
    /// I3: an operation acts once.
    ActsOnce,
    /// I3: an operation has one final result.
    OneResult,
    /// I4: the stored record is the truth, before and after a restart.
    RecordIsTruth,
    /// One counter names one sequence of bytes, and counters rise.
    OneCounterOneContent,
    /// An honest history is never taken for a forked one.
    NoFalseFork,
    /// A forked history is found.
    ForkNoticed,
    /// A license taken without proof is not taken back by a request that does not know of it.
    NotRetaken,
    /// Publish before Send, and before any answer.
    PublishFirst,
    /// Each caller is answered exactly once.
    AnsweredOnce,
    /// The authority answers as the rules say.
    AsTheRulesSay,
    /// Damaged messages and those of others are refused.
    RefusesForeign,
    /// After at most two whole exchanges nothing is pending, both sides agree, and every license is usable.
    Settles,
    /// The simulation itself could not go on.
    Harness,
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How.
    pub detail: String,
}

impl Violation {
    /// `rule` was broken in this way.
    pub fn of(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }
}
impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.detail)
    }
}
impl std::error::Error for Violation {}

/// Breaks `rule` unless `holds`.
pub(crate) fn demand(holds: bool, rule: Rule, detail: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::of(rule, detail())) }
}

/// Something that works in every run, and its failure is one of the simulation.
pub(crate) fn works<T, E: Display>(result: Result<T, E>, what: &str) -> Result<T, Violation> {
    result.map_err(|error| Violation::of(Rule::Harness, format!("{what}: {error}")))
}
