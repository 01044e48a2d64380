//! A crash leaves the state before or after, never between.

use crate::script::Script;
use landfast_core::event::{Carrier, Delivery, Event, Selection};
use landfast_core::{Effect, Entropy, Machine, Refusal, Ticket};
use landfast_protocol::Timestamp;
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::authority::AuthorityFate;
use landfast_tests::simulation::deeds::What;

#[test]
fn a21_tombstone_and_operation_are_one_transaction() {
    let fates = [Fate::Uncommitted, Fate::Cut(0), Fate::Cut(1), Fate::Cut(2), Fate::Cut(3)];
    for (at, fate) in fates.into_iter().enumerate() {
        let mut script = Script::plain();
        script.activated(0);
        let writes = script.world.writes(0, 0);
        script.ask(0, What::Return(0, None), fate);
        let written = script.world.writes(0, 0) - writes;
        assert_eq!(written, usize::from(at > 0), "counter, operation, tombstone and request are one write");
        script.restart(0);
        let (pending, granted) = (script.pending(0), script.granted(0));
        assert_eq!((pending, granted), if at > 0 { (1, 0) } else { (0, 1) }, "{fate:?}");
        script.settles();
    }
}

#[test]
fn a22_a_healed_store_keeps_its_tombstones() {
    let mut script = Script::plain();
    let first = script.activate(0);
    let back = script.give_back(0);
    let other = script.activate(1);
    let answer = script.take(first);
    script.import(0, answer);
    // Healing is a start from a copy of the whole record: a grant alone heals nothing.
    script.world.crash(0, true);
    script.restart(0);
    assert_eq!((script.granted(0), script.pending(0)), (0, 1));
    script.take(back);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a22_a_store_without_tombstones_counts_as_lost() {
    let mut script = Script::plain();
    script.activated(0);
    let back = script.give_back(0);
    let answer = script.take(back);
    let (bytes, now) = (script.world.answer_bytes(0, answer), script.world.clocks(0));
    let grant = script.world.grant_frame(0, 0);
    let mut lost = Machine::lost(script.world.settings(0), grant, Timestamp(now.wall.0), &now);
    let deliveries = [Delivery::Online, Delivery::File];
    let mut events = vec![Event::Start, Event::Evidence(Default::default())];
    for delivery in deliveries {
        events.push(Event::Reclaim { ticket: Ticket(1), delivery });
        events.push(Event::Return { ticket: Ticket(2), selection: Selection::All, delivery });
    }
    events.push(Event::Response { ticket: Some(Ticket(3)), bytes, carrier: Carrier::File });
    events.push(Event::Wake);
    let mut refused = 0;
    for event in events {
        let step = lost.handle(event, &now, Entropy::new([9; 32]));
        assert!(step.record().is_none(), "nothing of it is ever stored");
        let effects = step.commit(&mut Refuses);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Send { .. })), "it asks for nothing");
        refused += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Reply(_, Err(Refusal::StoreLost))))
            .count();
    }
    assert_eq!(refused, 5);
}

/// A store that must not be written.
struct Refuses;
impl landfast_core::Store for Refuses {
    type Error = &'static str;
    fn write(&mut self, _: &landfast_core::Record) -> Result<(), Self::Error> {
        Err("a lost store was written")
    }
}

#[test]
fn a23_checks_change_before_the_request_leaves() {
    let mut script = Script::plain();
    script.activated(0);
    let other = script.activate(1);
    let letters = script.world.letters_of(0, 0).len();
    assert_eq!(script.ask(0, What::Return(0, None), Fate::Slow), None);
    assert_eq!(script.granted(0), 1, "durable, and not published yet");
    assert_eq!(script.world.carry_out(0, 0, 1).unwrap(), None, "the first effect is what checks read");
    assert_eq!((script.granted(0), script.world.letters_of(0, 0).len()), (0, letters));
    let back = script.world.carry_out(0, 0, 1).unwrap().unwrap();
    script.take(back);
    let answer = script.take(other);
    script.import(1, answer);
    assert_eq!((script.granted(0), script.granted(1)), (0, 1));
    script.settles();
}

#[test]
fn a25_the_answer_is_kept_inside_the_transaction() {
    let mut script = Script::plain();
    let request = script.activate(0);
    // The authority dies before the commit: nothing happened. It dies after: the answer is in the archive.
    for (fate, held) in [(AuthorityFate::DiesBefore, 0), (AuthorityFate::DiesAfter, 1)] {
        assert_eq!(script.world.take(0, request, fate).unwrap(), None);
        assert_eq!(script.held(0), held);
    }
    let answer = script.take(request);
    assert!(!script.superseded(answer) && script.grant(answer).hold.is_none());
    script.import(0, answer);
    assert_eq!(script.granted(0), 1);
    script.settles();
}

/// Recover is not there yet. Until then a lost store is a new device, and what the old key held comes back by a
/// reset; what the old key still has on its way takes nothing again.
#[test]
fn a26_the_requests_of_a_lost_store_retake_nothing() {
    let mut script = Script::plain();
    script.activated(0);
    let delayed = [script.reclaim(0), script.give_back(0), script.activate(0)];
    let old = script.world.lose_store(0).unwrap();
    script.restart(0);
    let request = script.activate(0);
    let answer = script.take(request);
    assert_eq!(script.denial(answer), "too_many_devices", "the old key still has it");
    script.import(0, answer);
    assert!(script.world.reset_lost(0, 0, old).unwrap());
    script.activated(0);
    for request in delayed {
        script.take(request);
    }
    assert_eq!((script.held(0), script.granted(0)), (1, 1));
    script.settles();
}
