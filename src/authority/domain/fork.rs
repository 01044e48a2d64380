//! Whether a request shows that its device's history has forked: two copies of one store are at work.
//!
//! A device lists its own requests from the one that its grant names, and applies only newer grants. So of two
//! requests of one history the later one lists the earlier one, or knows a grant that names one in between, and
//! never knows an older grant. A late file, a gap and a `previous` that is not the newest are all normal.

use landfast_protocol::grant::{Position, RequestName};
use landfast_protocol::request::{MAX_LISTED, Opened, Request};
use serde::{Deserialize, Serialize};

/// What is kept of every request for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRequest {
    /// Counter and digest.
    pub name: RequestName,
    /// The grant that its maker had applied.
    pub previous: Position,
    /// The counter of the request that this grant names.
    pub previous_executed: u64,
    /// It lists every request of its history from this counter on.
    pub speaks_from: u64,
    /// The requests that it lists.
    pub listed: Vec<RequestName>,
    /// Whether its operations were executed.
    pub executed: bool,
    /// Its `previous` belongs to a history that this database does not hold.
    pub lost: bool,
}

impl KnownRequest {
    /// What is kept of `opened`.
    #[must_use]
    pub fn of(opened: &Opened, executed: bool, lost: bool) -> Self {
        let request = &opened.request;
        Self {
            name: opened.name,
            previous: previous_position(request),
            previous_executed: previous_executed(request),
            speaks_from: speaks_from(request),
            listed: request.listed.to_vec(),
            executed,
            lost,
        }
    }

    fn lists(&self, name: &RequestName) -> bool {
        self.listed.contains(name)
    }
}

/// The position of the grant that the request's maker had applied; the lowest when there was none.
#[must_use]
pub fn previous_position(request: &Request) -> Position {
    request.previous.map_or_else(Position::default, |previous| previous.position)
}

fn previous_executed(request: &Request) -> u64 {
    request.previous.map_or(0, |previous| previous.executed)
}

/// A full list may have been cut off, so it speaks only from its first entry on.
#[must_use]
pub fn speaks_from(request: &Request) -> u64 {
    let cut_off = if request.listed.len() == MAX_LISTED { request.listed.first() } else { None };
    previous_executed(request).max(cut_off.map_or(0, |first| first.counter))
}

/// More requests than this inside one list's reach cannot all be listed.
pub const ENOUGH: usize = MAX_LISTED + 1;

/// The part of a device's archive that the verdict on one request depends on. Requests that were made before a
/// case was resolved (their `previous` lies below the cut) are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Requests with the counter of this one.
    pub same: Vec<RequestName>,
    /// The highest `previous` among lower counters.
    pub highest_previous_below: Option<Position>,
    /// The lowest `previous` among higher counters.
    pub lowest_previous_above: Option<Position>,
    /// Requests with lower counters that this one speaks for; [`ENOUGH`] of them at most.
    pub below: Vec<RequestName>,
    /// Requests with higher counters that speak for this one; [`ENOUGH`] of them at most.
    pub above: Vec<KnownRequest>,
    /// The executed request with the lowest counter above this one.
    pub next_executed: Option<KnownRequest>,
}

/// How a fork showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sign")]
pub enum Fork {
    /// One counter names two contents.
    SameCounter,
    /// A later request knows an older grant than an earlier one.
    PreviousFell,
    /// A request does not list one that was made before it.
    Unlisted {
        /// The counter of the one that is missing from the list.
        counter: u64,
    },
    /// It is older than what was executed, and no executed request knows of it.
    Unknown,
}

impl Fork {
    /// In plain words, for the person who answers the case.
    #[must_use]
    pub fn explain(&self) -> String {
        match self {
            Self::SameCounter => "two requests carry the same counter and different content".to_owned(),
            Self::PreviousFell => "a later request knows an older grant than an earlier one".to_owned(),
            Self::Unlisted { counter } => {
                format!("request {counter} is not known to the request that was made after it")
            }
            Self::Unknown => "an old request arrived that no executed request knows of".to_owned(),
        }
    }
}

/// Judges `opened` against what is known. `seen` is the counter of the newest executed request; `lost` says that
/// the request's `previous` belongs to a history that this database does not hold.
#[must_use]
pub fn detect(known: &Known, opened: &Opened, seen: u64, lost: bool) -> Option<Fork> {
    let name = opened.name;
    let previous = previous_position(&opened.request);
    if known.same.iter().any(|other| *other != name) {
        return Some(Fork::SameCounter);
    }
    let fell = known.highest_previous_below.is_some_and(|below| below > previous)
        || known.lowest_previous_above.is_some_and(|above| above < previous);
    if fell {
        return Some(Fork::PreviousFell);
    }
    if let Some(missing) = known.below.iter().find(|older| !opened.request.listed.contains(older)) {
        return Some(Fork::Unlisted { counter: missing.counter });
    }
    if known.above.iter().any(|newer| !newer.lists(&name)) || known.above.len() >= ENOUGH {
        return Some(Fork::Unlisted { counter: name.counter });
    }
    if name.counter <= seen && !lost && !known.above.iter().any(|newer| newer.executed) {
        return unknown(known, name.counter).then_some(Fork::Unknown);
    }
    None
}

/// In one history the next executed request lists this one, unless its list was cut off, or the grant that it
/// knew was lost with the authority's database.
fn unknown(known: &Known, counter: u64) -> bool {
    match &known.next_executed {
        None => true,
        Some(next) if next.previous_executed <= counter => next.speaks_from <= counter,
        Some(next) => !next.lost,
    }
}

/// Picks [`Known`] out of all requests of a device. SQL does the same with indexes.
#[must_use]
pub fn pick<'a>(
    all: impl Iterator<Item = &'a KnownRequest> + Clone,
    opened: &Opened,
    cut: Position,
) -> Known {
    let counter = opened.name.counter;
    let floor = speaks_from(&opened.request);
    let all = all.filter(move |known| known.previous >= cut);
    let below = || all.clone().filter(move |known| known.name.counter < counter);
    let above = || all.clone().filter(move |known| known.name.counter > counter);
    Known {
        same: all.clone().filter(|known| known.name.counter == counter).map(|known| known.name).collect(),
        highest_previous_below: below().map(|known| known.previous).max(),
        lowest_previous_above: above().map(|known| known.previous).min(),
        below: below().filter(|k| k.name.counter >= floor).map(|known| known.name).take(ENOUGH).collect(),
        above: above().filter(|known| known.speaks_from <= counter).take(ENOUGH).cloned().collect(),
        next_executed: above().filter(|known| known.executed).min_by_key(|known| known.name.counter).cloned(),
    }
}

#[cfg(test)]
#[path = "fork_tests.rs"]
mod tests;
