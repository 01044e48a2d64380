//! When to ask the authority without being asked to, and when to try again.

use crate::effect::Refusal;
use crate::event::TransportFailure;
use crate::planned::Settling;
use crate::view::{BindingState, IssuerView};
use crate::work::{MARK_EVERY, Work};
use landfast_protocol::{Duration, Timestamp};

const FIRST_RETRY: u64 = 15;
const LAST_RETRY: u64 = 3600;
/// Nothing is asked by itself more often than this.
const CALM: Duration = Duration::hours(1);
/// A term that ends within this is asked for once a day: it may have been renewed.
const RENEWAL_WATCH: Duration = Duration::days(7);

/// How it goes with the outstanding request. Not stored: after a restart it is simply sent again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contact {
    /// When the newest request was made, or the agent started, by the boot clock.
    pub asked: Duration,
    /// Its answer was not acceptable, and will be the same whenever it is asked for.
    pub spoilt: bool,
    pub attempts: u32,
    /// By the boot clock; none while an attempt is under way or nothing waits.
    pub next_try: Option<Duration>,
    pub last_failure: Option<TransportFailure>,
}

impl Contact {
    /// A new request replaces the one before.
    pub fn renew(&mut self, now: Duration) {
        // One that is made because of an answer like that is one more attempt.
        self.attempts = if self.spoilt { self.attempts } else { 0 };
        self.spoilt = false;
        self.asked = now;
        self.next_try = None;
    }

    pub fn answered(&mut self) {
        *self = Self { asked: self.asked, ..Self::default() };
    }

    /// From here on a request may take the place of the newest one.
    fn replaceable_at(&self) -> Duration {
        Duration(self.asked.0.saturating_add(CALM.0))
    }
}

impl Work<'_> {
    pub fn send_failed(&mut self, counter: u64, failure: TransportFailure) {
        let waits = self.inner.state.outstanding.as_ref().map(|request| request.name.counter);
        if waits == Some(counter) {
            self.attempt_failed(&failure, None);
        }
    }

    /// Callers are told at once and can go; the request stays and is tried again, ever more seldom.
    pub fn attempt_failed(&mut self, failure: &TransportFailure, refusal: Option<&Refusal>) {
        let contact = &mut self.inner.contact;
        let ceiling = FIRST_RETRY.saturating_mul(1 << contact.attempts.min(8)).min(LAST_RETRY);
        contact.attempts = contact.attempts.saturating_add(1);
        contact.last_failure = Some(failure.clone());
        let retry_in = Duration(ceiling / 2 + self.entropy.below(ceiling / 2 + 1));
        self.inner.contact.next_try = Some(Duration(self.now.boot.0.saturating_add(retry_in.0)));
        for waiting in std::mem::take(&mut self.inner.waiting) {
            let told = refusal.cloned().unwrap_or(Refusal::NotReached { failure: failure.clone(), retry_in });
            self.reply(waiting.ticket, Err(told));
        }
    }

    pub fn wake(&mut self) {
        let due = self.inner.contact.next_try.is_some_and(|at| self.now.boot >= at);
        let waits = self.inner.state.outstanding.as_ref().is_some_and(|request| request.online);
        if due {
            let contact = &mut self.inner.contact;
            contact.next_try = None;
            self.send = waits && self.settings.online;
            if self.send && contact.spoilt && self.now.boot >= contact.replaceable_at() {
                // The authority answers the same bytes in the same way for ever; others may be answered better. Where
                // none can be made now, the old ones are sent.
                let _ = self.make_request(true);
            }
        }
    }

    /// Asks by itself when something is due and nothing is under way.
    pub fn refresh_if_due(&mut self) {
        let due = self.refresh_at().is_some_and(|at| self.time() >= at);
        if due && self.may_refresh() && self.now.boot >= self.free_at() {
            // Where no request can be made now, the next wake tries again.
            let _ = self.make_request(true);
        }
    }

    /// Nothing is under way that the agent delivers, and there is something to show: a request without evidence would
    /// loosen the binding. A request that somebody carries, or has lost, stands in nobody's way: the next one lists it.
    fn may_refresh(&self) -> bool {
        let inner = &self.inner;
        let able =
            self.settings.online && !inner.state.retired && inner.lost_since.is_none() && !self.stopping;
        let delivers = inner.state.outstanding.as_ref().is_some_and(|request| request.online);
        able && !delivers && inner.reading.is_some() && !inner.is_shut()
    }

    /// From here on, by the boot clock, the agent may ask by itself: who carries a request is given time.
    fn free_at(&self) -> Duration {
        match self.inner.state.outstanding {
            Some(_) => self.inner.contact.replaceable_at(),
            None => Duration(0),
        }
    }

    /// The licensing time at which the agent asks by itself.
    fn refresh_at(&self) -> Option<Timestamp> {
        let grant = self.inner.grant.as_ref()?;
        let asked = self.inner.state.last_answer.unwrap_or(grant.issued_at);
        let mut wanted: Vec<Timestamp> = Vec::new();
        if !self.inner.state.pending.is_empty() || grant.hold.is_some() {
            wanted.push(asked);
        }
        // An hour after a part was replaced the technician is done, and the new state is worth binding to.
        if self.inner.binding == BindingState::Drifted {
            wanted.extend(self.inner.drifted_since.map(|since| since.after(CALM)));
        }
        // The authority still binds to the old hardware.
        if self.inner.state.rebound.is_some() {
            wanted.push(asked);
        }
        if let Some(end) = grant.lease_until {
            wanted.push(Timestamp(grant.issued_at.0 / 2 + end.0 / 2));
        }
        let terms = grant.tokens.iter().filter_map(|token| token.not_after);
        wanted.extend(
            terms.map(|end| {
                Timestamp(end.0.saturating_sub(RENEWAL_WATCH.0)).max(asked.after(Duration::days(1)))
            }),
        );
        wanted.into_iter().min().map(|at| at.max(asked.after(CALM)))
    }

    /// The next instant, by the boot clock, at which something happens by itself.
    pub fn next_wake(&self, view: &IssuerView) -> Option<Duration> {
        if !self.inner.started {
            return None;
        }
        let time = self.time();
        let at_boot =
            |at: Timestamp| Duration(self.now.boot.0.saturating_add(at.since(time).0).saturating_add(1));
        let view_turn = view.features.next_turn(time).map(at_boot);
        let refresh = self.refresh_at().filter(|_| self.may_refresh()).map(at_boot);
        let refresh = refresh.map(|at| at.max(self.free_at()));
        let settled = self.inner.settling.as_ref().map(Settling::settles_at);
        let plan_ends = self.end_of_plan().map(at_boot);
        let saved = self.inner.mark_saved.0.saturating_add(MARK_EVERY.0);
        let mark = self.inner.lost_since.is_none().then_some(Duration(saved));
        [self.inner.contact.next_try, view_turn, refresh, settled, plan_ends, mark]
            .into_iter()
            .flatten()
            .min()
    }
}
