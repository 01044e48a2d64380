//! From the machine's views to the shapes of the local interface.

use landfast_core::advice;
use landfast_core::effect::Reply;
use landfast_core::entitlement::evaluate;
use landfast_core::runway::{Runway, runway as runway_of};
use landfast_core::step::HistoryEntry;
use landfast_core::view::{FactorView, GroupView, IssuerView, LicenseView, PendingView, ResultView};
use landfast_core::what_if::Prospect;
use landfast_core::{Decision, Moment, Query, Snapshot};
use landfast_protocol::binding::{GroupComparison, GroupState};
use landfast_protocol::local::{self, Rfc3339};
use landfast_protocol::{Timestamp, armor};
use std::collections::BTreeSet;

fn time(at: Option<Timestamp>) -> Option<Rfc3339> {
    at.map(Rfc3339)
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The answer to a check.
#[must_use]
pub fn check(feature: &str, decision: &Decision<'_>) -> local::Check {
    local::Check {
        feature: feature.to_owned(),
        granted: decision.granted,
        quantity: decision.quantity,
        issuer: given(decision.issuer),
        license: decision.license,
        state: decision.state.to_owned(),
        reason: decision.reason.code().to_owned(),
        until: time(decision.until),
        advice: given(decision.advice),
    }
}

/// Every feature that an issuer knows here, in order, each checked for one unit.
#[must_use]
pub fn decisions<'a>(snapshot: &'a Snapshot, now: &Moment) -> Vec<(&'a str, Decision<'a>)> {
    let names: BTreeSet<&str> = snapshot.issuers.iter().flat_map(|view| view.features.names()).collect();
    let one = |feature| Query { feature, quantity: 1, version: None, issuer: None };
    names.into_iter().map(|feature| (feature, evaluate(snapshot, &one(feature), now))).collect()
}

/// How long each feature that an issuer knows here stays granted, in order.
#[must_use]
pub fn runways<'a>(snapshot: &'a Snapshot, now: &Moment) -> Vec<(&'a str, Runway<'a>)> {
    let names: BTreeSet<&str> = snapshot.issuers.iter().flat_map(|view| view.features.names()).collect();
    names.into_iter().map(|feature| (feature, runway_of(snapshot, feature, now))).collect()
}

/// How long a feature stays granted.
#[must_use]
pub fn runway(feature: &str, runway: &Runway<'_>) -> local::Runway {
    local::Runway {
        feature: feature.to_owned(),
        issuer: given(runway.issuer),
        seconds: runway.left.map(|left| left.0),
        until: time(runway.until),
        reason: runway.reason.code().to_owned(),
        advice: runway.left.and_then(|_| given(advice::before(runway.reason))),
    }
}

/// What would become of one issuer's binding.
#[must_use]
pub fn prospect(view: &IssuerView, prospect: Prospect) -> local::Prospect {
    let group = |group: &GroupComparison| local::ProspectGroup {
        group: group.group.name().to_owned(),
        state: group.state.name().to_owned(),
        weight: group.weight,
        matched_milli: group.matched_milli,
    };
    let enrolled = prospect.groups.iter().filter(|group| group.state != GroupState::NotEnrolled);
    local::Prospect {
        issuer: view.name.clone(),
        state: view.binding.state.name().to_owned(),
        score_permille: view.binding.score_permille,
        would_be: prospect.state.name().to_owned(),
        would_score_permille: prospect.score_permille,
        bound_permille: view.binding.bound_permille,
        drifted_permille: view.binding.drifted_permille,
        grace_seconds: view.bench.grace().0,
        groups: enrolled.map(group).collect(),
        replaced: prospect.replaced,
        without_effect: prospect.without_effect,
        advice: advice::prospect(prospect.state).to_owned(),
    }
}

/// The verdict of one issuer's grant on the hardware.
#[must_use]
pub fn binding(view: &IssuerView) -> local::Binding {
    let binding = &view.binding;
    local::Binding {
        issuer: view.name.clone(),
        state: binding.state.name().to_owned(),
        score_permille: binding.score_permille,
        bound_permille: binding.bound_permille,
        drifted_permille: binding.drifted_permille,
        broken_since: time(binding.broken_since),
        grace_until: time(binding.grace_until),
        planned_change: planned_change(view),
        groups: binding.groups.iter().map(group).collect(),
        advice: binding.advice.clone(),
    }
}

fn planned_change(view: &IssuerView) -> Option<local::PlannedChange> {
    view.planned_change.map(|plan| local::PlannedChange {
        operation: plan.operation,
        until: Rfc3339(plan.until),
        used_at: time(plan.used_at),
    })
}

