//! Each operation acts once and has one result, and a return frees only what its device holds.

use crate::script::{ONE, Script};
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::deeds::What;
use landfast_tests::simulation::setup::Sold;

#[test]
fn a06_an_operation_acts_once() {
    let mut script = Script::plain();
    script.activate(0);
    let back = script.give_back(0);
    let latest = script.reclaim(0);
    let first = script.take(back);
    let second = script.take(latest);
    assert_eq!(script.results(first), script.results(second));
    assert_eq!(script.held(0), 0, "the activation that is carried again is not carried out again");
    script.settles();
}

#[test]
fn a06_an_operation_has_one_result() {
    let mut script = Script::plain();
    script.activate(0);
    let back = script.give_back(0);
    let latest = script.reclaim(0);
    let other = script.activate(1);
    script.take(back);
    script.take(other);
    let answer = script.take(latest);
    assert_eq!(script.results(answer), ["done", "done"], "done once, although another device has it now");
    assert_eq!((script.held(0), script.held(1)), (0, 1));
    script.settles();
}

#[test]
fn a07_a_part_return_that_is_carried_again_frees_its_units_once() {
    let mut script = Script::selling(2, &[Sold { quantity: 2, devices: 2, ..ONE }]);
    let both = script.ask(0, What::Activate(0, Some(2)), Fate::Whole).unwrap();
    let other = script.ask(1, What::Activate(0, Some(2)), Fate::Whole).unwrap();
    let answer = script.take(both);
    script.import(0, answer);
    let one = script.ask(0, What::Return(0, Some(1)), Fate::Whole).unwrap();
    let latest = script.reclaim(0);
    script.take(one);
    script.take(latest);
    assert_eq!((script.held(0), script.granted(0)), (1, 1));
    let answer = script.take(other);
    assert_eq!(script.denial(answer), "no_units_left");
    script.import(1, answer);
    let rest = script.activate(1);
    let answer = script.take(rest);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (1, 1));
    script.settles();
}

#[test]
fn a07_a_part_return_has_one_result() {
    let mut script = Script::selling(2, &[Sold { quantity: 2, devices: 2, ..ONE }]);
    script.ask(0, What::Activate(0, Some(2)), Fate::Whole).unwrap();
    let back = script.give_back(0);
    let latest = script.reclaim(0);
    let other = script.ask(1, What::Activate(0, Some(2)), Fate::Whole).unwrap();
    script.take(back);
    script.take(other);
    let answer = script.take(latest);
    assert_eq!(script.results(answer), ["done", "done"]);
    assert_eq!((script.held(0), script.held(1)), (0, 2));
    script.settles();
}

#[test]
fn a08_operations_are_known_by_their_ids_not_by_counters() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let second = script.reclaim(0);
    // The second request brings the operation that the first one made; the first one comes late.
    let answer = script.take(second);
    assert_eq!(script.results(answer), ["done"]);
    let late = script.take(first);
    assert!(script.superseded(late));
    assert_eq!(script.results(late), ["done"], "what was recorded is repeated");
    script.import(0, late);
    assert_eq!((script.granted(0), script.pending(0)), (1, 0));
    script.settles();
}

#[test]
fn a17_a_return_frees_only_what_its_device_holds() {
    let mut script = Script::plain();
    script.activate(0);
    script.give_back(0);
    let third = script.activate(0);
    let other = script.activate(1);
    let answer = script.take(other);
    script.import(1, answer);
    let answer = script.take(third);
    assert_eq!(script.results(answer), ["denied", "done", "denied"]);
    script.import(0, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    assert_eq!((script.held(0), script.held(1)), (0, 1));
    script.settles();
}

#[test]
fn a17_a_cancelled_activation_takes_nothing_from_others() {
    let mut script = Script::plain();
    let first = script.activate(0);
    script.activate(1);
    let cancelled = script.give_back(1);
    let answer = script.take(first);
    script.import(0, answer);
    let answer = script.take(cancelled);
    assert_eq!(script.results(answer), ["denied", "done"]);
    assert_eq!((script.held(0), script.granted(0)), (1, 1));
    script.settles();
    assert_eq!(script.granted(0), 1);
}

#[test]
fn a18_a_reset_license_is_not_retaken_by_a_request_that_does_not_know() {
    let mut script = Script::plain();
    let first = script.activate(0);
    script.give_back(0);
    let third = script.activate(0);
    script.take(first);
    script.reset(0);
    let answer = script.take(third);
    assert_eq!(script.results(answer), ["done", "done", "stale"]);
    assert_eq!(script.held(0), 0);
    script.import(0, answer);
    assert_eq!((script.granted(0), script.pending(0)), (0, 0));
    // Who knows of the reset may activate again.
    script.activated(0);
    script.settles();
}

#[test]
fn a19_a_recorded_activation_does_not_act_again_after_a_reset() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let second = script.reclaim(0);
    script.take(first);
    script.reset(0);
    let answer = script.take(second);
    assert_eq!((script.results(answer), script.held(0)), (vec!["done"], 0));
    script.import(0, answer);
    assert_eq!(script.granted(0), 0);
    script.settles();
}

#[test]
fn a19_a_recorded_activation_keeps_its_result_after_a_reset() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let second = script.reclaim(0);
    let other = script.activate(1);
    script.take(first);
    script.reset(0);
    script.take(other);
    let answer = script.take(second);
    assert_eq!(script.results(answer), ["done"]);
    assert_eq!((script.held(0), script.held(1)), (0, 1));
    script.settles();
}
