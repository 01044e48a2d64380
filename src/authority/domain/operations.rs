//! Activation, return and planned change, one operation at a time, in the order of the request.

use crate::domain::binding::{Standing, standing};
use crate::domain::catalog::{ReturnPolicy, Term, TooLittleEvidence};
use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::exchange::{Facts, LicenseFacts};
use crate::domain::fork::previous_position;
use crate::domain::history::Event;
use crate::domain::tokens::{self, Held, TOKEN_BYTES, policy_of};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::grant::{MAX_TOKENS, PlannedChange};
use landfast_protocol::keys::{activation_proof, same_proof};
use landfast_protocol::operation::{Action, DenialReason, Operation, Outcome};
use landfast_protocol::request::Opened;
use landfast_protocol::{ActivationId, DeviceId, Duration, LicenseId, OperationId, Text, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The state of one request's execution.
pub(super) struct Desk<'a> {
    facts: &'a Facts,
    opened: &'a Opened,
    device: DeviceId,
    record: &'a DeviceRecord,
    now: Timestamp,
    licenses: BTreeMap<LicenseId, LicenseFacts>,
    touched: BTreeSet<LicenseId>,
    /// Nothing was held at some point: the binding may start anew.
    pub(super) was_empty: bool,
    /// A swap of the hardware that the tokens are bound to; it ends with the last of them.
    pub(super) planned: Option<PlannedChange>,
    /// Counted terms that start with this request.
    pub(super) started: Vec<(LicenseId, Timestamp)>,
    /// What happened.
    pub(super) events: Vec<Event>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        opened: &'a Opened,
        record: &'a DeviceRecord,
        now: Timestamp,
    ) -> Self {
        let mut desk = Self {
            facts,
            opened,
            device: record.id(),
            record,
            now,
            licenses: facts.licenses.clone(),
            touched: BTreeSet::new(),
            was_empty: false,
            planned: None,
            started: Vec::new(),
            events: Vec::new(),
        };
        desk.was_empty = desk.is_empty();
        desk.planned = record.planned.filter(|_| !desk.was_empty);
        desk
    }

    /// What the device holds now, in order of licenses.
    pub(super) fn held(&self) -> impl Iterator<Item = Held<'_>> {
        held(&self.licenses)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held().next().is_none()
    }

    /// The holdings that changed.
    pub(super) fn changed(&self) -> Vec<Holding> {
        let holding = |id: &LicenseId| {
            let facts = self.licenses.get(id)?;
            let (device, units) = (self.device, facts.held);
            Some(Holding { device, license: *id, units, by_share: facts.by_share, taken_at: facts.taken_at })
        };
        self.touched.iter().filter_map(holding).collect()
    }

    /// How the request's evidence stands towards the binding, as things are now.
    pub(super) fn standing(&self) -> Standing {
        let binding = if self.was_empty { None } else { self.record.binding.as_ref() };
        standing(binding, &self.opened.request.evidence, &BindingPolicy::default())
    }

    /// Executes one operation. What it gives is final.
    pub(super) fn run(&mut self, operation: &Operation) -> Outcome {
        let outcome = match &operation.action {
            Action::Activate { license, quantity, proof } => {
                self.activate(operation.id, *license, *quantity, proof)
            }
            Action::Return { license, quantity } => self.give_back(operation.id, *license, *quantity),
            Action::PlanChange { window } => self.plan_change(operation.id, *window),
            Action::Unknown { kind, .. } => denied(
                DenialReason::UnsupportedOperation,
                &format!("operations of kind {kind} are not known here"),
            ),
        };
        self.note(operation, &outcome);
        outcome
    }

    fn activate(
        &mut self,
        operation: OperationId,
        license: LicenseId,
        wanted: Option<u32>,
        proof: &[u8; 32],
    ) -> Outcome {
        let found = self.licenses.get(&license);
        let proven = proven(self.facts, self.opened, found, operation, proof);
        let Some(facts) = found.filter(|_| proven) else {
            return denied(DenialReason::UnknownLicense, "no license here has this activation id");
        };
        let enough = wanted.map_or(facts.held > 0, |wanted| facts.held >= wanted);
        if enough {
            return Outcome::Done;
        }
        if facts.taken_at.is_some_and(|taken| taken > previous_position(&self.opened.request)) {
            return Outcome::Stale;
        }
        let units = match self.refusal(facts).map_or_else(|| available(facts, wanted), Err) {
            Ok(units) => units,
            Err(refusal) => return refusal,
        };
        let held = self.take(license, units, wanted.is_none());
        self.events.push(Event::Activated { device: self.device, license, operation, units, held });
        Outcome::Done
    }

    /// Licenses that were expanded since give more to devices that took their share.
    pub(super) fn follow_shares(&mut self) {
        let hungry =
            |facts: &&LicenseFacts| facts.may_grow() && facts.free > 0 && self.refusal(facts).is_none();
        let hungry: Vec<_> = self
            .licenses
            .values()
            .filter(hungry)
            .map(|facts| (facts.license.id, (facts.license.share() - facts.held).min(facts.free)))
            .collect();
        for (license, units) in hungry {
            let held = self.take(license, units, true);
            self.events.push(Event::Expanded { device: self.device, license, units, held });
        }
    }

    /// Why this device gets nothing more of this license, whatever the quantity.
    fn refusal(&self, facts: &LicenseFacts) -> Option<Outcome> {
        let license = &facts.license;
        if license.withdrawn_at.is_some() {
            return Some(denied(DenialReason::LicenseWithdrawn, "the vendor withdrew the license"));
        }
        if let Some(end) = license.ends().filter(|end| *end <= self.now) {
            return Some(denied(DenialReason::LicenseExpired, &format!("its term ended on {}", day(end))));
        }
        let standing = self.standing();
        if standing.is_broken() {
            return Some(broken(&standing));
        }
        if standing.is_leased() && facts.product.policy.too_little_evidence == TooLittleEvidence::Refuse {
            let policy = BindingPolicy::default();
            let weight = policy.enrolled_weight(&self.opened.request.evidence);
            return Some(denied(
                DenialReason::TooLittleEvidence,
                &format!("the readable hardware weighs {weight}, it takes {}", policy.minimum),
            ));
        }
        (facts.held == 0).then(|| self.no_room(facts)).flatten()
    }

    /// Why this device cannot hold one more license.
    fn no_room(&self, facts: &LicenseFacts) -> Option<Outcome> {
        let devices = facts.license.devices;
        if facts.devices_in_use >= devices {
            return Some(denied(
                DenialReason::TooManyDevices,
                &format!("it is on {} of {devices} devices", facts.devices_in_use),
            ));
        }
        let count = self.held().count();
        let size: usize = self.held().map(|(_, product, _)| tokens::encoded_size(product)).sum();
        let full = count >= MAX_TOKENS || size + tokens::encoded_size(&facts.product) > TOKEN_BYTES;
        full.then(|| denied(DenialReason::TooManyLicenses, &format!("the device holds {count} licenses")))
    }

    /// Gives units to the device, and tells how many it holds then.
    fn take(&mut self, license: LicenseId, units: u32, by_share: bool) -> u32 {
        let Some(facts) = self.licenses.get_mut(&license) else { return 0 };
        if facts.held == 0 {
            facts.devices_in_use += 1;
        }
        facts.held += units;
        facts.free -= units;
        facts.by_share = by_share;
        if let Term::Counted { started: started @ None, .. } = &mut facts.license.term {
            *started = Some(self.now);
            self.started.push((license, self.now));
        }
        self.touched.insert(license);
        facts.held
    }

    fn give_back(&mut self, operation: OperationId, license: LicenseId, units: Option<u32>) -> Outcome {
        let binding_broken = self.standing().is_broken();
        let Some(facts) = self.licenses.get_mut(&license).filter(|facts| facts.held > 0) else {
            return Outcome::Done;
        };
        if facts.product.policy.returns == ReturnPolicy::Deny {
            return denied(
                DenialReason::Policy,
                "this product's licenses stay on the device they were activated on",
            );
        }
        let units = units.unwrap_or(facts.held).min(facts.held);
        facts.held -= units;
        facts.by_share = false;
        facts.free += units;
        if facts.held == 0 {
            facts.devices_in_use = facts.devices_in_use.saturating_sub(1);
        }
        self.touched.insert(license);
        let held = facts.held;
        let device = self.device;
        self.events.push(Event::Returned { device, license, operation, units, held, binding_broken });
        if self.is_empty() {
            self.was_empty = true;
            self.planned = None;
        }
        Outcome::Done
    }

    /// Opens a window, in place of one that may be open. Who cannot show the bound hardware now could plan after the
    /// swap, and needs no plan then.
    fn plan_change(&mut self, operation: OperationId, window: Duration) -> Outcome {
        if self.is_empty() {
            return denied(
                DenialReason::NothingHeld,
                "no license is held, so nothing is bound to the hardware",
            );
        }
        let longest = policy_of(self.held().map(|(_, product, _)| product)).longest_planned_change;
        if window > longest {
            return denied(DenialReason::Policy, &too_long(window, longest));
        }
        let standing = self.standing();
        if standing.is_broken() {
            return broken(&standing);
        }
        if standing.is_leased() {
            return denied(
                DenialReason::TooLittleEvidence,
                "too little of the hardware can be read to tell that it is the bound one",
            );
        }
        let until = self.now.after(window);
        self.planned = Some(PlannedChange { operation, until });
        self.events.push(Event::ChangePlanned { device: self.device, operation, until });
        Outcome::Done
    }

    fn note(&mut self, operation: &Operation, outcome: &Outcome) {
        let device = self.device;
        // What an unproven activation named is not recorded as if it were a license.
        let license = operation.action.license().filter(|id| self.licenses.contains_key(id));
        match outcome {
            Outcome::Denied { reason, .. } => self.events.push(Event::Denied {
                device,
                license,
                operation: operation.id,
                action: Text::lossy(operation.action.name()),
                reason: reason.clone(),
            }),
            Outcome::Stale => {
                if let Some(license) = license {
                    self.events.push(Event::Stale { device, license, operation: operation.id });
                }
            }
            Outcome::Done | Outcome::Pending { .. } => {}
        }
    }
}

