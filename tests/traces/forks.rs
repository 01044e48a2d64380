//! Honest histories never look forked, in whatever order they arrive; forked ones do.

use crate::script::Script;
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::deeds::What;

#[test]
fn a14_a_counter_that_goes_back_on_arrival_is_no_fork() {
    let mut script = Script::plain();
    script.activated(0);
    let first = script.reclaim(0);
    let second = script.reclaim(0);
    script.take(second);
    let late = script.take(first);
    assert!(script.superseded(late));
    assert!(script.grant(late).hold.is_none());
    script.settles();
}

#[test]
fn a15_a_prev_that_is_not_the_last_issued_is_no_fork() {
    let mut script = Script::plain();
    script.activated(0);
    let first = script.reclaim(0);
    let second = script.reclaim(0);
    let one = script.take(first);
    let two = script.take(second);
    assert!(!script.superseded(two), "made before the answer to the first one arrived, and executed");
    assert!(script.grant(one).hold.is_none() && script.grant(two).hold.is_none());
    // An update that never arrives is normal, too.
    script.update(0);
    let third = script.reclaim(0);
    let three = script.take(third);
    assert!(!script.superseded(three) && script.grant(three).hold.is_none());
    script.settles();
}

/// By the order of counters alone a restored store that jumps over its lost requests would pass.
#[test]
fn a16_a_restored_store_shows_by_what_it_does_not_list() {
    let mut script = Script::plain();
    script.activated(0);
    let image = script.world.image(0);
    let lost = script.reclaim(0);
    script.take(lost);
    script.world.restore(0, image);
    script.restart(0);
    // A crash between two commands uses counters up: the first new request has the counter of the lost one.
    script.ask(0, What::Reclaim, Fate::Cut(0));
    script.restart(0);
    let next = script.reclaim(0);
    assert!(script.world.letter(0, next).unwrap().opened.name.counter > 2, "no counter is used twice");
    let answer = script.take(next);
    assert!(script.grant(answer).hold.is_some(), "the fork is found");
    script.import(0, answer);
    assert!(script.world.view(0, 0).unwrap().grant.as_ref().unwrap().hold.is_some());
}

#[test]
fn a16_late_files_and_gaps_are_no_fork() {
    let mut script = Script::plain();
    script.activated(0);
    let requests: Vec<_> = (0..5).map(|_| script.reclaim(0)).collect();
    // Some never arrive, the others in any order.
    for at in [3, 0, 4, 1] {
        let answer = script.take(requests[at]);
        assert!(script.grant(answer).hold.is_none());
    }
    script.settles();
}

#[test]
fn a20_a_crash_sends_the_same_bytes_again_under_the_same_counter() {
    let mut script = Script::plain();
    assert_eq!(script.ask(0, What::Reclaim, Fate::Cut(0)), None, "committed, and nothing left");
    script.restart(0);
    let sent = script.world.letters_of(0, 0);
    assert_eq!(sent.len(), 1);
    script.world.crash(0, true);
    script.restart(0);
    assert_eq!(script.world.letters_of(0, 0), sent, "the same bytes, so the same request");
    let answer = script.take(sent[0]);
    assert_eq!(script.take(sent[0]), answer);
    assert!(script.grant(answer).hold.is_none());
    // A change takes a new counter.
    let next = script.activate(0);
    let counter = |number: usize| script.world.letter(0, number).unwrap().opened.name.counter;
    assert_eq!((counter(sent[0]), counter(next)), (1, 2));
    script.settles();
}
