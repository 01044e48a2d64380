//! The rules of the authority told a second time, in the fewest words: what each answer must say.

use crate::simulation::setup::Sold;
use crate::simulation::violation::{Rule, Violation, demand};
use landfast_authority::domain::catalog::{ReturnPolicy, Term};
use landfast_protocol::binding::{BindingPolicy, Verdict, compare};
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::{Grant, PlannedChange, Position};
use landfast_protocol::keys::activation_proof;
use landfast_protocol::operation::{Action, Operation, Outcome};
use landfast_protocol::request::Opened;
use landfast_protocol::response::{Disposition, Response};
use landfast_protocol::{
    ActivationId, DeviceId, Digest, Duration, IssuerId, LicenseId, OperationId, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// One license as sold.
#[derive(Clone, Debug)]
pub(crate) struct Article {
    pub activation: ActivationId,
    pub sold: Sold,
    pub started: Option<Timestamp>,
}

impl Article {
    pub fn ended(&self, now: Timestamp) -> bool {
        match (self.sold.term, self.started) {
            (Term::Until(end), _) => end <= now,
            (Term::Counted { length, .. }, Some(started)) => started.after(length) <= now,
            _ => false,
        }
    }

    fn share(&self) -> u32 {
        self.sold.quantity.div_ceil(self.sold.devices)
    }
}

/// What one device holds, and how far its history went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub seen: u64,
    /// The counter of the lowest request that is kept.
    pub first: u64,
    pub position: Position,
    /// Requests that know no grant from here on were made before a case was resolved.
    pub cut: Position,
    pub units: BTreeMap<LicenseId, u32>,
    /// Licenses of which it took its share, whatever that is: it grows into what becomes free.
    pub by_share: BTreeSet<LicenseId>,
    pub taken: BTreeMap<LicenseId, Position>,
    pub results: BTreeMap<OperationId, Outcome>,
    /// The planned change that no request has used.
    pub plan: Option<PlannedChange>,
    /// What its licenses are bound to; none while it holds nothing.
    pub binding: Option<Evidence>,
}

impl Book {
    /// Without licenses nothing is bound, and nothing is planned.
    fn forget_hardware_if_empty(&mut self) {
        if self.units.values().all(|units| *units == 0) {
            (self.plan, self.binding) = (None, None);
        }
    }

    /// Hardware of the same machine is taken over, other hardware is not.
    fn follows(&mut self, grant: &Grant) -> Result<(), Violation> {
        let moved = self.binding.as_ref().is_some_and(|before| match &grant.binding {
            Some(now) => compare(before, now, &grant.policy).verdict == Verdict::Broken,
            None => true,
        });
        demand(!moved, Rule::AsTheRulesSay, || "the licenses are bound to another machine".to_owned())?;
        self.binding.clone_from(&grant.binding);
        Ok(())
    }

