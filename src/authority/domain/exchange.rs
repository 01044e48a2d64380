//! One exchange: a device's request, what the authority knows, and what follows.

use crate::domain::binding::{rebind, standing};
use crate::domain::catalog::{License, Product};
use crate::domain::device::{DeviceRecord, Holding, OpenCase};
use crate::domain::fork::{Fork, Known, KnownRequest, detect, previous_position};
use crate::domain::history::Event;
use crate::domain::operations::{Desk, held};
use crate::domain::tokens::{self, Held, binding_policy, policy_of};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::grant::{Grant, Position};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Opened;
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{Blob, BoundError, CaseId, IssuerId, LicenseId, List, OperationId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A license that the device holds or that its request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseFacts {
    /// As sold.
    pub license: License,
    /// Of which product.
    pub product: Arc<Product>,
    /// Units that no device holds.
    pub free: u32,
    /// Devices that hold units.
    pub devices_in_use: u32,
    /// Units that this device holds.
    pub held: u32,
    /// It took its share, whatever that is, and follows it when the license is expanded.
    pub by_share: bool,
    /// The first grant without it, after it was taken from this device without proof.
    pub taken_at: Option<Position>,
}

impl LicenseFacts {
    /// The device holds less than the share that it asked for.
    #[must_use]
    pub fn may_grow(&self) -> bool {
        self.by_share && self.held > 0 && self.held < self.license.share()
    }
}

/// Everything that the answer to one request depends on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Who answers.
    pub issuer: IssuerId,
    /// Of the database.
    pub epoch: u32,
    /// None when the device was never heard of.
    pub device: Option<DeviceRecord>,
    /// The counter of the lowest request that is kept of it; not read for requests above the newest executed one.
    pub known_from: Option<u64>,
    /// What its history is judged by.
    pub known: Known,
    /// Final results of operations that the request carries.
    pub results: BTreeMap<OperationId, Outcome>,
    /// Every license that the device holds, and those that the request names.
    pub licenses: BTreeMap<LicenseId, LicenseFacts>,
}

/// The grant that goes into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantContent {
    /// To be signed.
    New(Box<Grant>),
    /// The one that was signed for the device's position before.
    Current,
}

/// A fork that was found: a person has to answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCase {
    /// Its number and how long the tokens stay granted.
    pub open: OpenCase,
    /// How it showed.
    pub fork: Fork,
    /// The counter of the request that showed it.
    pub counter: u64,
}

/// What follows from a request: all of it is saved in one transaction, or none.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The device's new record.
    pub device: DeviceRecord,
    /// Holdings that changed.
    pub holdings: Vec<Holding>,
    /// Operations that have a final result now.
    pub results: Vec<OperationResult>,
    /// Licenses whose counted term starts.
    pub started: Vec<(LicenseId, Timestamp)>,
    /// What is kept of the request for ever.
    pub archived: KnownRequest,
    /// A fork that this request showed.
    pub case: Option<NewCase>,
    /// For the history.
    pub events: Vec<Event>,
    /// The grant for the answer.
    pub grant: GrantContent,
    /// The answer, its grant still missing.
    pub response: Response,
}

/// Decides about a verified request that is not in the archive. `fresh` are random bytes for a case's number.
///
/// It fails only if the stored state breaks the protocol's limits.
pub fn decide(
    facts: &Facts,
    opened: &Opened,
    now: Timestamp,
    fresh: [u8; 8],
) -> Result<Decision, BoundError> {
    let mut arrival = Arrival::new(facts, opened, now);
    let case = arrival.judge_history(fresh);
    match arrival.hold_back() {
        Some(disposition) => arrival.repeat(disposition, case),
        None => arrival.execute(),
    }
}

/// A request on its way through the rules.
struct Arrival<'a> {
    facts: &'a Facts,
    opened: &'a Opened,
    now: Timestamp,
    record: DeviceRecord,
    lost: bool,
    behind: bool,
    events: Vec<Event>,
}

