//! The verdict on the hardware over time, and what it means for checks.

use crate::support::*;
use landfast_core::Signal;
use landfast_core::event::Event;
use landfast_core::view::BindingState;
use landfast_protocol::Timestamp;
use landfast_protocol::evidence::Factor;
use landfast_protocol::operation::Outcome;
use landfast_protocol::reading::{FactorReading, HardwareReading, Reading};
use landfast_protocol::request::Request;

fn licensed() -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

fn state(device: &Device) -> BindingState {
    device.machine.view(&device.now).binding.state
}

#[test]
fn d3_bound_drifted_broken_with_grace_then_denied() {
    let (_, mut device) = licensed();
    assert_eq!(state(&device), BindingState::Bound);
    device.handle(Event::Evidence(server("board", "disk", "other card")));
    assert_eq!(state(&device), BindingState::Bound);
    device.handle(Event::Evidence(server("board", "other disk", "other card")));
    assert_eq!(state(&device), BindingState::Drifted);
    assert!(
        device
            .signals()
            .contains(&Signal::BindingChanged { from: BindingState::Bound, to: BindingState::Drifted })
    );
    assert_eq!(device.check("points", 10).reason, "licensed");
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    assert_eq!(state(&device), BindingState::Broken);
    let until = Timestamp(NOON.0 + 14 * DAY);
    let check = device.check("points", 10);
    assert_eq!((check.granted, check.reason, check.until), (true, "grace", Some(until)));
    device.pass(14 * DAY + 1);
    assert_eq!(device.check("points", 10).reason, "binding_broken");
    device.handle(Event::Evidence(server("board", "disk", "card")));
    assert_eq!(device.check("points", 10).reason, "licensed", "the original parts are back");
}

#[test]
fn p4_a_return_works_after_the_binding_broke() {
    let (_, mut device) = licensed();
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    device.pass(20 * DAY);
    let request = device.give_back(1).unwrap();
    assert_eq!(Request::open(&request).unwrap().request.operations.len(), 1);
}

#[test]
fn b6_a_break_is_remembered_across_a_restart() {
    let (issuer, mut device) = licensed();
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    device.pass(10 * DAY);
    device.restart(issuer.settings());
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    assert_eq!(device.check("points", 1).until, Some(Timestamp(NOON.0 + 14 * DAY)));
}

#[test]
fn p4_unreadable_hardware_is_indeterminate_and_stays_granted() {
    let (_, mut device) = licensed();
    let unreadable = |factor| FactorReading {
        factor,
        source: "dmi".to_owned(),
        primary: false,
        reading: Reading::Unreadable("permission denied".to_owned()),
    };
    let factors = Factor::ALL.into_iter().map(unreadable).collect();
    device.handle(Event::Evidence(HardwareReading { factors, ..HardwareReading::default() }));
    assert_eq!(state(&device), BindingState::Indeterminate);
    assert!(device.check("points", 10).granted);
}

#[test]
fn b6_drift_is_bound_anew_an_hour_later() {
    let (mut issuer, mut device) = licensed();
    device.handle(Event::Evidence(server("board", "other disk", "other card")));
    assert!(device.sent().is_none(), "the technician may not be done");
    device.pass(3601);
    device.handle(Event::Wake);
    let request = device.sent().unwrap();
    issuer.binding = None;
    let answer = issuer.answer(&request, Outcome::Done, device.now.wall);
    device.import(answer);
    assert_eq!(state(&device), BindingState::Bound);
}

#[test]
fn d2_a_leased_grant_ends_and_is_renewed_in_time() {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    device.handle(Event::Evidence(HardwareReading::default()));
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    issuer.lease_until = Some(Timestamp(NOON.0 + 30 * DAY));
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    assert_eq!(state(&device), BindingState::Indeterminate);
    let check = device.check("points", 1);
    assert_eq!((check.reason, check.until), ("licensed", Some(Timestamp(NOON.0 + 30 * DAY))));
    device.pass(15 * DAY + 1);
    device.handle(Event::Wake);
    assert!(device.sent().is_some(), "half of the lease is over");
    device.pass(15 * DAY);
    assert_eq!(device.check("points", 1).reason, "lease_ended");
}
