//! The verdict on the hardware over time: bound, drifted, broken since.

use crate::machine::Inner;
use crate::view::BindingState;
use crate::work::Work;
use landfast_protocol::Timestamp;
use landfast_protocol::binding::{Verdict, compare};
use landfast_protocol::evidence::Evidence;

impl Work<'_> {
    /// Compares what was read last with what the grant is bound to.
    pub fn judge(&mut self) {
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
    grant.binding.as_ref()
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

fn judged(inner: &Inner) -> (BindingState, Option<landfast_protocol::binding::Comparison>) {
    let Some(grant) = inner.grant.as_deref().filter(|grant| !grant.tokens.is_empty()) else {
        return (BindingState::Unbound, None);
    };
    let Some(enrolled) = enrolled(inner) else { return (BindingState::Indeterminate, None) };
    let Some(reading) = inner.reading.as_deref() else {
        let known = if inner.state.broken_since.is_some() { BindingState::Broken } else { inner.binding };
        return (known, None);
    };
    let comparison = compare(enrolled, &Evidence::digest(reading, &inner.state.issuer), &grant.policy);
    let state = match comparison.verdict {
        // The last clear verdict stands: what cannot be read neither breaks a binding nor mends it.
        Verdict::Indeterminate if inner.state.broken_since.is_some() => BindingState::Broken,
        verdict => state_of(verdict),
    };
    (state, Some(comparison))
}
