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
        let time = self.time();
        let (state, comparison) = judged(&self.inner);
        self.inner.comparison = comparison;
        let before = std::mem::replace(&mut self.inner.binding, state);
        self.follow_breaking(before, state, time);
        self.inner.drifted_since = match state {
            BindingState::Drifted => self.inner.drifted_since.or(Some(time)),
            _ => None,
        };
        let worth_a_line = |state| matches!(state, BindingState::Drifted | BindingState::Broken);
        if before != state && self.inner.reading.is_some() && (worth_a_line(before) || worth_a_line(state)) {
            self.note("binding_changed", format!("binding {} -> {}", before.name(), state.name()));
        }
    }

    /// A break counts from when it was first seen, and its end is worth storing as much as its beginning.
    fn follow_breaking(&mut self, before: BindingState, state: BindingState, time: Timestamp) {
        let since = &mut self.inner.state.broken_since;
        match state {
            BindingState::Broken if since.is_none() => *since = Some(time),
            BindingState::Bound | BindingState::Drifted | BindingState::Unbound if since.is_some() => {
                *since = None
            }
            _ => return,
        }
        self.durable |= before != state || self.inner.started;
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
        let known = if inner.state.broken_since.is_some() { BindingState::Broken } else { inner.binding };
        return (known, None);
    };
    let state = match comparison.verdict {
        // The last clear verdict stands: what cannot be read neither breaks a binding nor mends it.
        Verdict::Indeterminate if inner.state.broken_since.is_some() => BindingState::Broken,
        verdict => state_of(verdict),
    };
    (state, Some(comparison))
}