fn group(view: &GroupView) -> local::Group {
    local::Group {
        group: view.group.name().to_owned(),
        state: view.state.name().to_owned(),
        weight: view.weight,
        matched_milli: view.matched_milli,
        advice: view.advice.clone(),
        factors: view.factors.iter().map(factor).collect(),
    }
}

fn factor(view: &FactorView) -> local::Factor {
    local::Factor {
        factor: view.factor.to_owned(),
        source: view.source.clone(),
        state: view.state.to_owned(),
        masked: view.masked.clone(),
        note: view.note.clone(),
    }
}

/// One license held.
#[must_use]
pub fn license(issuer: &str, view: &LicenseView) -> local::License {
    let feature = |feature: &landfast_core::view::FeatureView| local::Feature {
        name: feature.name.clone(),
        quantity: feature.quantity,
        version_limit: feature.version_limit.clone(),
        advisory: feature.advisory,
    };
    local::License {
        issuer: issuer.to_owned(),
        license: view.license,
        product: view.product.clone(),
        model: view.model.to_owned(),
        quantity: view.quantity,
        not_before: Rfc3339(view.not_before),
        not_after: time(view.not_after),
        support_until: time(view.support_until),
        features: view.features.iter().map(feature).collect(),
    }
}

/// One operation on its way.
#[must_use]
pub fn pending(issuer: &str, view: &PendingView) -> local::Pending {
    local::Pending {
        issuer: issuer.to_owned(),
        operation: view.operation,
        action: view.action.to_owned(),
        license: view.license,
        quantity: view.quantity,
        since: Rfc3339(view.since),
        case: view.case.clone(),
    }
}

/// One line of history.
#[must_use]
pub fn history(issuer: &str, entry: HistoryEntry) -> local::HistoryEntry {
    let HistoryEntry { at, code, message } = entry;
    local::HistoryEntry { issuer: issuer.to_owned(), at: Rfc3339(at), code, message }
}

/// What became of one operation.
#[must_use]
pub fn result(issuer: &str, view: ResultView) -> local::OperationResult {
    local::OperationResult {
        issuer: issuer.to_owned(),
        operation: view.operation,
        action: view.action.to_owned(),
        license: view.license,
        quantity: None,
        outcome: view.outcome.to_owned(),
        reason: view.reason,
        detail: view.detail,
        advice: view.advice,
    }
}

/// The answer to a command. A request to be carried is put in armor.
#[must_use]
pub fn reply(issuer: &str, reply: Reply) -> local::CommandReply {
    local::CommandReply {
        results: reply.results.into_iter().map(|view| result(issuer, view)).collect(),
        changed: reply.changed,
        request: reply.request.and_then(|bytes| armor::encode(&bytes).ok()),
    }
}

/// How it stands with every issuer.
#[must_use]
pub fn status(snapshot: &Snapshot, trust: &str, now: &Moment) -> local::Status {
    local::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        trust: trust.to_owned(),
        issuers: snapshot.issuers.iter().map(|view| issuer_status(view, now)).collect(),
    }
}

fn issuer_status(view: &IssuerView, now: &Moment) -> local::IssuerStatus {
    let grant = view.grant.as_ref().map(|grant| local::Grant {
        epoch: grant.position.epoch,
        sequence: grant.position.sequence,
        issued_at: Rfc3339(grant.issued_at),
        lease_until: time(grant.lease_until),
        hold: grant
            .hold
            .as_ref()
            .map(|hold| local::Hold { case: hold.case.clone(), until: Rfc3339(hold.until) }),
    });
    let contact = local::Contact {
        last_answer: time(view.contact.last_answer),
        waiting: view.contact.waiting,
        attempts: view.contact.attempts,
        last_failure: view.contact.last_failure.clone(),
        last_failure_code: view.contact.last_failure_code.map(str::to_owned),
    };
    let alert = |alert: &landfast_core::view::Alert| local::Alert {
        code: alert.code.to_owned(),
        message: alert.message.clone(),
    };
    local::IssuerStatus {
        name: view.name.clone(),
        id: view.issuer,
        device: view.device,
        counter: view.counter,
        licensing_time: Rfc3339(view.time.now(now)),
        grant,
        binding: local::BindingSummary {
            state: view.binding.state.name().to_owned(),
            score_permille: view.binding.score_permille,
            grace_until: time(view.binding.grace_until),
        },
        planned_change: planned_change(view),
        licenses: view.licenses.len(),
        pending: view.pending.len(),
        contact,
        alerts: view.alerts.iter().map(alert).collect(),
    }
}
