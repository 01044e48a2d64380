//! What must hold after every step of every play.

use crate::play::{Play, SOLD, Step, sold};
use crate::support::*;
use landfast_authority::domain::history::{Chain, Entry, Event};
use landfast_authority::storage::memory::Tables;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 500, ..ProptestConfig::default() })]
    /// The play itself checks I3: the same bytes get the same bytes, an operation has one result, and a position
    /// one grant.
    #[test]
    fn i1_i3_never_more_is_given_out_than_there_is(steps in proptest::collection::vec(any::<Step>(), 1..250)) {
        let memory = Vendor::new(&sold()).memory;
        let mut play = Play::new(vec![Box::new(Arc::clone(&memory))]);
        for step in steps {
            play.step(step);
            check_holdings(&memory.tables());
        }
        check_history(&memory.tables());
    }
}

/// A play that never forks, denies or resets would show nothing.
#[test]
fn the_plays_reach_every_kind_of_event() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..25 {
        let steps = proptest::collection::vec(any::<Step>(), 250).new_tree(&mut runner).unwrap().current();
        let memory = Vendor::new(&sold()).memory;
        let mut play = Play::new(vec![Box::new(Arc::clone(&memory))]);
        steps.into_iter().for_each(|step| play.step(step));
        for link in memory.tables().history() {
            let entry: serde_json::Value = serde_json::from_str(&link.text).unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            reached.insert(text(&entry["event"]));
            reached.insert(text(&entry["reason"]));
            reached.insert(text(&entry["fork"]["sign"]));
        }
    }
    for expected in [
        "activated",
        "returned",
        "denied",
        "stale",
        "fork_found",
        "case_resolved",
        "license_reset",
        "enrolled",
        "rebound",
        "change_planned",
        "rebound_by_plan",
        "nothing_held",
        "expanded",
        "update_issued",
        "epoch_raised",
        "unknown_license",
        "too_many_devices",
        "no_units_left",
        "policy",
        "unsupported_operation",
        "too_little_evidence",
        "binding_broken",
        "same_counter",
        "unlisted",
        "previous_fell",
    ] {
        assert!(reached.contains(expected), "{expected} was never reached: {reached:?}");
    }
}

fn check_holdings(tables: &Tables) {
    for (number, _, quantity, devices) in SOLD {
        let license = activation(number).license(&ISSUER);
        let holders: Vec<u32> = tables.holdings().filter(|h| h.license == license).map(|h| h.units).collect();
        assert!(holders.iter().sum::<u32>() <= quantity, "license {number}: {holders:?}");
        assert!(holders.len() <= devices as usize, "license {number}: {holders:?}");
    }
}

/// The chain holds, no operation acted twice, and what the history says adds up to what is held.
fn check_history(tables: &Tables) {
    let mut chain = Chain::default();
    let mut acted = HashSet::new();
    let mut held = std::collections::BTreeMap::new();
    for link in tables.history() {
        chain.follow(link).unwrap();
        let entry: Entry = serde_json::from_str(&link.text).unwrap();
        match entry.event {
            Event::Activated { device, license, operation, units, held: now } => {
                assert!(acted.insert((device, operation)), "{operation:?} acted twice");
                *held.entry((license, device)).or_insert(0) += units;
                assert_eq!(held[&(license, device)], now);
            }
            Event::Expanded { device, license, units, held: now } => {
                *held.entry((license, device)).or_insert(0) += units;
                assert_eq!(held[&(license, device)], now);
            }
            Event::Returned { device, license, operation, units, held: now, .. } => {
                assert!(acted.insert((device, operation)), "{operation:?} acted twice");
                *held.entry((license, device)).or_insert(0) -= units;
                assert_eq!(held[&(license, device)], now);
            }
            Event::LicenseReset { device, license, units } => {
                *held.entry((license, device)).or_insert(0) -= units;
                assert_eq!(held[&(license, device)], 0);
            }
            _ => {}
        }
    }
    held.retain(|_, units| *units > 0);
    let stored: std::collections::BTreeMap<_, _> =
        tables.holdings().map(|holding| ((holding.license, holding.device), holding.units)).collect();
    assert_eq!(held, stored);
}
