//! The answer to a check: no disk, network, lock or queue, and no allocation.

use crate::clock::Moment;
use crate::view::IssuerView;
use landfast_protocol::grant::{Model, Version};
use landfast_protocol::{LicenseId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// What an application asks.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The feature.
    pub feature: &'a str,
    /// How much of it; zero asks for one.
    pub quantity: u32,
    /// The version that wants to use it.
    pub version: Option<Version>,
    /// Only this issuer, by its configured name.
    pub issuer: Option<&'a str>,
}

/// Why a check was answered as it was: a closed, documented list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Granted without reserve.
    Licensed,
    /// Granted for a limited time: something needs attention before `until`.
    Grace,
    /// Not covered, but the license says that this feature is never switched off.
    Advisory,
    /// The whole of what was held was given back.
    Returned,
    /// Held, but less than asked for.
    QuantityExceeded,
    /// Held, for older versions only.
    VersionExceeded,
    /// The right begins later.
    NotStarted,
    /// The right has ended.
    Expired,
    /// The hardware is another one, and the grace has ended.
    BindingBroken,
    /// The lease of a device without enough hardware evidence has ended.
    LeaseEnded,
    /// Two copies of this device exist, and the grace has ended.
    OnHold,
    /// The agent's store is lost, and the grace has ended.
    StoreLost,
    /// No license here grants it.
    NotLicensed,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::Licensed,
        Self::Grace,
        Self::Advisory,
        Self::Returned,
        Self::QuantityExceeded,
        Self::VersionExceeded,
        Self::NotStarted,
        Self::Expired,
        Self::BindingBroken,
        Self::LeaseEnded,
        Self::OnHold,
        Self::StoreLost,
        Self::NotLicensed,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Licensed => "licensed",
            Self::Grace => "grace",
            Self::Advisory => "advisory",
            Self::Returned => "returned",
            Self::QuantityExceeded => "quantity_exceeded",
            Self::VersionExceeded => "version_exceeded",
            Self::NotStarted => "not_started",
            Self::Expired => "expired",
            Self::BindingBroken => "binding_broken",
            Self::LeaseEnded => "lease_ended",
            Self::OnHold => "on_hold",
            Self::StoreLost => "store_lost",
            Self::NotLicensed => "not_licensed",
        }
    }
}

/// The answer to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Use it, or not.
    pub granted: bool,
    /// How much of the feature is usable now.
    pub quantity: u32,
    /// Who grants; empty when nobody does.
    pub issuer: &'a str,
    /// A license that carries the feature.
    pub license: Option<LicenseId>,
    /// `licensed`, `trial`, `grace`, `expired` or `none`.
    pub state: &'static str,
    /// Why.
    pub reason: Reason,
    /// Until when the answer stays granted if nothing changes; none for ever, or when denied.
    pub until: Option<Timestamp>,
    /// The next step; empty when there is nothing to do.
    pub advice: &'static str,
}

/// What checks of all issuers read: one immutable value, replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// One view per issuer, in order of configuration.
    pub issuers: Vec<Arc<IssuerView>>,
}

/// The features of one issuer's licenses, ready to be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    pub(crate) rows: HashMap<Box<str>, Vec<Row>>,
    pub(crate) ends: Option<Ending>,
}

impl Features {
    /// The names of all features, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.keys().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    /// Every instant at which an answer can change by itself.
    fn turns(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.turns_of(self.rows.values().flatten())
    }

    /// Every instant at which an answer from `rows` can change by itself.
    pub(crate) fn turns_of<'a>(
        &'a self,
        rows: impl Iterator<Item = &'a Row> + 'a,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        let windows = rows.flat_map(|row| [Some(row.not_before), row.not_after]);
        windows.flatten().chain(self.ends.map(|ending| ending.at))
    }

    /// The first instant after `time` at which an answer can change by itself.
    pub(crate) fn next_turn(&self, time: Timestamp) -> Option<Timestamp> {
        self.turns().filter(|turn| *turn > time).min()
    }

    /// Whether an answer changed by itself after `from`, up to `to`.
    pub(crate) fn passed_between(&self, from: Timestamp, to: Timestamp) -> bool {
        self.turns().any(|turn| from < turn && turn <= to)
    }
}