    /// The only way to other hardware: a plan, once.
    fn take_over(&mut self, opened: &Opened) {
        let Some(used) = &opened.request.planned_change_used else { return };
        let planned = self.plan.is_some_and(|plan| plan.operation == used.operation);
        if planned && BindingPolicy::default().can_enrol(&used.evidence) {
            (self.plan, self.binding) = (None, Some(used.evidence.clone()));
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Clerk {
    pub issuer: IssuerId,
    pub articles: BTreeMap<LicenseId, Article>,
    pub books: BTreeMap<DeviceId, Book>,
    /// No device's store was ever copied or restored.
    pub honest: bool,
    grants: BTreeMap<(DeviceId, Position), Digest>,
    /// What strangers were told; no book is opened for them.
    told: BTreeMap<(DeviceId, OperationId), Outcome>,
}

impl Clerk {
    pub fn new(issuer: IssuerId, articles: BTreeMap<LicenseId, Article>) -> Self {
        let (books, grants, told) = Default::default();
        Self { issuer, articles, books, honest: true, grants, told }
    }

    pub fn units(&self, device: &DeviceId, license: &LicenseId) -> u32 {
        self.books.get(device).and_then(|book| book.units.get(license)).copied().unwrap_or(0)
    }

    fn others(&self, device: &DeviceId, license: &LicenseId) -> (u32, u32) {
        let units =
            self.books.iter().filter(|(id, _)| *id != device).filter_map(|(_, b)| b.units.get(license));
        let units: Vec<u32> = units.copied().filter(|units| *units > 0).collect();
        (units.iter().sum(), u32::try_from(units.len()).unwrap_or(u32::MAX))
    }

    /// A request was answered for the first time. Gives the results that are new.
    pub fn answered(
        &mut self,
        opened: &Opened,
        response: &Response,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, Violation> {
        let device = opened.key.device();
        let counter = opened.name.counter;
        let before = self.books.get(&device).is_none_or(|book| counter < book.first);
        if before && !self.shows_a_license(opened) {
            return self.stranger(opened, response, grant);
        }
        let book = self.books.entry(device).or_insert_with(|| Book { first: counter, ..Book::default() });
        book.first = book.first.min(counter);
        let disposition = response.answers.map(|answer| answer.disposition);
        let on_hold = matches!(disposition, Some(Disposition::OnHold { .. }));
        demand(!(on_hold && self.honest), Rule::NoFalseFork, || {
            format!("request {} was held", opened.name.counter)
        })?;
        let knows = opened.request.previous.map(|previous| previous.position).unwrap_or_default();
        let executed = opened.name.counter > book.seen && knows >= book.cut && !on_hold;
        let expected = if executed { Disposition::Executed } else { Disposition::Superseded };
        demand(on_hold || disposition == Some(expected), Rule::AsTheRulesSay, || {
            format!("request {} was answered {disposition:?}", opened.name.counter)
        })?;
        let fresh = if executed {
            let fresh = self.executed(opened, response, now)?;
            self.follow_shares(opened, grant, now)?;
            fresh
        } else {
            self.repeated(opened, response)?;
            Vec::new()
        };
        let book = self.books.entry(device).or_default();
        demand(!executed || grant.position > book.position, Rule::AsTheRulesSay, || {
            format!("grant {:?} does not stand above {:?}", grant.position, book.position)
        })?;
        demand(!executed || grant.executed == Some(opened.name), Rule::AsTheRulesSay, || {
            "the grant does not name the request that was executed".to_owned()
        })?;
        book.position = book.position.max(grant.position);
        book.follows(grant)?;
        self.states(&device, grant)?;
        Ok(fresh)
    }

    /// A grant states everything that its device holds, and one position names one grant.
    pub fn states(&self, device: &DeviceId, grant: &Grant) -> Result<(), Violation> {
        let book = self.books.get(device).cloned().unwrap_or_default();
        let stated: BTreeMap<_, _> =
            grant.tokens.iter().map(|token| (token.license, token.quantity)).collect();
        let held: BTreeMap<_, _> = book.units.into_iter().filter(|(_, units)| *units > 0).collect();
        demand(grant.planned_change == book.plan, Rule::AsTheRulesSay, || {
            format!("the grant plans {:?}, must be {:?}", grant.planned_change, book.plan)
        })?;
        demand(stated == held && grant.position == book.position, Rule::AsTheRulesSay, || {
            format!(
                "the grant states {stated:?} at {:?}, held are {held:?} at {:?}",
                grant.position, book.position
            )
        })
    }

    /// Below the first grant of a device stands whatever it was told as a stranger.
    pub fn one_grant(&mut self, device: DeviceId, grant: &Grant, frame: &[u8]) -> Result<(), Violation> {
        if grant.position.sequence == 0 {
            return Ok(());
        }
        let digest = Digest::of(frame);
        let known = *self.grants.entry((device, grant.position)).or_insert(digest);
        demand(known == digest, Rule::SameAnswer, || format!("two grants stand at {:?}", grant.position))
    }

    pub fn reset(&mut self, device: DeviceId, license: LicenseId, position: Position) {
        let book = self.books.entry(device).or_default();
        book.units.insert(license, 0);
        book.by_share.remove(&license);
        book.taken.insert(license, position);
        book.position = position;
    }

    /// A case was answered: the history goes on from here.
    pub fn resolved(&mut self, device: DeviceId, seen: u64, position: Position, cut: Position) {
        let book = self.books.entry(device).or_default();
        (book.seen, book.position, book.cut) = (seen, position, cut);
    }

    /// The database was set back to what `earlier` knows. Grants that were signed since stay signed.
    pub fn forget_since(&mut self, earlier: Self) {
        let grants = std::mem::take(&mut self.grants);
        *self = Self { grants, ..earlier };
    }

    /// A request is worth keeping once its maker has an activation id.
    fn shows_a_license(&self, opened: &Opened) -> bool {
        opened.request.operations.iter().any(|operation| match &operation.action {
            Action::Activate { license, proof, .. } => self.articles.get(license).is_some_and(|article| {
                *proof == activation_proof(&article.activation, &self.issuer, &opened.key, &operation.id)
            }),
            _ => false,
        })
    }

    /// Each operation has the one result that it can have, nothing is held, and nothing is kept.
    fn stranger(
        &mut self,
        opened: &Opened,
        response: &Response,
        grant: &Grant,
    ) -> Result<Vec<Outcome>, Violation> {
        let device = opened.key.device();
        let executed = response.answers.is_some_and(|answer| answer.disposition == Disposition::Executed);
        let empty = grant.tokens.is_empty() && grant.executed.is_none() && grant.position.sequence == 0;
        demand(executed && empty, Rule::AsTheRulesSay, || {
            format!("a stranger is told {:?}, and granted {grant:?}", response.answers)
        })?;
        let told: Vec<_> = response.results.iter().map(|result| (result.id, code(&result.outcome))).collect();
        let operations = opened.request.operations.iter();
        let must = operations.map(|operation| {
            let must = match operation.action {
                Action::Activate { .. } => "unknown_license",
                Action::Return { .. } => "done",
                Action::PlanChange { .. } => "nothing_held",
                Action::Unknown { .. } => "unsupported_operation",
            };
            (operation.id, must.to_owned())
        });
        let must: Vec<_> = must.collect();
        demand(told == must, Rule::AsTheRulesSay, || {
            format!("a stranger is told {told:?}, must be told {must:?}")
        })?;
        for result in response.results.iter() {
            self.one_result(device, result.id, &result.outcome)?;
        }
        Ok(Vec::new())
    }

    /// Also what was told to a stranger stays so when the device is known.
    fn one_result(
        &mut self,
        device: DeviceId,
        operation: OperationId,
        outcome: &Outcome,
    ) -> Result<(), Violation> {
        let told = self.told.entry((device, operation)).or_insert_with(|| outcome.clone());
        demand(told == outcome, Rule::OneResult, || {
            format!("operation {} was {told:?}, now {outcome:?}", operation.short())
        })
    }

    /// Nothing of it is executed; recorded results are repeated, and no others.
    fn repeated(&self, opened: &Opened, response: &Response) -> Result<(), Violation> {
        let results = self.books.get(&opened.key.device()).map(|book| &book.results);
        let known = opened
            .request
            .operations
            .iter()
            .filter_map(|operation| Some((operation.id, results?.get(&operation.id)?.clone())));
        let known: Vec<_> = known.collect();
        let told: Vec<_> = response.results.iter().map(|r| (r.id, r.outcome.clone())).collect();
        demand(known == told, Rule::OneResult, || {
            format!("results {told:?} are repeated, recorded are {known:?}")
        })
    }

    fn executed(
        &mut self,
        opened: &Opened,
        response: &Response,
        now: Timestamp,
    ) -> Result<Vec<Outcome>, Violation> {
        let named = opened.request.operations.iter().map(|o| o.id).eq(response.results.iter().map(|r| r.id));
        demand(named, Rule::AsTheRulesSay, || "not every operation has a result, in order".to_owned())?;
        let book = self.books.entry(opened.key.device()).or_default();
        book.forget_hardware_if_empty();
        book.take_over(opened);
        let mut fresh = Vec::new();
        for (operation, result) in opened.request.operations.iter().zip(response.results.iter()) {
            let device = opened.key.device();
            let recorded = self.books.get(&device).and_then(|book| book.results.get(&operation.id)).cloned();
            if let Some(recorded) = recorded {
                demand(recorded == result.outcome, Rule::OneResult, || {
                    format!("operation {} was {recorded:?}, now {:?}", operation.id.short(), result.outcome)
                })?;
                continue;
            }
            self.one_result(device, operation.id, &result.outcome)?;
            self.run(opened, operation, &result.outcome, now)?;
            let book = self.books.entry(device).or_default();
            book.results.insert(operation.id, result.outcome.clone());
            book.forget_hardware_if_empty();
            fresh.push(result.outcome.clone());
        }
        self.books.entry(opened.key.device()).or_default().seen = opened.name.counter;
        Ok(fresh)
    }

    fn run(
        &mut self,
        opened: &Opened,
        operation: &Operation,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let device = opened.key.device();
        let told = code(outcome);
        let (license, must, units) = match &operation.action {
            Action::Activate { license, quantity, proof } => {
                let (must, units) = self.activation(opened, operation.id, *license, *quantity, proof, now);
                (*license, must, units)
            }
            Action::Return { license, quantity } => {
                let held = self.units(&device, license);
                let kept =
                    self.articles.get(license).is_some_and(|a| a.sold.policy.returns == ReturnPolicy::Deny);
                let left = quantity.map_or(0, |units| held.saturating_sub(units));
                (*license, if kept && held > 0 { "policy" } else { "done" }, left)
            }
            Action::PlanChange { window } => return self.plan(&device, operation.id, *window, outcome, now),
            Action::Unknown { .. } => return Err(Violation::of(Rule::Harness, "an unknown operation")),
        };
        // The second telling leaves evidence out: who holds room may still be refused for the hardware's sake.
        let hardware = matches!(told.as_str(), "binding_broken" | "too_little_evidence")
            && matches!(must, "done" | "too_many_devices" | "no_units_left")
            && units > self.units(&device, &license);
        let rule = if must == "stale" { Rule::NotRetaken } else { Rule::AsTheRulesSay };
        demand(hardware || told == must, rule, || {
            format!("{} of {} was answered {told}, must be {must}", operation.action.name(), license.short())
        })?;
        if told == "done" {
            self.done(device, license, &operation.action, units, now);
        }
        Ok(())
    }

    /// A window is given to who holds something and shows its hardware, as long as all products held allow.
    fn plan(
        &mut self,
        device: &DeviceId,
        operation: OperationId,
        window: Duration,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let Some(book) = self.books.get_mut(device) else { return Ok(()) };
        let held = book.units.iter().filter(|(_, units)| **units > 0).map(|(license, _)| license);
        let held: Vec<&Article> = held.filter_map(|license| self.articles.get(license)).collect();
        let allowed = |article: &&Article| article.sold.policy.longest_planned_change >= window;
        let must = match held.as_slice() {
            [] => "nothing_held",
            held if held.iter().all(allowed) => "done",
            _ => "policy",
        };
        let told = code(outcome);
        let hardware = must == "done" && matches!(told.as_str(), "binding_broken" | "too_little_evidence");
        demand(hardware || told == must, Rule::AsTheRulesSay, || {
            format!("a planned change was answered {told}, must be {must}")
        })?;
        if told == "done" {
            book.plan = Some(PlannedChange { operation, until: now.after(window) });
        }
        Ok(())
    }

    fn done(&mut self, device: DeviceId, license: LicenseId, action: &Action, units: u32, now: Timestamp) {
        if let Some(article) = self.articles.get_mut(&license).filter(|_| units > 0) {
            article.started = article.started.or(Some(now));
        }
        let book = self.books.entry(device).or_default();
        let before = book.units.insert(license, units).unwrap_or(0);
        match action {
            Action::Activate { quantity: None, .. } if units > before => book.by_share.insert(license),
            _ if units != before => book.by_share.remove(&license),
            _ => false,
        };
    }

    /// Who took a share gets more of it when more is free, unless something speaks against the device.
    fn follow_shares(&mut self, opened: &Opened, grant: &Grant, now: Timestamp) -> Result<(), Violation> {
        let device = opened.key.device();
        let shares = self.books.get(&device).map(|book| book.by_share.clone()).unwrap_or_default();
        for license in shares {
            let Some(article) = self.articles.get(&license).filter(|article| !article.ended(now)) else {
                continue;
            };
            let held = self.units(&device, &license);
            let free = article.sold.quantity - self.others(&device, &license).0 - held;
            let more = article.share().saturating_sub(held).min(free);
            let stated =
                grant.tokens.iter().find(|token| token.license == license).map_or(0, |token| token.quantity);
            if stated == held && more > 0 {
                demand(is_suspect(opened, grant), Rule::AsTheRulesSay, || {
                    format!("{} does not follow its share", license.short())
                })?;
                continue;
            }
            self.books.entry(device).or_default().units.insert(license, held + more);
        }
        Ok(())
    }

    /// The code that an activation must be answered with, and the units that the device then holds.
    fn activation(
        &self,
        opened: &Opened,
        operation: OperationId,
        license: LicenseId,
        wanted: Option<u32>,
        proof: &[u8; 32],
        now: Timestamp,
    ) -> (&'static str, u32) {
        let device = opened.key.device();
        let held = self.units(&device, &license);
        let proven = |article: &&Article| {
            *proof == activation_proof(&article.activation, &self.issuer, &opened.key, &operation)
        };
        let Some(article) = self.articles.get(&license).filter(proven) else {
            return ("unknown_license", held);
        };
        if held > 0 && wanted.is_none_or(|wanted| held >= wanted) {
            return ("done", held);
        }
        let taken = self.books.get(&device).and_then(|book| book.taken.get(&license));
        if taken > opened.request.previous.map(|previous| previous.position).as_ref() {
            return ("stale", held);
        }
        if article.ended(now) {
            return ("license_expired", held);
        }
        let (units, devices) = self.others(&device, &license);
        let free = article.sold.quantity - units - held;
        let more = wanted.map_or(article.share().min(free), |wanted| wanted - held);
        let must = if held == 0 && devices >= article.sold.devices {
            "too_many_devices"
        } else if more == 0 || more > free {
            "no_units_left"
        } else {
            "done"
        };
        (must, held + more.max(1))
    }
}

/// The hardware does not match, or cannot be told from others.
fn is_suspect(opened: &Opened, grant: &Grant) -> bool {
    grant.binding.as_ref().is_none_or(|enrolled| {
        let verdict = compare(enrolled, &opened.request.evidence, &grant.policy).verdict;
        matches!(verdict, Verdict::Broken | Verdict::Indeterminate)
    })
}

pub(crate) fn code(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Denied { reason, .. } => reason.code().to_owned(),
        other => other.name().to_owned(),
    }
}
