//! The exchange on the device: what is durable before what, and which answers are believed.

use crate::support::*;
use landfast_core::effect::{Refusal, Ticket};
use landfast_core::event::{Carrier, Delivery, Event, Selection, TransportFailure};
use landfast_core::{Effect, Machine};
use landfast_protocol::grant::{Hold, Position};
use landfast_protocol::operation::{Action, DenialReason, Outcome};
use landfast_protocol::request::Request;
use landfast_protocol::response::{Answer, Disposition, OperationResult};
use landfast_protocol::{CaseId, Text, Timestamp};

fn licensed() -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

#[test]
fn e2_activation_is_stored_then_sent_then_answered() {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let writes = device.store.writes;
    let request = device.activate(1);
    assert_eq!(device.store.writes, writes + 1);
    let opened = Request::open(&request).unwrap();
    assert_eq!(opened.request.operations.len(), 1);
    assert!(
        matches!(opened.request.operations[0].action, Action::Activate { license: l, .. } if l == license(1))
    );
    assert!(device.replied().is_none(), "the caller waits for the authority");
    assert_eq!(device.check("points", 1).reason, "not_licensed");

    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    let reply = device.replied().unwrap().unwrap();
    assert_eq!(reply.results[0].outcome, "done");
    assert!(device.check("points", 10).granted);
    assert_eq!(device.check("points", 11).reason, "quantity_exceeded");
}

#[test]
fn d8_a_return_is_published_before_it_is_sent_and_denial_brings_it_back() {
    let (mut issuer, mut device) = licensed();
    let request = device.give_back(1).unwrap();
    let publish = device.effects.iter().position(|e| matches!(e, Effect::Publish(_))).unwrap();
    let send = device.effects.iter().position(|e| matches!(e, Effect::Send { .. })).unwrap();
    assert!(publish < send);
    assert_eq!(device.check("points", 1).reason, "returned");

    let denied = Outcome::Denied { reason: DenialReason::Policy, detail: Text::lossy("not this week") };
    let answer = issuer.answer(&request, denied, NOON);
    device.import(answer);
    let reply = device.replied().unwrap().unwrap();
    assert_eq!(reply.results[0].reason.as_deref(), Some("policy"));
    assert!(device.check("points", 10).granted, "the license is back");
}

#[test]
fn b4_a_newer_grant_does_not_end_a_tombstone() {
    let (mut issuer, mut device) = licensed();
    let request = device.give_back(1).unwrap();
    issuer.position.sequence += 1;
    let opened = Request::open(&request).unwrap();
    let grant = issuer.grant(opened.key.device(), None, NOON);
    let renewal = issuer.seal(opened.key.device(), None, Vec::new(), grant, NOON);
    device.import(renewal);
    assert!(!device.check("points", 1).granted, "the grant still counts it, the device does not");
}

#[test]
fn p7_after_a_crash_the_same_bytes_are_sent_again() {
    let issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    device.restart(issuer.settings());
    assert_eq!(device.sent().unwrap(), request);
}

#[test]
fn p8_what_cannot_be_stored_did_not_happen() {
    let (_, mut device) = licensed();
    device.store.full = true;
    assert!(device.give_back(1).is_none());
    assert!(matches!(device.replied(), Some(Err(Refusal::Store(_)))));
    assert!(device.check("points", 10).granted, "a return that was not stored was not made");
    device.store.full = false;
    assert!(device.give_back(1).is_some());
}

#[test]
fn p8_an_answer_that_cannot_be_stored_is_fetched_again() {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.store.full = true;
    device.import(answer.clone());
    assert!(!device.check("points", 1).granted);
    device.store.full = false;
    device.pass(61);
    device.handle(Event::Wake);
    assert_eq!(device.sent().unwrap(), request);
    device.import(answer);
    assert!(device.check("points", 10).granted);
}

#[test]
fn e2_an_unreachable_authority_is_said_at_once_and_tried_again_with_the_same_bytes() {
    let issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    let counter = Request::open(&request).unwrap().request.counter;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let failure = TransportFailure::Unreachable("connection refused".to_owned());
        device.handle(Event::SendFailed { counter, failure });
        let failed = device.now.boot.0;
        while device.sent().is_none() {
            // Other things wake the device, too, such as the hourly mark of licensing time.
            let wake = device.wake_at().unwrap();
            device.pass(wake - device.now.boot.0);
            device.handle(Event::Wake);
        }
        waits.push(device.now.boot.0 - failed);
        assert_eq!(device.sent().unwrap(), request);
    }
    assert!(waits[0] <= 16 && waits[11] >= 1800 && waits[11] <= 3602, "{waits:?}");
}

