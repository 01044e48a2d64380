//! What an administrator asks: activate, return, reclaim, plan a change.

use crate::effect::{Refusal, Reply, Ticket};
use crate::event::{Delivery, Selection, TransportFailure};
use crate::machine::Waiting;
use crate::state::{Pending, Tombstone};
use crate::work::Work;
use landfast_protocol::keys::activation_proof;
use landfast_protocol::operation::{Action, Operation};
use landfast_protocol::request::MAX_OPERATIONS;
use landfast_protocol::{ActivationId, Duration, LicenseId, OperationId};
use std::sync::Arc;

impl Work<'_> {
    /// Makes activations. One that is already on its way with the same units is waited for, not made again.
    pub fn activate(
        &mut self,
        ticket: Ticket,
        licenses: &[(ActivationId, Option<u32>)],
        delivery: Delivery,
    ) -> Result<(), Refusal> {
        self.may_ask(delivery)?;
        let named: Vec<_> =
            licenses.iter().map(|(id, units)| (id.license(&self.inner.state.issuer), *units)).collect();
        check_named(&named)?;
        self.may_sign()?;
        let mut operations = Vec::new();
        for ((id, quantity), (license, _)) in licenses.iter().zip(&named) {
            if let Some(same) = self.same_activation(*license, *quantity) {
                operations.push(same);
                continue;
            }
            let operation = self.operation_id();
            let key = self.inner.state.key().public();
            let proof = activation_proof(id, &self.inner.state.issuer, &key, &operation);
            self.add(operation, Action::Activate { license: *license, quantity: *quantity, proof });
            self.note("activation_requested", format!("activation of license {} requested", license.short()));
            operations.push(operation);
        }
        self.ask(ticket, operations, delivery)
    }

    /// Gives licenses back. From the moment this is durable they do not count here any more.
    pub fn give_back(
        &mut self,
        ticket: Ticket,
        selection: &Selection,
        delivery: Delivery,
    ) -> Result<(), Refusal> {
        self.may_ask(delivery)?;
        let chosen = match selection {
            Selection::All => self.everything(),
            Selection::Licenses(licenses) => licenses.clone(),
        };
        if chosen.is_empty() {
            return Err(Refusal::NothingHeld);
        }
        check_named(&chosen)?;
        let mut operations = Vec::new();
        for (license, quantity) in chosen {
            let held = self.held(license);
            let pending = self.inner.state.pending_activation(license).is_some();
            match (held, quantity) {
                (0, _) if !pending => match self.inner.state.pending_return(license) {
                    // Asked for again: the same return is waited for.
                    Some(same) => {
                        operations.push(same);
                        continue;
                    }
                    None => return Err(Refusal::NotHeld(license)),
                },
                (held, Some(asked)) if asked > held => return Err(Refusal::TooMany { license, held, asked }),
                _ => {}
            }
            let operation = self.operation_id();
            self.add(operation, Action::Return { license, quantity });
            self.inner.state.tombstones.push(Tombstone { operation, license, quantity });
            self.note("license_returned", format!("license {} given back", license.short()));
            operations.push(operation);
        }
        self.ask(ticket, operations, delivery)
    }

    /// Asks for the latest. Always a new request: the answer to an older one may be an older grant.
    pub fn reclaim(&mut self, ticket: Ticket, delivery: Delivery) -> Result<(), Refusal> {
        self.may_ask(delivery)?;
        self.ask(ticket, Vec::new(), delivery)
    }

    /// Announces a swap of hardware. Whether it may, the authority says. The same plan that is already on its way is
    /// waited for, not made again.
    pub fn plan_change(
        &mut self,
        ticket: Ticket,
        window: Duration,
        delivery: Delivery,
    ) -> Result<(), Refusal> {
        self.may_ask(delivery)?;
        if window == Duration(0) {
            return Err(Refusal::BadCommand("a window that has no time is none"));
        }
        if self.everything().is_empty() {
            return Err(Refusal::NothingHeld);
        }
        let action = Action::PlanChange { window };
        let same = self.inner.state.pending_plan().filter(|plan| plan.action == action).map(|plan| plan.id);
        let operation = match same {
            Some(same) => same,
            None => {
                let operation = self.operation_id();
                self.add(operation, action);
                self.note("plan_change_requested", "a planned change of hardware requested".to_owned());
                operation
            }
        };
        self.ask(ticket, vec![operation], delivery)
    }

    fn may_ask(&self, delivery: Delivery) -> Result<(), Refusal> {
        if self.inner.lost_since.is_some() {
            return Err(Refusal::StoreLost);
        }
        if delivery == Delivery::Online && !self.settings.online {
            let failure = TransportFailure::NoAddress;
            return Err(Refusal::NotReached { failure, retry_in: Duration(0) });
        }
        Ok(())
    }

    /// What proves something with the key cannot be put off.
    fn may_sign(&self) -> Result<(), Refusal> {
        match (self.inner.is_shut(), self.inner.shut()) {
            (true, Some(why)) => Err(Refusal::Sealed(why.to_string())),
            (true, None) => Err(Refusal::HardwareNotRead),
            (false, _) => Ok(()),
        }
    }

    /// Everything held or still being activated.
    fn everything(&self) -> Vec<(LicenseId, Option<u32>)> {
        let state = &self.inner.state;
        let mut all: Vec<LicenseId> =
            self.inner.grant.iter().flat_map(|g| g.tokens.iter()).map(|t| t.license).collect();
        all.extend(state.pending.iter().filter_map(|p| p.operation.action.license()));
        all.sort_unstable();
        all.dedup();
        all.retain(|license| self.held(*license) > 0 || state.pending_activation(*license).is_some());
        all.into_iter().map(|license| (license, None)).collect()
    }

    fn held(&self, license: LicenseId) -> u32 {
        let tokens = self.inner.grant.iter().flat_map(|grant| grant.tokens.iter());
        tokens.filter(|token| token.license == license).map(|token| self.inner.state.units(token)).sum()
    }

    fn same_activation(&self, license: LicenseId, units: Option<u32>) -> Option<OperationId> {
        let pending = self.inner.state.pending_activation(license)?;
        let Action::Activate { quantity, .. } = &pending.action else { return None };
        (*quantity == units).then_some(pending.id)
    }

    fn operation_id(&mut self) -> OperationId {
        OperationId(self.entropy.nonce().0)
    }

    fn add(&mut self, id: OperationId, action: Action) {
        let since = self.time();
        self.inner.state.pending.push(Pending { operation: Operation { id, action }, since, case: None });
    }

    /// Makes the request and registers the caller for its answer.
    fn ask(
        &mut self,
        ticket: Ticket,
        operations: Vec<OperationId>,
        delivery: Delivery,
    ) -> Result<(), Refusal> {
        let count = self.inner.state.pending.len();
        if count > MAX_OPERATIONS {
            return Err(Refusal::TooManyPending(count - operations.len()));
        }
        let online = delivery == Delivery::Online;
        if online && self.inner.is_shut() && !operations.is_empty() {
            // It is kept, and signed once the key can be used.
            let results = operations.iter().filter_map(|id| self.pending_result(*id)).collect();
            self.reply(ticket, Ok(Reply { results, changed: true, request: None }));
            return Ok(());
        }
        self.make_request(online)?;
        let Some(request) = &self.inner.state.outstanding else { return Ok(()) };
        if online {
            let counter = request.name.counter;
            self.inner.waiting.push(Waiting { ticket, operations, counter, results: Vec::new() });
        } else {
            let request = Some(Arc::from(request.bytes.as_slice()));
            let results = operations.iter().filter_map(|id| self.pending_result(*id)).collect();
            self.reply(ticket, Ok(Reply { results, changed: true, request }));
        }
        Ok(())
    }
}

fn check_named(licenses: &[(LicenseId, Option<u32>)]) -> Result<(), Refusal> {
    if licenses.is_empty() {
        return Err(Refusal::BadCommand("no license was named"));
    }
    for (at, (license, quantity)) in licenses.iter().enumerate() {
        if *quantity == Some(0) {
            return Err(Refusal::BadCommand("a quantity is at least one"));
        }
        if licenses[..at].iter().any(|(other, _)| other == license) {
            return Err(Refusal::BadCommand("a license was named twice"));
        }
    }
    Ok(())
}
