//! Makes the view that faces and checks read.

use crate::clock::Moment;
use crate::entitlement::{Ending, Features, Reason, Row};
use crate::machine::{Inner, Settings};
use crate::state::Pending;
use crate::view::{
    Alert, BindingState, BindingView, ContactView, FactorView, FeatureView, GrantView, GroupView, HoldView,
    IssuerView, LicenseView, PendingView, ResultView,
};
use crate::what_if::Bench;
use landfast_protocol::binding::{BindingPolicy, GroupComparison, GroupState};
use landfast_protocol::evidence::Group;
use landfast_protocol::grant::{Grant, Token};
use landfast_protocol::local::Rfc3339;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::reading::{FactorReading, Reading};
use landfast_protocol::{Duration, OperationId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) fn view(settings: &Settings, inner: &Inner, now: &Moment) -> IssuerView {
    let grant = inner.grant.as_deref();
    let time = inner.state.time.now(now);
    let mut view = IssuerView {
        name: settings.name.clone(),
        issuer: inner.state.issuer,
        device: inner.device,
        time: inner.state.time,
        shown_at: time,
        clock_trusted: inner.state.time.trusts_wall(now),
        grant: grant.map(grant_view),
        counter: inner.state.counter,
        binding: binding_view(inner),
        planned_change: crate::planned::view(inner, time),
        bench: bench(inner),
        licenses: grant.map(|grant| license_views(inner, grant)).unwrap_or_default(),
        pending: inner.state.pending.iter().map(pending_view).collect(),
        contact: contact_view(inner),
        features: features(inner),
        alerts: alerts(inner, now),
    };
    view.alerts.extend(ends_soon(&view, now));
    view.alerts.extend(lease_ends_soon(settings, inner, time));
    view
}

/// B9: said so long before a feature ends.
const NOTICE: Duration = Duration::days(7);
/// Features that are named there; the others are counted.
const NAMED: usize = 3;

fn ends_soon(view: &IssuerView, now: &Moment) -> Option<Alert> {
    let ending = crate::runway::ending(view, NOTICE, now);
    let named = ending.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let others = match ending.len().saturating_sub(NAMED) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let message = format!(
        "licenses of {} end within 7 days: {named}{others}; `landfast runway` says whether others go on, `landfast reclaim` \
         asks for a renewal",
        view.name
    );
    (!ending.is_empty()).then_some(Alert { code: "ends_soon", message })
}

/// A lease is renewed at half of its time, so it only comes near its end where nobody renews it.
fn lease_ends_soon(settings: &Settings, inner: &Inner, time: Timestamp) -> Option<Alert> {
    let end = inner.grant.as_deref()?.lease_until.filter(|end| time < *end && *end <= time.after(NOTICE))?;
    let neglected = !settings.online || inner.contact.attempts > 0;
    let until = Rfc3339(end);
    let message = format!(
        "the lease of everything from {} ends at {until}: `landfast reclaim` renews it, or `landfast reclaim --offline`",
        settings.name
    );
    neglected.then_some(Alert { code: "lease_ends_soon", message })
}

fn bench(inner: &Inner) -> Bench {
    Bench {
        issuer: inner.state.issuer,
        enrolled: crate::binding::enrolled(inner).cloned().map(Arc::new),
        policy: inner.grant.as_deref().map(|grant| grant.policy.clone()).unwrap_or_default(),
        reading: inner.reading.clone(),
        state: inner.binding,
    }
}

fn grant_view(grant: &Grant) -> GrantView {
    let hold = grant.hold.as_ref().map(|hold| HoldView { case: hold.case.to_string(), until: hold.until });
    GrantView { position: grant.position, issued_at: grant.issued_at, lease_until: grant.lease_until, hold }
}

fn license_views(inner: &Inner, grant: &Grant) -> Vec<LicenseView> {
    let held = |token: &Token| {
        let quantity = inner.state.units(token);
        (quantity > 0).then(|| LicenseView {
            license: token.license,
            product: token.product.to_string(),
            model: token.model.name(),
            quantity,
            not_before: token.not_before,
            not_after: token.not_after,
            support_until: token.support_until,
            features: feature_views(token, quantity),
        })
    };
    grant.tokens.iter().filter_map(held).collect()
}

fn feature_views(token: &Token, units: u32) -> Vec<FeatureView> {
    let show = |feature: &landfast_protocol::grant::Feature| FeatureView {
        name: feature.name.to_string(),
        quantity: share(feature.quantity, units, token.quantity),
        version_limit: feature.version_limit.as_ref().map(ToString::to_string),
        advisory: feature.advisory,
    };
    token.features.iter().map(show).collect()
}

