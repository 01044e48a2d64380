//! The verdict on the hardware over time: bound, drifted, broken since.

use crate::machine::Inner;
use crate::view::BindingState;
use crate::work::Work;
use landfast_protocol::Timestamp;
use landfast_protocol::binding::{Comparison, Verdict, compare};
use landfast_protocol::evidence::Evidence;

impl Work<'_> {
    /// Compares what was read last with what the grant is bound to.
    pub fn judge(&mut self) {
        self.follow_plan();
        let (time, since) = (self.time(), self.inner.state.broken_since);
        let line = self.inner.judge(time);
        // The end of a break is worth storing as much as its beginning.
        self.durable |= self.inner.state.broken_since != since;
        if let Some(message) = line {
            self.note(CHANGED, message);
        }
    }
}

/// The code of the line that history gets.
pub(crate) const CHANGED: &str = "binding_changed";

impl Inner {
    /// Compares what was read last with what the grant is bound to. Gives a line for the history if it is worth one.
    pub fn judge(&mut self, time: Timestamp) -> Option<String> {
        let (state, comparison) = judged(self);
        self.comparison = comparison;
        let before = std::mem::replace(&mut self.binding, state);
        // A break counts from when it was first seen.
        match state {
            BindingState::Broken => self.state.broken_since = self.state.broken_since.or(Some(time)),
            BindingState::Bound | BindingState::Drifted | BindingState::Unbound => {
                self.state.broken_since = None;
            }
            BindingState::Indeterminate => {}
        }
        self.drifted_since = match state {
            BindingState::Drifted => self.drifted_since.or(Some(time)),
            _ => None,
        };
        let worth_a_line = |state| matches!(state, BindingState::Drifted | BindingState::Broken);
        let changed =
            before != state && self.reading.is_some() && (worth_a_line(before) || worth_a_line(state));
        changed.then(|| format!("binding {} -> {}", before.name(), state.name()))
    }

    /// As [`Inner::judge`] where nothing can be stored: a break that is stored goes on until its end is stored.
    pub fn judge_unstored(&mut self, time: Timestamp) -> Option<String> {
        let before = (self.binding, self.state.broken_since);
        let line = self.judge(time);
        if before.1.is_some() && self.state.broken_since.is_none() {
            (self.binding, self.state.broken_since) = before;
            return None;
        }
        line
    }
}

/// What the tokens held here are bound to; none while nothing is.
pub(crate) fn enrolled(inner: &Inner) -> Option<&Evidence> {
    let grant = inner.grant.as_deref().filter(|grant| !grant.tokens.is_empty())?;
    let plan = grant.planned_change.map(|plan| plan.operation);
    let taken_over = inner.state.rebound.as_ref().filter(|rebound| Some(rebound.plan) == plan);
    taken_over.map(|rebound| &rebound.evidence).or(grant.binding.as_ref())
}

/// The hardware as it was read last, and how it compares with what the tokens are bound to.
pub(crate) fn compared(inner: &Inner) -> Option<(Evidence, Comparison)> {
    let policy = &inner.grant.as_deref()?.policy;
    let current = Evidence::digest(inner.reading.as_deref()?, &inner.state.issuer);
    let comparison = compare(enrolled(inner)?, &current, policy);
    Some((current, comparison))
}

/// A verdict without history.
pub(crate) fn state_of(verdict: Verdict) -> BindingState {
    match verdict {
        Verdict::Bound => BindingState::Bound,
        Verdict::Drifted => BindingState::Drifted,
        Verdict::Broken => BindingState::Broken,
        Verdict::Indeterminate => BindingState::Indeterminate,
    }
}

fn judged(inner: &Inner) -> (BindingState, Option<Comparison>) {
    if inner.grant.as_deref().is_none_or(|grant| grant.tokens.is_empty()) {
        return (BindingState::Unbound, None);
    }
    if enrolled(inner).is_none() {
        return (BindingState::Indeterminate, None);
    }
    let Some((_, comparison)) = compared(inner) else {
        return (unread(inner), None);
    };
    let state = match comparison.verdict {
        // The last clear verdict stands: what cannot be read neither breaks a binding nor mends it.
        Verdict::Indeterminate if inner.state.broken_since.is_some() => BindingState::Broken,
        verdict => state_of(verdict),
    };
    (state, Some(comparison))
}

/// The verdict while no hardware was looked at.
pub(crate) fn unread(inner: &Inner) -> BindingState {
    let holds = inner.grant.as_deref().is_some_and(|grant| !grant.tokens.is_empty());
    match inner.state.broken_since {
        _ if !holds => BindingState::Unbound,
        Some(_) => BindingState::Broken,
        None => BindingState::Indeterminate,
    }
}