#[test]
fn p7_the_caller_of_an_unreachable_authority_is_told_that_nothing_is_lost() {
    let issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    let counter = Request::open(&request).unwrap().request.counter;
    device.handle(Event::SendFailed { counter, failure: TransportFailure::Tls("expired".to_owned()) });
    let refusal = device.replied().unwrap().unwrap_err();
    assert_eq!(refusal.code(), "authority_tls");
    assert!(refusal.advice().contains("nothing is lost"), "{}", refusal.advice());
    assert_eq!(device.machine.view(&device.now).pending.len(), 1);
}

#[test]
fn b1_answers_that_are_not_ours_change_nothing() {
    let (mut issuer, mut device) = licensed();
    let mut other = Device::with(issuer.settings(), 2);
    let others = other.activate(1);
    let for_other = issuer.answer(&others, Outcome::Done, NOON);
    let refused = |device: &mut Device, bytes: Vec<u8>| {
        device.handle(Event::Response { ticket: Some(Ticket(9)), bytes, carrier: Carrier::File });
        device.replied().unwrap().unwrap_err().code()
    };
    let before = device.store.writes;
    assert_eq!(refused(&mut device, for_other), "wrong_device");
    assert_eq!(refused(&mut device, b"junk".to_vec()), "not_a_message");

    let request = device.give_back(1).unwrap();
    let opened = Request::open(&request).unwrap();
    issuer.position.sequence += 1;
    let grant = issuer.grant(opened.key.device(), Some(&opened), NOON);
    let mut unknown = opened.clone();
    unknown.name.digest.0[0] ^= 1;
    let bytes = issuer.respond(&unknown, Disposition::Executed, Outcome::Done, grant.clone(), NOON);
    assert_eq!(refused(&mut device, bytes), "unknown_request");

    issuer.position = Position { epoch: 0, sequence: 0 };
    let mut forged = Issuer::new();
    forged.forged();
    let bytes = forged.respond(&opened, Disposition::Executed, Outcome::Done, grant, NOON);
    assert_eq!(refused(&mut device, bytes), "untrusted_signer");
    let changed = {
        let mut bytes = issuer.answer(&request, Outcome::Done, NOON);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bytes
    };
    assert_eq!(refused(&mut device, changed), "bad_signature");
    assert_eq!(device.store.writes, before + 1, "only the return was stored");
}

#[test]
fn b4_an_older_grant_is_not_applied_but_its_results_count() {
    let (mut issuer, mut device) = licensed();
    let request = device.give_back(1).unwrap();
    let opened = Request::open(&request).unwrap();
    // An unsolicited update overtakes the answer.
    issuer.tokens = Vec::new();
    issuer.position.sequence = 50;
    let grant = issuer.grant(opened.key.device(), Some(&opened), NOON);
    let update = issuer.seal(opened.key.device(), None, Vec::new(), grant, NOON);
    device.import(update);
    assert_eq!(device.machine.view(&device.now).pending.len(), 1);
    issuer.tokens = vec![token(1, "points", 10)];
    issuer.position.sequence = 7;
    let late = issuer.answer(&request, Outcome::Done, NOON);
    device.import(late);
    assert!(device.machine.view(&device.now).pending.is_empty());
    assert_eq!(device.check("points", 1).reason, "not_licensed");
}

#[test]
fn b4_an_older_epoch_is_refused_whole() {
    let (mut issuer, mut device) = licensed();
    let request = device.give_back(1).unwrap();
    let opened = Request::open(&request).unwrap();
    issuer.position = Position { epoch: 1, sequence: 1 };
    let grant = issuer.grant(opened.key.device(), None, NOON);
    device.import(issuer.seal(opened.key.device(), None, Vec::new(), grant, NOON));
    issuer.position = Position { epoch: 0, sequence: 90 };
    let old = issuer.answer(&request, Outcome::Done, NOON);
    device.handle(Event::Response { ticket: Some(Ticket(3)), bytes: old, carrier: Carrier::File });
    assert_eq!(device.replied().unwrap().unwrap_err().code(), "old_epoch");
    assert_eq!(device.machine.view(&device.now).pending.len(), 1);
}

#[test]
fn b4_a_superseded_request_is_asked_again_above_what_was_executed() {
    let (mut issuer, mut device) = licensed();
    let request = device.give_back(1).unwrap();
    let opened = Request::open(&request).unwrap();
    issuer.position.sequence += 1;
    let mut newer = opened.clone();
    newer.name.counter = 40;
    let grant = issuer.grant(opened.key.device(), Some(&newer), NOON);
    let answer = issuer.respond(&opened, Disposition::Superseded, Outcome::Done, grant, NOON);
    device.import(answer);
    let again = Request::open(&device.sent().unwrap()).unwrap();
    assert_eq!(again.request.counter, 41);
    assert_eq!(again.request.operations, opened.request.operations);
    assert!(device.replied().is_none(), "the caller still waits");
    let done = issuer.answer(&device.sent().unwrap(), Outcome::Done, NOON);
    device.import(done);
    assert_eq!(device.replied().unwrap().unwrap().results[0].outcome, "done");
}