/// One license's share of a feature. Rows that last longest come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub license: LicenseId,
    pub model: Model,
    pub quantity: u32,
    pub not_before: Timestamp,
    pub not_after: Option<Timestamp>,
    pub version_limit: Option<Version>,
    /// Never switched off, while any unit of the license is held.
    pub advisory: bool,
}

/// Everything of this issuer ends at `at`, for `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub at: Timestamp,
    pub reason: Reason,
}

/// Answers a check.
#[must_use]
pub fn evaluate<'a>(snapshot: &'a Snapshot, query: &Query<'_>, now: &Moment) -> Decision<'a> {
    let mut best: Option<Decision<'a>> = None;
    for view in &snapshot.issuers {
        if query.issuer.is_some_and(|name| name != view.name) {
            continue;
        }
        let Some(rows) = view.features.rows.get(query.feature) else { continue };
        let decision = decide(view, rows, query, view.time.now(now));
        if decision.reason == Reason::Licensed {
            return decision;
        }
        if best.as_ref().is_none_or(|best| decision.reason < best.reason) {
            best = Some(decision);
        }
    }
    best.unwrap_or(Decision {
        granted: false,
        quantity: 0,
        issuer: "",
        license: None,
        state: "none",
        reason: Reason::NotLicensed,
        until: None,
        advice: crate::advice::of(Reason::NotLicensed),
    })
}

/// What one issuer's licenses say at `time`, by its licensing time.
pub(crate) fn decide<'a>(
    view: &'a IssuerView,
    rows: &[Row],
    query: &Query<'_>,
    time: Timestamp,
) -> Decision<'a> {
    let wanted = query.quantity.max(1);
    let ended = view.features.ends.filter(|ending| time >= ending.at);
    let mut usable = 0u32;
    let mut until = None;
    let mut trial = true;
    let mut license = None;
    let mut denied = Reason::Returned;
    for row in rows {
        license = license.or(Some(row.license));
        let problem = if row.quantity == 0 {
            Some(Reason::Returned)
        } else if time < row.not_before {
            Some(Reason::NotStarted)
        } else if row.not_after.is_some_and(|end| time >= end) {
            Some(Reason::Expired)
        } else if query
            .version
            .as_ref()
            .is_some_and(|v| row.version_limit.as_ref().is_some_and(|l| !l.admits(v)))
        {
            Some(Reason::VersionExceeded)
        } else {
            None
        };
        match problem {
            // The kind of denial that says most: a held but unusable license before one given back.
            Some(problem) => denied = if denied == Reason::Returned { problem } else { denied },
            None => {
                if usable < wanted {
                    until = row.not_after;
                    trial &= row.model == Model::Trial;
                    license = Some(row.license);
                }
                usable = usable.saturating_add(row.quantity);
            }
        }
    }
    let enough = usable >= wanted;
    let reason = match (ended, enough) {
        (Some(ending), _) if usable > 0 => ending.reason,
        (_, false) if usable > 0 => Reason::QuantityExceeded,
        (_, false) => denied,
        // A lease renews itself; it is a term, not a trouble.
        (_, true) if view.features.ends.is_some_and(|ending| ending.reason != Reason::LeaseEnded) => {
            Reason::Grace
        }
        (_, true) => Reason::Licensed,
    };
    let advisory = rows.iter().any(|row| row.advisory);
    let covered = matches!(reason, Reason::Licensed | Reason::Grace);
    let ending = view.features.ends.map(|ending| ending.at);
    let state = match reason {
        Reason::Grace => "grace",
        Reason::Licensed if trial => "trial",
        Reason::Licensed => "licensed",
        Reason::Expired | Reason::LeaseEnded => "expired",
        _ => "none",
    };
    let advice = match (reason, view.features.ends) {
        (Reason::Grace, Some(ending)) => crate::advice::before(ending.reason),
        (reason, _) => crate::advice::of(reason),
    };
    Decision {
        granted: covered || advisory,
        quantity: if ended.is_some() { 0 } else { usable },
        issuer: &view.name,
        license,
        state,
        reason: if !covered && advisory { Reason::Advisory } else { reason },
        until: if covered { earliest(until, ending) } else { None },
        advice,
    }
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
