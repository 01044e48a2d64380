//! What the agent asks by itself, and when: never more than hourly, and never for nothing.

use crate::support::*;
use landfast_core::Ticket;
use landfast_core::effect::Refusal;
use landfast_core::event::{Carrier, Delivery, Event};
use landfast_core::view::BindingState;
use landfast_protocol::grant::{Hold, Position};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::{Opened, Request};
use landfast_protocol::{CaseId, Timestamp};

fn licensed(issuer: &mut Issuer) -> Device {
    let mut device = Device::new(issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    device
}

/// Somebody takes a request along, and is never seen again.
fn take_along(device: &mut Device) -> Opened {
    device.handle(Event::Reclaim { ticket: Ticket(5), delivery: Delivery::File });
    Request::open(&device.replied().unwrap().unwrap().request.unwrap()).unwrap()
}

/// Follows the device's own alarms for so long; what it sends by itself, with the time since the beginning.
fn watch(device: &mut Device, seconds: u64) -> Vec<(u64, Opened)> {
    let start = device.now.boot.0;
    let mut sent = Vec::new();
    device.handle(Event::Wake);
    loop {
        let since = device.now.boot.0 - start;
        sent.extend(device.sent().map(|bytes| (since, Request::open(&bytes).unwrap())));
        let Some(wake) = device.wake_at().filter(|at| *at <= start + seconds) else { return sent };
        assert!(wake > device.now.boot.0, "it asks to be woken in the past");
        device.pass(wake - device.now.boot.0);
        device.handle(Event::Wake);
    }
}

#[test]
fn e4_a_request_that_was_carried_away_does_not_stop_the_renewal_of_a_lease() {
    let mut issuer = Issuer::new();
    issuer.lease_until = Some(Timestamp(NOON.0 + 30 * DAY));
    let mut device = licensed(&mut issuer);
    let carried = take_along(&mut device);
    let sent = watch(&mut device, 16 * DAY);
    let (at, request) = &sent[0];
    assert_eq!((*at, sent.len()), (15 * DAY, 1), "half of the lease is over");
    assert!(request.request.listed.contains(&carried.name), "the authority sees no fork");
}

#[test]
fn e4_a_carried_request_stops_neither_drift_nor_hold() {
    let mut issuer = Issuer::new();
    let mut device = licensed(&mut issuer);
    take_along(&mut device);
    device.handle(Event::Evidence(server("board", "other disk", "other card")));
    assert_eq!(device.machine.view(&device.now).binding.state, BindingState::Drifted);
    assert_eq!(watch(&mut device, DAY).len(), 1, "bound anew");

    issuer.hold = Some(Hold { case: CaseId([1; 8]), until: Timestamp(NOON.0 + 30 * DAY) });
    let mut device = licensed(&mut issuer);
    take_along(&mut device);
    assert_eq!(watch(&mut device, DAY).len(), 1, "somebody may have resolved the case");
}

#[test]
fn e4_who_carries_a_request_is_given_an_hour() {
    let mut issuer = Issuer::new();
    let mut device = licensed(&mut issuer);
    device.pass(DAY);
    let licenses = vec![(id(2), None)];
    device.handle(Event::Activate { ticket: Ticket(5), licenses, delivery: Delivery::File });
    assert!(device.replied().is_some() && device.sent().is_none());
    let sent = watch(&mut device, DAY);
    assert_eq!((sent[0].0, sent.len()), (3600, 1), "then the agent asks for the same by itself");
    assert_eq!(sent[0].1.request.operations.len(), 1);
}

#[test]
fn b3_an_answer_that_will_never_be_accepted_leads_to_another_request() {
    let mut issuer = Issuer::new();
    let mut device = licensed(&mut issuer);
    let request = device.give_back(1).unwrap();
    // It was executed before the authority's database was set back, and the answer was lost.
    let archived = issuer.answer(&request, Outcome::Done, NOON);
    issuer.position = Position { epoch: 1, sequence: 1 };
    let opened = Request::open(&request).unwrap();
    let grant = issuer.grant(opened.key.device(), None, NOON);
    device.import(issuer.seal(opened.key.device(), None, Vec::new(), grant, NOON));
    let refused = |device: &mut Device| {
        let bytes = archived.clone();
        device.handle(Event::Response { ticket: None, bytes, carrier: Carrier::Online });
    };
    refused(&mut device);
    assert!(device.replied().is_some_and(|reply| reply.is_err_and(|refusal| refusal.code() == "old_epoch")));
    let (mut same, start) = (0, device.now.boot.0);
    let another = loop {
        let wake = device.wake_at().unwrap();
        assert!(wake < start + DAY, "the same bytes for ever");
        device.pass(wake - device.now.boot.0);
        device.handle(Event::Wake);
        match device.sent() {
            Some(bytes) if bytes == request => same += 1,
            Some(bytes) => break bytes,
            None => continue,
        }
        refused(&mut device);
    };
    assert!(same > 0, "it may have been damaged on its way");
    assert!((3600..7300).contains(&(device.now.boot.0 - start)), "hourly, and not more");
    let another = Request::open(&another).unwrap();
    assert_eq!(another.request.operations, opened.request.operations);
    assert!(another.request.listed.contains(&opened.name));
    let answer = issuer.answer(&device.sent().unwrap(), Outcome::Done, device.now.wall);
    device.import(answer);
    assert!(device.machine.view(&device.now).pending.is_empty());
}

#[test]
fn b3_new_requests_are_made_hourly_at_most_whatever_the_answers_are() {
    let mut issuer = Issuer::new();
    let mut device = licensed(&mut issuer);
    device.give_back(1).unwrap();
    issuer.forged();
    let (start, mut counters) = (device.now.boot.0, Vec::new());
    while device.now.boot.0 < start + 10 * 3600 {
        if let Some(bytes) = device.sent() {
            counters.push(Request::open(&bytes).unwrap().request.counter);
            let answer = issuer.answer(&bytes, Outcome::Done, device.now.wall);
            device.import(answer);
        }
        let wake = device.wake_at().unwrap();
        device.pass(wake - device.now.boot.0);
        device.handle(Event::Wake);
    }
    let attempts = counters.len();
    counters.dedup();
    assert!((5..=11).contains(&counters.len()), "{counters:?}");
    assert!(attempts < 40, "{attempts} attempts in ten hours");
}

#[test]
fn p10_no_request_leaves_without_evidence() {
    let mut issuer = Issuer::new();
    let mut device = licensed(&mut issuer);
    device.restart(issuer.settings());
    device.handle(Event::Reclaim { ticket: Ticket(3), delivery: Delivery::Online });
    assert!(device.sent().is_none());
    assert_eq!(device.replied(), Some(Err(Refusal::HardwareNotRead)));
    device.handle(Event::Evidence(server("board", "disk", "card")));
    device.handle(Event::Reclaim { ticket: Ticket(4), delivery: Delivery::Online });
    let request = Request::open(&device.sent().unwrap()).unwrap().request;
    assert!(!request.evidence.factors.is_empty());
}