/// The part of a feature that `units` of `all` carry.
fn share(quantity: u32, units: u32, all: u32) -> u32 {
    let part = u64::from(quantity) * u64::from(units) / u64::from(all.max(1));
    u32::try_from(part).unwrap_or(u32::MAX)
}

fn features(inner: &Inner) -> Features {
    let mut rows: HashMap<Box<str>, Vec<Row>> = HashMap::new();
    for token in inner.grant.iter().flat_map(|grant| grant.tokens.iter()) {
        let units = inner.state.units(token);
        for feature in token.features.iter() {
            rows.entry(Box::from(&*feature.name)).or_default().push(Row {
                license: token.license,
                model: token.model,
                quantity: share(feature.quantity, units, token.quantity),
                not_before: token.not_before,
                not_after: token.not_after,
                version_limit: feature.version_limit.clone(),
                advisory: feature.advisory && units > 0,
            });
        }
    }
    for of_feature in rows.values_mut() {
        of_feature.sort_by_key(|row| std::cmp::Reverse(row.not_after.map_or(u64::MAX, |end| end.0)));
    }
    Features { rows, ends: ending(inner) }
}

/// What ends everything of this issuer first.
fn ending(inner: &Inner) -> Option<Ending> {
    let grant = inner.grant.as_deref()?;
    let broken = inner.state.broken_since.map(|since| since.after(grant.policy.grace));
    let lost = inner.lost_since.map(|since| since.after(grant.policy.grace));
    let broken = broken.into_iter().map(|at| Ending { at, reason: Reason::BindingBroken });
    let lost = lost.into_iter().map(|at| Ending { at, reason: Reason::StoreLost });
    let lease = grant.lease_until.into_iter().map(|at| Ending { at, reason: Reason::LeaseEnded });
    let hold = grant.hold.iter().map(|hold| Ending { at: hold.until, reason: Reason::OnHold });
    // A lease renews itself: where both end at once, the other reason says more.
    broken.chain(lost).chain(hold).chain(lease).min_by_key(|ending| ending.at)
}

fn binding_view(inner: &Inner) -> BindingView {
    let policy = inner.grant.as_deref().map(|grant| grant.policy.clone()).unwrap_or_default();
    let comparison = inner.comparison.as_ref();
    BindingView {
        state: inner.binding,
        score_permille: comparison.map_or(0, |c| c.score_permille),
        bound_permille: policy.bound_permille,
        drifted_permille: policy.drifted_permille,
        broken_since: inner.state.broken_since,
        grace_until: inner.state.broken_since.map(|since| since.after(policy.grace)),
        groups: Group::ALL.into_iter().filter_map(|group| group_view(inner, &policy, group)).collect(),
        advice: binding_advice(inner).to_owned(),
    }
}

fn binding_advice(inner: &Inner) -> &'static str {
    let taken_over = inner.binding == BindingState::Bound && inner.state.rebound.is_some();
    match (&inner.settling, taken_over) {
        (Some(_), _) => crate::advice::SETTLING,
        (None, true) => crate::advice::TAKEN_OVER,
        (None, false) if inner.binding == BindingState::Indeterminate && inner.reading.is_none() => {
            crate::advice::UNREAD
        }
        (None, false) => crate::advice::binding(inner.binding),
    }
}

fn group_view(inner: &Inner, policy: &BindingPolicy, group: Group) -> Option<GroupView> {
    let factors: Vec<_> = inner
        .reading
        .iter()
        .flat_map(|reading| &reading.factors)
        .filter(|read| read.factor.group() == group)
        .map(factor_view)
        .collect();
    let compared =
        inner.comparison.as_ref().and_then(|c| c.groups.iter().find(|g| g.group == group)).copied();
    let virtual_machine = inner.reading.as_deref().is_some_and(|reading| reading.virtual_machine);
    let compared = compared.unwrap_or(GroupComparison {
        group,
        weight: policy.weights.of(group, virtual_machine),
        matched_milli: 0,
        state: GroupState::NotEnrolled,
    });
    if factors.is_empty() && compared.state == GroupState::NotEnrolled {
        return None;
    }
    let changed = matches!(compared.state, GroupState::Changed | GroupState::Partial);
    let advice = if changed { crate::advice::restore(group) } else { "" };
    Some(GroupView {
        group,
        state: compared.state,
        weight: compared.weight,
        matched_milli: compared.matched_milli,
        advice: advice.to_owned(),
        factors,
    })
}

