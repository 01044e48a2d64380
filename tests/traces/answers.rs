//! The same request gets the same answer, and every answer brings its device further.

use crate::script::Script;
use landfast_tests::simulation::run::settles_within;

#[test]
fn a09_the_archive_is_asked_before_the_counter() {
    let mut script = Script::plain();
    script.activated(0);
    let first = script.reclaim(0);
    let second = script.reclaim(0);
    let before = script.take(first);
    script.take(second);
    let again = script.take(first);
    assert_eq!(before, again, "the very same bytes");
    assert!(!script.superseded(again), "executed then, and executed in every later copy of the answer");
    script.settles();
}

#[test]
fn a10_superseded_acknowledges_nothing_but_what_it_repeats() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let back = script.give_back(0);
    let answer = script.take(back);
    let late = script.take(first);
    assert!(script.superseded(late));
    assert_eq!(script.results(late), ["done"], "of the activation; this request knew no return");
    script.import(0, late);
    assert_eq!((script.pending(0), script.granted(0)), (1, 0), "the return still waits for its result");
    script.import(0, answer);
    assert_eq!(script.pending(0), 0);
    script.settles();
}

#[test]
fn a11_results_count_also_with_an_older_grant() {
    let mut script = Script::plain();
    script.activated(0);
    let back = script.give_back(0);
    let late = script.take(back);
    let update = script.update(0);
    script.import(0, update);
    assert_eq!(script.pending(0), 1);
    assert!(script.grant(late).position < script.grant(update).position);
    script.import(0, late);
    assert_eq!(script.pending(0), 0, "its results end the operation");
    let shown = script.world.view(0, 0).unwrap().grant.as_ref().unwrap().position;
    assert_eq!(shown, script.grant(update).position, "its older grant replaces nothing");
    script.settles();
}

#[test]
fn a12_every_executed_request_raises_the_sequence() {
    let mut script = Script::plain();
    let mut positions = Vec::new();
    script.activate(0);
    let requests = [script.give_back(0), script.reclaim(0), script.reclaim(0)];
    for request in requests {
        let answer = script.take(request);
        assert!(script.grant(answer).tokens.is_empty(), "the set never changes");
        positions.push(script.grant(answer).position);
    }
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "{positions:?}");
    script.settles();
}

#[test]
fn a13_operations_end_although_the_set_does_not_change() {
    let mut script = Script::plain();
    script.activate(0);
    let back = script.give_back(0);
    let answer = script.take(back);
    script.import(0, answer);
    assert_eq!(script.pending(0), 0);
    script.settles();
}

#[test]
fn a29_one_exchange_is_enough_to_settle() {
    for seed in 1..=40 {
        if let Err(violation) = settles_within(seed, 1) {
            panic!("seed {seed}: {violation}");
        }
    }
}