impl<'a> Arrival<'a> {
    fn new(facts: &'a Facts, opened: &'a Opened, now: Timestamp) -> Self {
        let previous = previous_position(&opened.request);
        let mut events = Vec::new();
        let mut record = facts.device.clone().unwrap_or_else(|| {
            events.push(Event::DeviceAdded { device: opened.key.device() });
            DeviceRecord::new(opened.key, facts.epoch, now)
        });
        let unknown = previous > record.position;
        if unknown {
            events.push(Event::UnknownGrantReported {
                device: record.id(),
                reported: previous,
                held: record.position,
            });
        }
        let has_grant = opened.request.previous.is_some();
        let lost = has_grant && (unknown || previous.epoch != facts.epoch);
        record.enter_epoch(facts.epoch);
        let behind = previous < record.cut;
        Self { facts, opened, now, record, lost, behind, events }
    }

    /// Opens a case if the request shows a fork. While one is open nothing more is looked for.
    fn judge_history(&mut self, fresh: [u8; 8]) -> Option<NewCase> {
        let name = self.opened.name;
        let case = if self.behind || self.record.case.is_some() {
            None
        } else {
            detect(&self.facts.known, self.opened, self.record.seen_counter(), self.lost)
        }
        .map(|fork| {
            let grace = policy_of(held(&self.facts.licenses).map(|(_, product, _)| product)).grace;
            let open = OpenCase { id: CaseId(fresh), until: self.now.after(grace) };
            NewCase { open, fork, counter: name.counter }
        });
        if let Some(NewCase { open, fork, counter }) = case {
            self.record.case = Some(open);
            self.record.advance();
            self.events.push(Event::ForkFound { device: self.record.id(), case: open.id, counter, fork });
        }
        if self.record.highest.is_none_or(|highest| highest.counter < name.counter) {
            self.record.highest = Some(name);
            self.record.label.clone_from(&self.opened.request.label);
            self.record.system = self.opened.request.system.clone();
        }
        self.record.last_seen = self.now;
        case
    }

    /// Why nothing of the request is executed.
    fn hold_back(&self) -> Option<Disposition> {
        if self.record.retired {
            return Some(Disposition::Retired);
        }
        if let Some(case) = self.record.case {
            return Some(Disposition::OnHold { case: case.id });
        }
        let superseded = self.behind || self.opened.name.counter <= self.record.seen_counter();
        superseded.then_some(Disposition::Superseded)
    }

    /// The answer to what is not executed: recorded results, and the current grant.
    fn repeat(self, disposition: Disposition, case: Option<NewCase>) -> Result<Decision, BoundError> {
        let recorded = |id: &OperationId| self.facts.results.get(id).cloned();
        let results = self
            .opened
            .request
            .operations
            .iter()
            .filter_map(|operation| {
                Some(OperationResult { id: operation.id, outcome: recorded(&operation.id)? })
            })
            .collect();
        let held: Vec<Held<'_>> = held(&self.facts.licenses).collect();
        let grant = if self.record.granted == Some(self.record.position) {
            GrantContent::Current
        } else {
            GrantContent::New(Box::new(tokens::grant(self.facts.issuer, &self.record, &held, self.now)?))
        };
        let finished = Finished { disposition, results, grant, case, ..Finished::default() };
        self.finish(finished, false)
    }

    /// Executes what has no result yet, each operation once and on its own.
    fn execute(mut self) -> Result<Decision, BoundError> {
        self.take_over();
        let before = self.record.clone();
        let mut desk = Desk::new(self.facts, self.opened, &before, self.now);
        let mut results = Vec::new();
        let mut recorded = Vec::new();
        for operation in self.opened.request.operations.iter() {
            let outcome = match self.facts.results.get(&operation.id) {
                Some(outcome) => outcome.clone(),
                None => {
                    let outcome = desk.run(operation);
                    recorded.push(OperationResult { id: operation.id, outcome: outcome.clone() });
                    outcome
                }
            };
            results.push(OperationResult { id: operation.id, outcome });
        }
        desk.follow_shares();
        self.events.append(&mut desk.events);
        self.record.seen = Some(self.opened.name);
        self.record.advance();
        self.record.planned = desk.planned;
        self.bind(&desk);
        let held: Vec<Held<'_>> = desk.held().collect();
        let grant = tokens::grant(self.facts.issuer, &self.record, &held, self.now)?;
        let finished = Finished {
            disposition: Disposition::Executed,
            results,
            grant: GrantContent::New(Box::new(grant)),
            recorded,
            holdings: desk.changed(),
            started: std::mem::take(&mut desk.started),
            case: None,
        };
        self.finish(finished, true)
    }