fn factor_view(read: &FactorReading) -> FactorView {
    let (state, masked, note) = match &read.reading {
        Reading::Present(value) => ("present", Some(value.masked()), None),
        Reading::Absent => ("absent", None, Some("this machine has none".to_owned())),
        Reading::Unreadable(why) => ("unreadable", None, Some(why.clone())),
        Reading::Placeholder(value) => {
            ("placeholder", Some(value.masked()), Some("many machines share this value".to_owned()))
        }
    };
    FactorView { factor: read.factor.name(), source: read.source.clone(), state, masked, note }
}

fn pending_view(pending: &Pending) -> PendingView {
    let quantity = match &pending.operation.action {
        Action::Activate { quantity, .. } | Action::Return { quantity, .. } => *quantity,
        Action::PlanChange { .. } | Action::Unknown { .. } => None,
    };
    PendingView {
        operation: pending.operation.id,
        action: pending.operation.action.name(),
        license: pending.operation.action.license(),
        quantity,
        since: pending.since,
        case: pending.case.map(|case| case.to_string()),
    }
}

fn contact_view(inner: &Inner) -> ContactView {
    let failure = inner.contact.last_failure.as_ref();
    ContactView {
        last_answer: inner.state.last_answer,
        waiting: inner.state.outstanding.is_some(),
        attempts: inner.contact.attempts,
        last_failure: failure.map(ToString::to_string),
        last_failure_code: failure.map(|failure| failure.code()),
    }
}

fn alerts(inner: &Inner, now: &Moment) -> Vec<Alert> {
    let mut alerts = Vec::new();
    let mut raise = |code, message: String| alerts.push(Alert { code, message });
    if inner.lost_since.is_some() {
        let until = "licenses stay granted through the grace of their binding";
        raise("store_lost", format!("the store of this device is lost; {until}: run `landfast doctor`"));
    }
    if let Some(why) = inner.shut() {
        raise("secrets_shut", why.to_string());
    }
    if let Some(trouble) = &inner.grant_trouble {
        raise(
            "grant_untrusted",
            format!("the stored grant is not accepted: {trouble}; compare the issuer file with the vendor's"),
        );
    }
    if inner.state.retired {
        raise(
            "device_retired",
            "the authority retired this device's key; its licenses were moved elsewhere".to_owned(),
        );
    }
    if let Some(hold) = inner.grant.as_deref().and_then(|grant| grant.hold.as_ref()) {
        raise("on_hold", format!("two copies of this device exist; name case {} to the vendor", hold.case));
    }
    if !inner.state.time.trusts_wall(now) {
        raise("clock_untrusted", "the wall clock jumped; licensing goes on by the boot clock until a time server or the authority agrees".to_owned());
    }
    if inner.binding == BindingState::Broken {
        raise("binding_broken", binding_advice(inner).to_owned());
    }
    if inner.state.rebound.is_some() {
        raise("planned_change_used", crate::advice::PLAN_USED.to_owned());
    }
    alerts
}

/// What became of an operation, for people.
pub(crate) fn result(id: OperationId, action: &Action, outcome: &Outcome) -> ResultView {
    let (reason, detail, advice) = match outcome {
        Outcome::Done => (None, None, None),
        Outcome::Denied { reason, detail } => {
            (Some(reason.code().to_owned()), Some(detail.to_string()), Some(reason.advice().to_owned()))
        }
        Outcome::Stale => (
            Some("stale".to_owned()),
            Some("the license was taken from this device meanwhile".to_owned()),
            Some("activate it again if it is still meant for this device".to_owned()),
        ),
        Outcome::Pending { case } => (
            Some(case.to_string()),
            Some("a person at the vendor decides".to_owned()),
            Some(format!("name case {case} to the vendor; see `landfast pending`")),
        ),
    };
    ResultView {
        operation: Some(id),
        action: action.name(),
        license: action.license(),
        outcome: outcome.name(),
        reason,
        detail: detail.filter(|detail| !detail.is_empty()),
        advice,
    }
}

pub(crate) fn still_pending(pending: &Pending) -> ResultView {
    let action = &pending.operation.action;
    ResultView {
        operation: Some(pending.operation.id),
        action: action.name(),
        license: action.license(),
        outcome: "pending",
        reason: pending.case.map(|case| case.to_string()),
        detail: None,
        advice: Some("the request is kept until it is answered; see `landfast pending`".to_owned()),
    }
}
