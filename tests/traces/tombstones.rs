//! What was given back stays given back until the result of its own return arrives.

use crate::script::{ONE, Script};
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::deeds::What;

#[test]
fn a01_newer_grant_does_not_clear_tombstones() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let back = script.give_back(0);
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    assert_eq!(
        (script.grant(answer).tokens.len(), script.granted(0)),
        (1, 0),
        "granted, and given back since"
    );
    script.take(back);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a02_a_tombstone_ends_with_the_result_of_its_own_return() {
    let mut script = Script::plain();
    script.activated(0);
    let back = script.give_back(0);
    script.take(back);
    // The answer is lost; an update that knows of the return does not end it.
    let update = script.update(0);
    assert!(script.grant(update).tokens.is_empty());
    script.import(0, update);
    assert_eq!((script.granted(0), script.pending(0)), (0, 1));
    // The license comes back with an activation of its own, and the result of the return with it.
    let again = script.activate(0);
    let answer = script.take(again);
    assert_eq!(script.results(answer), ["done", "done"]);
    script.import(0, answer);
    assert_eq!((script.granted(0), script.pending(0)), (1, 0));
    script.settles();
}

#[test]
fn a03_a_grant_that_names_a_later_request_does_not_end_a_tombstone() {
    // The product keeps its licenses on the device: the return will be denied.
    let mut script = Script::selling(2, &[ONE.kept()]);
    script.activated(0);
    let back = script.give_back(0);
    let denied = script.take(back);
    let update = script.update(0);
    let executed = script.grant(update).executed.unwrap().counter;
    assert_eq!(executed, script.world.letter(0, back).unwrap().opened.name.counter);
    script.import(0, update);
    assert_eq!(script.granted(0), 0, "executed up to the return, but its result has not arrived");
    script.import(0, denied);
    assert_eq!(script.denial(denied), "policy");
    assert_eq!(script.granted(0), 1, "the return was denied, so the license is back");
    script.settles();
}

#[test]
fn a04_a_grant_older_than_a_return_counts_for_everything_else() {
    let mut script = Script::selling(2, &[ONE, ONE]);
    script.activated(0);
    let other = script.ask(0, What::Activate(1, None), Fate::Whole).unwrap();
    script.give_back(0);
    let answer = script.take(other);
    script.import(0, answer);
    assert_eq!(script.grant(answer).tokens.len(), 2, "made before the return");
    assert_eq!((script.granted(0), script.world.granted(0, 0, 1)), (0, 1));
    script.settles();
}

#[test]
fn a05_return_all_covers_what_is_still_being_activated() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let all = script.ask(0, What::ReturnAll, Fate::Whole).unwrap();
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    assert_eq!(script.granted(0), 0, "the device expands the return itself, pending activations included");
    script.take(all);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a27_newer_grant_does_not_clear_the_tombstone_of_a_held_license() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let second = script.reclaim(0);
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    let back = script.give_back(0);
    let answer = script.take(second);
    script.import(0, answer);
    assert_eq!((script.grant(answer).tokens.len(), script.granted(0)), (1, 0));
    script.take(back);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a28_an_unsolicited_grant_does_not_clear_tombstones() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    let back = script.give_back(0);
    let update = script.update(0);
    script.import(0, update);
    assert_eq!((script.grant(update).tokens.len(), script.granted(0)), (1, 0));
    script.take(back);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a30_superseded_carries_the_current_grant_with_the_results() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let back = script.give_back(0);
    let latest = script.reclaim(0);
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    script.take(latest);
    let late = script.take(back);
    assert!(script.superseded(late));
    // It ends the tombstone, and says in the same message that the license is gone.
    assert_eq!((script.results(late), script.grant(late).tokens.len()), (vec!["done", "done"], 0));
    script.import(0, late);
    assert_eq!((script.granted(0), script.pending(0)), (0, 0));
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}
