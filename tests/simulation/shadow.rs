//! What a device must know, told from the messages alone: the requests that it made durable and the responses
//! that it took. The machine's own view is compared with it after every event and every restart.

use crate::simulation::violation::{Rule, Violation, demand, works};
use landfast_core::view::IssuerView;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::{Grant, Position};
use landfast_protocol::operation::{Action, Operation};
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{Digest, LicenseId, OperationId};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    /// Every request by its counter.
    names: BTreeMap<u64, Digest>,
    counter: u64,
    /// Operations without a final result.
    pending: Vec<Operation>,
    position: Option<Position>,
    tokens: BTreeMap<LicenseId, u32>,
    /// The planned change of the grant applied last.
    plan: Option<OperationId>,
    /// The hardware that was taken over by each plan.
    taken_over: BTreeMap<OperationId, Evidence>,
}

impl Shadow {
    pub fn counter(&self) -> u64 {
        self.counter
    }

    pub fn pending(&self) -> &[Operation] {
        &self.pending
    }

    /// A request that is durable now, new or an old one again.
    pub fn made(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let request = works(Request::open(bytes), "a device's own request does not open")?;
        let (name, request) = (request.name, request.request);
        if let Some(known) = self.names.get(&name.counter) {
            return demand(*known == name.digest, Rule::OneCounterOneContent, || {
                format!("counter {} names two requests", name.counter)
            });
        }
        demand(name.counter > self.counter, Rule::OneCounterOneContent, || {
            format!("request {} was made after {}", name.counter, self.counter)
        })?;
        let kept = request.operations.len() >= self.pending.len()
            && self.pending.iter().zip(request.operations.iter()).all(|(a, b)| a == b);
        demand(kept, Rule::RecordIsTruth, || {
            format!("request {} leaves out an operation that has no result", name.counter)
        })?;
        demand(request.previous.map(|p| p.position) == self.position, Rule::RecordIsTruth, || {
            format!("request {} does not name the grant that was applied", name.counter)
        })?;
        self.used_as_planned(&request)?;
        self.pending = request.operations.to_vec();
        self.counter = name.counter;
        self.names.insert(name.counter, name.digest);
        Ok(())
    }

    /// A plan is used once, and what was taken over then is told until a grant knows of it.
    fn used_as_planned(&mut self, request: &Request) -> Result<(), Violation> {
        let Some(used) = &request.planned_change_used else {
            let silent = self.plan.is_some_and(|plan| self.taken_over.contains_key(&plan));
            return demand(!silent, Rule::RecordIsTruth, || {
                format!("request {} does not say that its plan was used", request.counter)
            });
        };
        demand(self.plan == Some(used.operation), Rule::RecordIsTruth, || {
            format!("request {} says that a plan was used which its grant does not name", request.counter)
        })?;
        let first = self.taken_over.entry(used.operation).or_insert_with(|| used.evidence.clone());
        demand(*first == used.evidence, Rule::RecordIsTruth, || {
            format!("request {} says that a plan was used twice", request.counter)
        })
    }

    /// A response that is for this device, and was committed. True when its grant is newer.
    pub fn took(&mut self, response: &Response, grant: &Grant) -> bool {
        let final_result = |operation: &Operation| {
            response.results.iter().any(|result| result.id == operation.id && result.outcome.is_final())
        };
        self.pending.retain(|operation| !final_result(operation));
        let newer = self.position.is_none_or(|held| grant.position > held);
        if newer {
            self.position = Some(grant.position);
            self.plan = grant.planned_change.map(|plan| plan.operation);
            self.tokens = grant.tokens.iter().map(|token| (token.license, token.quantity)).collect();
            self.counter = self.counter.max(grant.executed.map_or(0, |name| name.counter));
        }
        newer
    }

    /// Whether a response with this grant must be refused as one of a history that the authority lost.
    pub fn outlived(&self, grant: &Grant) -> bool {
        self.position.is_some_and(|held| grant.position.epoch < held.epoch)
    }

    /// Whether a response answers a request of this device, or none at all.
    pub fn asked(&self, response: &Response) -> bool {
        response.answers.is_none_or(|answer| self.knows(answer.request.counter, &answer.request.digest))
    }

    /// Whether the device made this request.
    pub fn knows(&self, counter: u64, digest: &Digest) -> bool {
        self.names.get(&counter) == Some(digest)
    }

    /// Units in the grant applied last.
    pub fn granted(&self, license: LicenseId) -> u32 {
        self.tokens.get(&license).copied().unwrap_or(0)
    }

    /// Units that count: granted, less every return without a result.
    pub fn held(&self, license: LicenseId) -> u32 {
        self.pending.iter().fold(self.granted(license), |left, operation| match operation.action {
            Action::Return { license: of, quantity } if of == license => {
                left.saturating_sub(quantity.unwrap_or(u32::MAX))
            }
            _ => left,
        })
    }

    /// What the machine shows, against what it must show.
    pub fn compare(&self, view: &IssuerView) -> Result<(), Violation> {
        let rule = Rule::RecordIsTruth;
        demand(view.counter == self.counter, rule, || {
            format!("the counter is {}, it must be {}", view.counter, self.counter)
        })?;
        let shown = view.grant.as_ref().map(|grant| grant.position);
        demand(shown == self.position, rule, || {
            format!("the grant applied is {shown:?}, it must be {:?}", self.position)
        })?;
        let pending: Vec<_> = view.pending.iter().map(|p| p.operation).collect();
        let must: Vec<_> = self.pending.iter().map(|operation| operation.id).collect();
        demand(pending == must, rule, || format!("pending are {pending:?}, must be {must:?}"))?;
        let shown: BTreeMap<_, _> = view.licenses.iter().map(|l| (l.license, l.quantity)).collect();
        let must: BTreeMap<_, _> = self
            .tokens
            .keys()
            .map(|license| (*license, self.held(*license)))
            .filter(|(_, units)| *units > 0)
            .collect();
        demand(shown == must, rule, || format!("licenses are {shown:?}, must be {must:?}"))
    }
}