/// Whether a request's maker has the activation id of this license. A license that does not exist costs the same as a
/// wrong proof for one that does.
pub(super) fn proven(
    facts: &Facts,
    opened: &Opened,
    license: Option<&LicenseFacts>,
    operation: OperationId,
    proof: &[u8; 32],
) -> bool {
    let checked = license.map_or(ActivationId::from_bytes([0; 16]), |found| found.license.activation);
    let expected = activation_proof(&checked, &facts.issuer, &opened.key, &operation);
    same_proof(&expected, proof) && license.is_some()
}

/// What of `licenses` the device holds, in order.
pub(super) fn held(licenses: &BTreeMap<LicenseId, LicenseFacts>) -> impl Iterator<Item = Held<'_>> {
    licenses
        .values()
        .filter(|facts| facts.held > 0)
        .map(|facts| (&facts.license, &*facts.product, facts.held))
}

/// How many units an activation takes, or why it cannot.
fn available(facts: &LicenseFacts, wanted: Option<u32>) -> Result<u32, Outcome> {
    let needed = wanted.map(|wanted| wanted - facts.held.min(wanted));
    let units = needed.unwrap_or_else(|| facts.license.share().min(facts.free));
    if units == 0 || units > facts.free {
        let (free, all) = (facts.free, facts.license.quantity);
        return Err(denied(
            DenialReason::NoUnitsLeft,
            &format!("{} more units were asked for, {free} of {all} are free", needed.unwrap_or(1)),
        ));
    }
    Ok(units)
}

fn broken(standing: &Standing) -> Outcome {
    let score = standing.score_permille;
    let needed = BindingPolicy::default().drifted_permille;
    denied(
        DenialReason::BindingBroken,
        &format!("the hardware scores {score} of 1000 against the binding, it takes {needed}"),
    )
}

fn too_long(window: Duration, longest: Duration) -> String {
    if longest == Duration(0) {
        return "planned changes are not allowed for what this device holds".to_owned();
    }
    format!("a window of {} was asked for, the longest is {}", span(window), span(longest))
}

fn span(span: Duration) -> String {
    match span.0 {
        seconds if seconds.is_multiple_of(86_400) => format!("{} days", seconds / 86_400),
        seconds if seconds.is_multiple_of(3_600) => format!("{} hours", seconds / 3_600),
        seconds => format!("{seconds} s"),
    }
}

/// Details stay under 150 bytes: the results of the largest request must fit into a response beside the
/// largest grant.
fn denied(reason: DenialReason, detail: &str) -> Outcome {
    let short = Text::<150>::lossy(detail);
    Outcome::Denied { reason, detail: Text::lossy(&short) }
}

fn day(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "a date far ahead".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}