    /// A device that used its planned change has other hardware since then, and says which. When its request arrives
    /// does not matter: the device itself kept to the window.
    fn take_over(&mut self) {
        let Some(used) = &self.opened.request.planned_change_used else { return };
        let rules = BindingPolicy::default();
        let planned = self.record.planned.is_some_and(|plan| plan.operation == used.operation);
        let holds = held(&self.facts.licenses).next().is_some();
        if !planned || !holds || !rules.can_enrol(&used.evidence) {
            return;
        }
        let score_permille = standing(self.record.binding.as_ref(), &used.evidence, &rules).score_permille;
        let (device, operation) = (self.record.id(), used.operation);
        self.events.push(Event::ReboundByPlan { device, operation, score_permille });
        self.record.binding = Some(used.evidence.clone());
        self.record.planned = None;
    }

    /// Moves the binding on, and lends what cannot be bound.
    fn bind(&mut self, desk: &Desk<'_>) {
        let evidence = &self.opened.request.evidence;
        let policy = policy_of(desk.held().map(|(_, product, _)| product));
        let rules: BindingPolicy = binding_policy(&policy);
        let standing = desk.standing();
        let old = if desk.was_empty { None } else { self.record.binding.as_ref() };
        let new = rebind(old, evidence, &rules);
        if let Some(bound) = new.as_ref().filter(|new| Some(*new) != self.record.binding.as_ref()) {
            let device = self.record.id();
            self.events.push(match standing.verdict {
                Some(verdict) => Event::Rebound { device, verdict, score_permille: standing.score_permille },
                None => Event::Enrolled { device, weight: rules.enrolled_weight(bound) },
            });
        }
        self.record.lease_until =
            (!desk.is_empty() && standing.is_leased()).then(|| self.now.after(policy.lease));
        self.record.verdict = standing.verdict;
        self.record.binding = new;
    }

    fn finish(mut self, finished: Finished, executed: bool) -> Result<Decision, BoundError> {
        if let GrantContent::New(grant) = &finished.grant {
            self.record.granted = Some(grant.position);
        }
        let answer = Answer { request: self.opened.name, disposition: finished.disposition };
        let response = Response {
            issuer: self.facts.issuer,
            device: self.record.id(),
            answers: Some(answer),
            issued_at: self.now,
            results: List::new(finished.results)?,
            grant: Blob::default(),
            revocations: None,
        };
        Ok(Decision {
            archived: KnownRequest::of(self.opened, executed, self.lost),
            device: self.record,
            holdings: finished.holdings,
            results: finished.recorded,
            started: finished.started,
            case: finished.case,
            events: self.events,
            grant: finished.grant,
            response,
        })
    }
}

/// The parts of a decision that differ between executing and repeating.
struct Finished {
    disposition: Disposition,
    results: Vec<OperationResult>,
    grant: GrantContent,
    recorded: Vec<OperationResult>,
    holdings: Vec<Holding>,
    started: Vec<(LicenseId, Timestamp)>,
    case: Option<NewCase>,
}

impl Default for Finished {
    fn default() -> Self {
        Self {
            disposition: Disposition::Superseded,
            results: Vec::new(),
            grant: GrantContent::Current,
            recorded: Vec::new(),
            holdings: Vec::new(),
            started: Vec::new(),
            case: None,
        }
    }
}
