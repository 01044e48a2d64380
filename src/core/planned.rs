//! Planned changes: a swap of hardware that was announced is taken over by the device itself, once.
//!
//! `docs/adr/0010-planned-change.md` has the reasons.

use crate::binding::compared;
use crate::machine::Inner;
use crate::state::Rebound;
use crate::view::PlanView;
use crate::work::Work;
use landfast_protocol::binding::Verdict;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::PlannedChange;
use landfast_protocol::{Duration, Timestamp};

/// Hardware that has been the same for so long by the boot clock is not in the middle of a swap any more.
pub(crate) const SETTLED: Duration = Duration(60);

/// Hardware that is taken over once it has settled.
#[derive(Clone, Debug)]
pub(crate) struct Settling {
    evidence: Evidence,
    /// Since when it is as it is, by the boot clock.
    since: Duration,
}

impl Settling {
    /// When it is taken over, by the boot clock.
    pub fn settles_at(&self) -> Duration {
        Duration(self.since.0.saturating_add(SETTLED.0))
    }
}

impl Work<'_> {
    /// Takes changed hardware over, if a planned change allows it and the hardware has settled.
    pub fn follow_plan(&mut self) {
        self.note_end_of_plan();
        let Some((plan, evidence)) = self.planned_swap() else {
            self.inner.settling = None;
            return;
        };
        let same = |settling: &Settling| settling.evidence == evidence;
        if !self.inner.settling.as_ref().is_some_and(same) {
            self.inner.settling = Some(Settling { evidence, since: self.now.boot });
            return;
        }
        let settled =
            self.inner.settling.as_ref().is_none_or(|settling| self.now.boot >= settling.settles_at());
        // An event makes one request. A command's own is made first, and would not say what follows here.
        if !settled || !self.may_take_over {
            return;
        }
        self.inner.settling = None;
        let at = self.time();
        self.inner.state.rebound = Some(Rebound { plan: plan.operation, evidence, at });
        self.note("planned_change_used", "the changed hardware was taken over, as planned".to_owned());
        if self.settings.online {
            // Where no request can be made now, the hourly refresh makes one.
            let _ = self.make_request(true);
        }
    }

    /// The open plan and the hardware that it lets the device take over.
    fn planned_swap(&self) -> Option<(PlannedChange, Evidence)> {
        let inner = &*self.inner;
        let able = inner.lost_since.is_none() && !inner.state.retired;
        let plan = unused(inner).filter(|plan| able && self.time() < plan.until)?;
        let grant = inner.grant.as_deref().filter(|grant| grant.hold.is_none())?;
        let (evidence, comparison) = compared(inner)?;
        let changed = matches!(comparison.verdict, Verdict::Drifted | Verdict::Broken);
        (changed && grant.policy.can_enrol(&evidence)).then_some((plan, evidence))
    }

    /// A window that closes unused leaves one line.
    fn note_end_of_plan(&mut self) {
        if self.end_of_plan().is_none_or(|end| self.time() < end) {
            return;
        }
        self.inner.state.ended_plan = unused(&self.inner).map(|plan| plan.operation);
        self.note(
            "planned_change_ended",
            "the window for the planned change closed; it was not used".to_owned(),
        );
    }

    /// When the open window closes, in licensing time.
    pub fn end_of_plan(&self) -> Option<Timestamp> {
        let told = |plan: &PlannedChange| self.inner.state.ended_plan == Some(plan.operation);
        let plan = unused(&self.inner).filter(|plan| self.inner.lost_since.is_none() && !told(plan))?;
        Some(plan.until)
    }
}

impl Work<'_> {
    /// A swap was announced, or its announcement is on its way.
    pub fn plan_is_open(&self) -> bool {
        let open = unused(&self.inner).is_some_and(|plan| self.time() < plan.until);
        open || self.inner.state.pending_plan().is_some()
    }
}

/// The grant's planned change, unless it was used.
fn unused(inner: &Inner) -> Option<PlannedChange> {
    let plan = inner.grant.as_deref()?.planned_change?;
    let used = inner.state.rebound.as_ref().is_some_and(|rebound| rebound.plan == plan.operation);
    (!used).then_some(plan)
}

/// A window that is open, or was used and the authority does not know yet.
pub(crate) fn view(inner: &Inner, time: Timestamp) -> Option<PlanView> {
    let plan = inner.grant.as_deref()?.planned_change?;
    let used_at = inner.state.rebound.as_ref().map(|rebound| rebound.at);
    let shown = used_at.is_some() || time < plan.until;
    shown.then_some(PlanView { operation: plan.operation, until: plan.until, used_at })
}
