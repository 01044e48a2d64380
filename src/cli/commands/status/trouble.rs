//! What needs a person: found in what the agent reports, worst first.

use super::{Page, endings};
use crate::text::{attempts, count, distance, time};
use landfast_client::api::{Check, IssuerStatus};

/// A right that ends within this many seconds is worth a word today: less than a usual lease, which renews itself.
const SOON: u64 = 14 * 86_400;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Everything works; somebody should look.
    Attention,
    /// Something that was licensed is denied.
    Stopped,
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) level: Level,
    pub(super) what: String,
    pub(super) next: String,
}

/// Features that were licensed and are denied now. What was given back, or begins later, is no trouble.
pub(super) fn stopped(checks: &[Check]) -> impl Iterator<Item = &Check> {
    checks.iter().filter(|check| {
        !check.granted && !matches!(check.reason.as_str(), "returned" | "not_started" | "not_licensed")
    })
}

/// Everything that needs a person, worst first.
pub(super) fn find(page: &Page) -> Vec<Trouble> {
    let mut troubles = denied(&page.checks);
    for issuer in &page.status.issuers {
        troubles.extend(of_issuer(issuer));
    }
    for ending in endings::find(page) {
        let left = ending.at.0.since(ending.now.0).0;
        if let Some(next) = ending.next.filter(|_| left <= SOON) {
            troubles.push(Trouble {
                level: Level::Attention,
                what: format!(
                    "{} ends {}, {}",
                    ending.what,
                    distance(ending.at, ending.now),
                    time(ending.at)
                ),
                next: next.to_owned(),
            });
        }
    }
    if page.status.issuers.is_empty() {
        troubles.push(Trouble {
            level: Level::Attention,
            what: "no issuer is configured".to_owned(),
            next: "put the vendor's issuer file into /etc/landfast/issuers.d, then restart landfastd"
                .to_owned(),
        });
    }
    troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.level));
    troubles
}

/// Denied features by reason: many features of one license end alike.
fn denied(checks: &[Check]) -> Vec<Trouble> {
    let mut reasons: Vec<(&str, Vec<&str>, &str)> = Vec::new();
    for check in stopped(checks) {
        match reasons.iter_mut().find(|(reason, ..)| *reason == check.reason) {
            Some((_, features, _)) => features.push(&check.feature),
            None => {
                let advice = check.advice.as_deref().unwrap_or_default();
                reasons.push((&check.reason, vec![&check.feature], advice));
            }
        }
    }
    let trouble = |(reason, features, advice): (&str, Vec<&str>, &str)| Trouble {
        level: Level::Stopped,
        what: format!("denied, {reason}: {}", features.join(", ")),
        next: advice.to_owned(),
    };
    reasons.into_iter().map(trouble).collect()
}

fn of_issuer(issuer: &IssuerStatus) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let mut add = |what: String, next: &str| {
        let what = format!("{}: {what}", issuer.name);
        troubles.push(Trouble { level: Level::Attention, what, next: next.to_owned() });
    };
    // The verdict is told below, with the end of its grace.
    for alert in issuer.alerts.iter().filter(|alert| alert.code != "binding_broken") {
        add(alert.message.clone(), "");
    }
    let planned = issuer.planned_change.is_some_and(|plan| plan.used_at.is_none());
    let soon = "a planned change is open: wait until it is taken over, and see `landfast fingerprint`";
    match issuer.binding.state.as_str() {
        "drifted" => add(
            "parts of the hardware were replaced; everything stays granted".to_owned(),
            if planned {
                soon
            } else {
                "run `landfast reclaim` to bind the licenses to the hardware as it is; see `landfast fingerprint`"
            },
        ),
        // A leased device is known to be so, and its lease is renewed.
        "indeterminate" if issuer.grant.as_ref().is_none_or(|grant| grant.lease_until.is_none()) => add(
            "too little of the hardware can be read to tell this machine from another".to_owned(),
            "run `landfast doctor`, and see `landfast fingerprint` for what is unreadable",
        ),
        "broken" => {
            let until = issuer.binding.grace_until.filter(|until| *until > issuer.licensing_time);
            let granted = until.map_or_else(
                || "its licenses are denied".to_owned(),
                |until| {
                    let left = distance(until, issuer.licensing_time);
                    format!("licenses stay granted until {}, {left}", time(until))
                },
            );
            add(
                format!("the hardware is not the one that was licensed; {granted}"),
                if planned {
                    soon
                } else {
                    "put it back, or return the licenses and activate them again; see `landfast fingerprint`"
                },
            );
        }
        _ => {}
    }
    let contact = &issuer.contact;
    if let Some(failure) = contact.last_failure.as_ref().filter(|_| contact.attempts > 0) {
        add(
            format!("{failure} ({})", attempts(contact.attempts)),
            "no license stops by this, and the agent tries again by itself; see `landfast doctor`",
        );
    }
    if issuer.pending > 0 {
        let verb = if issuer.pending == 1 { "waits" } else { "wait" };
        add(format!("{} {verb} for a result", count(issuer.pending, "operation")), "see `landfast pending`");
    }
    troubles
}
