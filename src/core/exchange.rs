//! The exchange as the device sees it: making a request, taking a response. `docs/protocol.md` has the rules and
//! why each is there; do not simplify one without a run of the simulation.

use crate::clock::SignedTime;
use crate::effect::{Refusal, Reply, Ticket};
use crate::event::{Carrier, TransportFailure};
use crate::state::Outstanding;
use crate::view::ResultView;
use crate::work::Work;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::frame::{FrameError, Sealed};
use landfast_protocol::grant::{Grant, RequestName};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::{ClockReport, MAX_LISTED, PlanUsed, Previous, Request};
use landfast_protocol::response::{Disposition, Response};
use landfast_protocol::{Digest, List, OperationId, Timestamp, armor};
use std::sync::Arc;

/// A response that was verified against trust and history, before anything of it is taken.
struct Accepted {
    response: Response,
    grant: Grant,
    revocations: Option<Vec<u8>>,
}

impl Work<'_> {
    /// Signs everything that has no final result yet under a new counter, and makes it the outstanding request.
    pub fn make_request(&mut self, online: bool) -> Result<(), Refusal> {
        // Without evidence the authority would judge another machine, or none.
        let reading = self.inner.reading.clone().ok_or(Refusal::HardwareNotRead)?;
        if let Some(why) = self.inner.shut() {
            return Err(Refusal::Sealed(why.to_string()));
        }
        let asked_at = self.time();
        let clock = ClockReport {
            wall: self.now.wall,
            licensing: asked_at,
            trusted: self.inner.state.time.trusts_wall(&self.now),
        };
        let nonce = self.entropy.nonce();
        let state = &mut self.inner.state;
        let previous = state.previous;
        let from = previous.map_or(0, |previous| previous.executed);
        let known: Vec<_> = state.made.iter().filter(|name| name.counter >= from).copied().collect();
        let newest = known.len().saturating_sub(MAX_LISTED);
        let failed = |reason: &dyn ToString| Refusal::RequestNotMade(reason.to_string());
        let counter = state.counter.checked_add(1).ok_or_else(|| failed(&"no counter is left"))?;
        let request = Request {
            issuer: state.issuer,
            counter,
            nonce,
            previous,
            listed: List::new(known[newest..].to_vec()).map_err(|error| failed(&error))?,
            clock,
            system: self.settings.system.clone(),
            needs: List::default(),
            label: self.settings.label.clone(),
            evidence: Evidence::digest(&reading, &state.issuer),
            planned_change_used: state
                .rebound
                .as_ref()
                .map(|rebound| PlanUsed { operation: rebound.plan, evidence: rebound.evidence.clone() }),
            operations: List::new(state.pending.iter().map(|p| p.operation.clone()).collect())
                .map_err(|error| failed(&error))?,
        };
        let sealed = Sealed::seal(&request, &state.key(), &[]).map_err(|error| failed(&error))?;
        let name = RequestName { counter, digest: sealed.digest() };
        state.counter = counter;
        state.remember(name);
        state.outstanding = Some(Outstanding { name, bytes: sealed.into_bytes(), online, asked_at });
        self.inner.contact.renew(self.now.boot);
        self.durable = true;
        self.send |= online;
        Ok(())
    }

    /// A response arrived: all of it is taken, or nothing.
    pub fn response(&mut self, ticket: Option<Ticket>, bytes: &[u8], carrier: Carrier) {
        if self.inner.lost_since.is_some() {
            if let Some(ticket) = ticket {
                self.reply(ticket, Err(Refusal::StoreLost));
            }
            return;
        }
        match self.accept(bytes) {
            Ok(accepted) => self.take(ticket, accepted),
            Err(refusal) => self.refuse_response(ticket, refusal, carrier),
        }
    }

    fn refuse_response(&mut self, ticket: Option<Ticket>, refusal: Refusal, carrier: Carrier) {
        if let Some(ticket) = ticket {
            return self.reply(ticket, Err(refusal));
        }
        if carrier == Carrier::Online {
            self.inner.contact.spoilt = true;
            self.attempt_failed(&TransportFailure::Garbage(refusal.to_string()), Some(&refusal));
        }
    }

    /// Verifies; changes nothing.
    fn accept(&self, bytes: &[u8]) -> Result<Accepted, Refusal> {
        let bad = |error: FrameError| Refusal::BadResponse { code: error.code(), message: error.to_string() };
        let refuse = |code, message: String| Err(Refusal::BadResponse { code, message });
        let bytes = armor::decode(bytes).map_err(bad)?;
        let response: Response = self.inner.trust.open(&bytes).map_err(bad)?;
        if response.device != self.inner.device {
            return refuse("wrong_device", format!("it is for device {}", response.device.short()));
        }
        let foreign = response.answers.filter(|answer| !self.inner.state.made.contains(&answer.request));
        if let Some(answer) = foreign {
            let counter = answer.request.counter;
            return refuse(
                "unknown_request",
                format!("it answers request {counter}, which this device did not make"),
            );
        }
        let revocations = match &response.revocations {
            Some(frame) => {
                let mut trust = self.inner.trust.clone();
                trust.revoke(frame).map_err(bad)?.then(|| frame.to_vec())
            }
            None => None,
        };
        let grant: Grant = self.inner.trust.open(&response.grant).map_err(bad)?;
        if grant.device != self.inner.device {
            return refuse("wrong_device", format!("its grant is for device {}", grant.device.short()));
        }
        let newest = self.inner.state.previous.map(|previous| previous.position);
        if newest.is_some_and(|newest| grant.position.epoch < newest.epoch) {
            return refuse(
                "old_epoch",
                "it comes from before the authority's records were restored".to_owned(),
            );
        }
        Ok(Accepted { response, grant, revocations })
    }

    /// Final results end operations whether or not the grant is newer; the grant is applied if it is newer.
    fn take(&mut self, ticket: Option<Ticket>, accepted: Accepted) {
        let Accepted { response, grant, revocations } = accepted;
        let before = self.inner.state.pending.len();
        let results = self.take_results(&response);
        let newer = self.inner.state.previous.is_none_or(|held| grant.position > held.position);
        if newer {
            self.apply(grant, response.grant.to_vec(), &response);
        }
        if let Some(frame) = revocations {
            let _ = self.inner.trust.revoke(&frame);
            self.inner.state.revocations = Some(frame);
            self.note("keys_revoked", "the issuer revoked signing keys".to_owned());
        }
        self.inner.state.last_answer = Some(self.time());
        self.durable = true;
        self.inner.contact.answered();
        let answered = response.answers.map(|answer| answer.request);
        self.settle_waiting(&results, answered);
        self.settle_outstanding(&response, answered);
        if let Some(ticket) = ticket {
            let changed = newer || self.inner.state.pending.len() != before;
            self.reply(ticket, Ok(Reply { results, changed, request: None }));
        }
    }

    fn take_results(&mut self, response: &Response) -> Vec<ResultView> {
        let mut shown = Vec::new();
        for result in response.results.iter() {
            let Some(at) = self.inner.state.pending.iter().position(|p| p.operation.id == result.id) else {
                continue;
            };
            let action = self.inner.state.pending[at].operation.action.clone();
            let view = crate::show::result(result.id, &action, &result.outcome);
            if let Outcome::Pending { case } = &result.outcome {
                self.inner.state.pending[at].case = Some(*case);
            } else {
                self.inner.state.pending.remove(at);
                self.inner.state.tombstones.retain(|tomb| tomb.operation != result.id);
                self.note_result(&view);
            }
            shown.push(view);
        }
        shown
    }

    fn note_result(&mut self, view: &ResultView) {
        let what = match view.license {
            Some(license) => format!("{} of license {}", view.action, license.short()),
            None => view.action.replace('_', " "),
        };
        let reason = view.detail.as_deref().or(view.reason.as_deref()).unwrap_or_default();
        let code = format!("{}_{}", view.action, view.outcome);
        let message = format!("{what}: {} {reason}", view.outcome);
        self.note(&code, message.trim_end().to_owned());
    }

    fn apply(&mut self, grant: Grant, frame: Vec<u8>, response: &Response) {
        self.take_time(response);
        let state = &mut self.inner.state;
        if let Some(executed) = grant.executed {
            state.counter = state.counter.max(executed.counter);
        }
        state.previous = Some(Previous {
            position: grant.position,
            digest: Digest::of(&frame),
            executed: grant.executed.map_or(0, |name| name.counter),
        });
        state.grant = Some(frame);
        // The authority knows of the swap, or another plan took the place of the one that was used.
        let plan = grant.planned_change.map(|plan| plan.operation);
        state.rebound = state.rebound.take().filter(|rebound| Some(rebound.plan) == plan);
        self.note(
            "grant_applied",
            format!("grant {} applied: {} licenses", grant.position.sequence, grant.tokens.len()),
        );
        self.inner.grant_trouble = None;
        self.inner.grant = Some(Arc::new(grant));
    }

    /// The newest signed time corrects licensing time, and with it what this device noted by it.
    fn take_time(&mut self, response: &Response) {
        let before = self.time();
        let state = &mut self.inner.state;
        let answered = response.answers.map(|answer| answer.request);
        let waits = state.outstanding.as_ref().filter(|waits| Some(waits.name) == answered);
        let asked_at = waits.map(|waits| waits.asked_at);
        let signed = SignedTime { issued_at: response.issued_at, asked_at };
        state.time = state.time.certify(signed, &self.now);
        let time = state.time.now(&self.now);
        let ahead = before.since(time);
        if let Some(waits) = &mut state.outstanding {
            waits.asked_at = Timestamp(waits.asked_at.0.saturating_sub(ahead.0));
        }
        for noted in [&mut state.broken_since, &mut self.inner.drifted_since] {
            *noted = noted.map(|since| since.min(time));
        }
    }

    /// What happens to the request that waits, once a response was taken.
    fn settle_outstanding(&mut self, response: &Response, answered: Option<RequestName>) {
        let Some(waits) = self.inner.state.outstanding.as_ref().map(|request| request.name) else { return };
        let executed = self.inner.grant.as_ref().and_then(|grant| grant.executed);
        if answered != Some(waits) {
            // Its answer was lost, but it was carried out, and nothing of it waits for a result.
            if executed == Some(waits) && self.inner.state.pending.is_empty() {
                self.inner.state.outstanding = None;
            }
            return;
        }
        let online = self.inner.state.outstanding.take().is_some_and(|request| request.online);
        let Some(answer) = response.answers else { return };
        match answer.disposition {
            Disposition::Retired if !self.inner.state.retired => {
                self.inner.state.retired = true;
                self.note("device_retired", "the authority retired this device's key".to_owned());
            }
            // The counter was raised by the grant, so this one is above everything executed.
            Disposition::Superseded if online && self.has_undecided() => {
                // Where no request can be made now, the hourly refresh makes one.
                let _ = self.make_request(true);
            }
            _ => {}
        }
    }

    /// Operations that the authority has not answered at all.
    fn has_undecided(&self) -> bool {
        self.inner.state.pending.iter().any(|pending| pending.case.is_none())
    }

    fn settle_waiting(&mut self, results: &[ResultView], answered: Option<RequestName>) {
        let mut left = Vec::new();
        for mut waiting in std::mem::take(&mut self.inner.waiting) {
            let mine = |view: &&ResultView| view.operation.is_some_and(|id| waiting.operations.contains(&id));
            let news: Vec<_> = results.iter().filter(mine).cloned().collect();
            waiting.results.extend(news);
            let reached = answered.is_some_and(|name| name.counter >= waiting.counter);
            let told = |id: &OperationId| waiting.results.iter().any(|view| view.operation == Some(*id));
            if waiting.operations.iter().all(told) && (reached || !waiting.operations.is_empty()) {
                let reply = Reply { results: waiting.results, changed: true, request: None };
                self.replies.push((waiting.ticket, Ok(reply)));
            } else if reached && !self.will_ask_again() {
                let rest = waiting.operations.iter().filter(|id| !told(id)).copied().collect::<Vec<_>>();
                let mut all = waiting.results;
                all.extend(rest.into_iter().filter_map(|id| self.pending_result(id)));
                self.replies.push((waiting.ticket, Ok(Reply { results: all, changed: true, request: None })));
            } else {
                left.push(waiting);
            }
        }
        self.inner.waiting = left;
    }

    fn will_ask_again(&self) -> bool {
        self.has_undecided()
            && self.settings.online
            && self.inner.grant.as_ref().is_none_or(|g| g.hold.is_none())
    }

    /// An operation that still has no result, for a caller who has to go.
    pub fn pending_result(&self, id: OperationId) -> Option<ResultView> {
        let pending = self.inner.state.pending.iter().find(|pending| pending.operation.id == id)?;
        Some(crate::show::still_pending(pending))
    }
}
