//! How long a feature stays granted if nothing changes: no exchange, no command, no other hardware.

use crate::clock::Moment;
use crate::entitlement::{Decision, Query, Reason, Row, Snapshot, decide};
use crate::view::IssuerView;
use landfast_protocol::{Duration, Timestamp};

/// How long one unit of a feature stays granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runway<'a> {
    /// Time left: nothing when it is denied now, none without an end.
    pub left: Option<Duration>,
    /// The end, in the licensing time of the issuer that is named.
    pub until: Option<Timestamp>,
    /// Why it will be denied then; why it is granted, where there is no end.
    pub reason: Reason,
    /// Whose license lasts longest; empty when nobody knows the feature.
    pub issuer: &'a str,
}

/// Follows `feature` through every instant at which an answer changes by itself, over the licenses of all issuers.
#[must_use]
pub fn runway<'a>(snapshot: &'a Snapshot, feature: &str, now: &Moment) -> Runway<'a> {
    let query = Query { feature, quantity: 1, version: None, issuer: None };
    let shares: Vec<Share<'a>> =
        snapshot.issuers.iter().filter_map(|view| Share::of(view, feature, now)).collect();
    let mut turns: Vec<u64> = shares.iter().flat_map(Share::turns).collect();
    turns.sort_unstable();
    turns.dedup();
    let best = |ahead: u64| {
        let decisions = shares.iter().map(|share| (share.at(ahead), share.decide(&query, ahead)));
        decisions.min_by_key(|(_, decision)| (!decision.granted, decision.reason))
    };
    let Some((_, mut last)) = best(0) else {
        return Runway { left: Some(Duration(0)), until: None, reason: Reason::NotLicensed, issuer: "" };
    };
    if !last.granted {
        return Runway { left: Some(Duration(0)), until: None, reason: last.reason, issuer: last.issuer };
    }
    for ahead in turns {
        match best(ahead) {
            Some((_, decision)) if decision.granted => last = decision,
            Some((until, denied)) => {
                let left = Some(Duration(ahead));
                return Runway { left, until: Some(until), reason: denied.reason, issuer: denied.issuer };
            }
            None => break,
        }
    }
    Runway { left: None, until: None, reason: last.reason, issuer: last.issuer }
}

/// The features of one issuer whose terms end, or pause, before `ahead` has passed; in order.
pub(crate) fn ending<'a>(view: &'a IssuerView, ahead: Duration, now: &Moment) -> Vec<&'a str> {
    let time = view.time.now(now);
    let later = time.after(ahead);
    let ends = |feature: &&str| {
        let rows = view.features.rows.get(*feature).map_or(&[][..], Vec::as_slice);
        let runs = |at: Timestamp| {
            let begun = |row: &&Row| row.quantity > 0 && row.not_before <= at;
            rows.iter().filter(begun).any(|row| row.advisory || row.not_after.is_none_or(|end| at < end))
        };
        let mut ends = rows.iter().filter_map(|row| row.not_after);
        runs(time) && ends.any(|end| time < end && end <= later && !runs(end))
    };
    view.features.names().into_iter().filter(ends).collect()
}

/// What one issuer has of the feature, and its licensing time now.
struct Share<'a> {
    view: &'a IssuerView,
    rows: &'a [Row],
    time: Timestamp,
}

impl<'a> Share<'a> {
    fn of(view: &'a IssuerView, feature: &str, now: &Moment) -> Option<Self> {
        let rows = view.features.rows.get(feature)?;
        Some(Self { view, rows, time: view.time.now(now) })
    }

    /// Seconds from now until each instant at which its answer can change.
    fn turns(&self) -> impl Iterator<Item = u64> + '_ {
        let all = self.view.features.turns_of(self.rows.iter());
        all.filter(|turn| *turn > self.time).map(|turn| turn.since(self.time).0)
    }

    fn at(&self, ahead: u64) -> Timestamp {
        self.time.after(Duration(ahead))
    }

    fn decide(&self, query: &Query<'_>, ahead: u64) -> Decision<'a> {
        decide(self.view, self.rows, query, self.at(ahead))
    }
}