#[test]
fn h8_a_pending_result_is_told_with_its_case_and_asked_again_later() {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    let case = CaseId([3; 8]);
    let answer = issuer.answer(&request, Outcome::Pending { case }, NOON);
    device.import(answer);
    let reply = device.replied().unwrap().unwrap();
    assert_eq!(
        (reply.results[0].outcome, reply.results[0].reason.clone()),
        ("pending", Some(case.to_string()))
    );
    assert!(device.sent().is_none());
    device.pass(3700);
    device.handle(Event::Wake);
    let again = Request::open(&device.sent().unwrap()).unwrap();
    assert!(again.request.counter > Request::open(&request).unwrap().request.counter);
}

#[test]
fn b2_part_returns_and_cancelled_activations() {
    let (_, mut device) = licensed();
    let give = |device: &mut Device, licenses| {
        let selection = Selection::Licenses(licenses);
        device.handle(Event::Return { ticket: Ticket(5), selection, delivery: Delivery::File });
        device.replied().unwrap()
    };
    assert!(give(&mut device, vec![(license(1), Some(4))]).unwrap().request.is_some());
    assert_eq!(device.check("points", 6).quantity, 6);
    assert!(matches!(
        give(&mut device, vec![(license(1), Some(7))]),
        Err(Refusal::TooMany { held: 6, asked: 7, .. })
    ));
    assert!(matches!(give(&mut device, vec![(license(2), None)]), Err(Refusal::NotHeld(_))));
    // A license that is still being activated can be given back: that cancels the activation.
    device.activate(2);
    assert!(give(&mut device, vec![(license(2), None)]).is_ok());
    device.handle(Event::Return { ticket: Ticket(6), selection: Selection::All, delivery: Delivery::File });
    let request = device.replied().unwrap().unwrap().request.unwrap();
    let returned: Vec<_> =
        Request::open(&request).unwrap().request.operations.iter().map(|o| o.action.name()).collect();
    assert_eq!(returned, ["return", "activate", "return", "return"]);
    device.handle(Event::Return { ticket: Ticket(7), selection: Selection::All, delivery: Delivery::File });
    assert!(matches!(device.replied().unwrap(), Err(Refusal::NothingHeld)));
}

#[test]
fn b11_a_hold_grants_until_its_grace_ends() {
    let (mut issuer, mut device) = licensed();
    issuer.hold = Some(Hold { case: CaseId([1; 8]), until: Timestamp(NOON.0 + DAY) });
    let request = device.activate(2);
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    let check = device.check("points", 1);
    assert_eq!((check.granted, check.reason, check.until), (true, "grace", Some(Timestamp(NOON.0 + DAY))));
    device.pass(DAY + 1);
    device.handle(Event::Wake);
    assert!(device.signals().contains(&landfast_core::Signal::EntitlementsChanged));
    assert_eq!(device.check("points", 1).reason, "on_hold");
}

#[test]
fn p7_a_lost_store_answers_from_the_grant_and_refuses_commands() {
    let (issuer, device) = licensed();
    let frame = device.machine.grant_frame().map(<[u8]>::to_vec);
    let mut lost = Device::new(&issuer);
    lost.machine = Machine::lost(issuer.settings(), frame, NOON, &lost.now);
    lost.handle(Event::Start);
    lost.handle(Event::Evidence(server("board", "disk", "card")));
    assert_eq!(lost.check("points", 10).reason, "grace");
    assert!(lost.give_back(1).is_none());
    assert!(matches!(lost.replied(), Some(Err(Refusal::StoreLost))));
    lost.pass(15 * DAY);
    assert_eq!(lost.check("points", 1).reason, "store_lost");
}

#[test]
fn b1_unsolicited_answers_carry_no_results() {
    let (issuer, device) = licensed();
    let view = device.machine.view(&device.now);
    let answer = Answer {
        request: landfast_protocol::grant::RequestName {
            counter: 1,
            digest: landfast_protocol::Digest([0; 32]),
        },
        disposition: Disposition::Executed,
    };
    let result = OperationResult { id: landfast_protocol::OperationId([0; 16]), outcome: Outcome::Done };
    let grant = issuer.grant(view.device, None, NOON);
    let bytes = issuer.seal(view.device, Some(answer), vec![result], grant, NOON);
    let mut device = device;
    device.handle(Event::Response { ticket: Some(Ticket(1)), bytes, carrier: Carrier::File });
    assert_eq!(device.replied().unwrap().unwrap_err().code(), "unknown_request");
}
