//! P10, B6, B11: key and counter are sealed to the machine.

use crate::support::*;
use landfast_core::effect::Refusal;
use landfast_core::event::{Delivery, Event, Selection};
use landfast_core::sealing::Stretch;
use landfast_core::{Machine, Settings, Ticket};
use landfast_protocol::evidence::Factor;
use landfast_protocol::grant::PlannedChange;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::reading::{HardwareReading, Reading};
use landfast_protocol::request::Request;
use landfast_protocol::{OperationId, Timestamp};

fn sealing(issuer: &Issuer) -> Settings {
    Settings { sealing: Some(Stretch::LEAST), ..issuer.settings() }
}

/// A device that holds a license, on the machine `server("board", "disk", "card")`.
fn holding() -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::with(sealing(&issuer), 1);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 1)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    assert!(is_sealed(&device), "it is sealed with the grant that binds it");
    (issuer, device)
}

fn is_sealed(device: &Device) -> bool {
    device.store.last.as_ref().unwrap().state[0] == 2
}

/// Started again on this hardware.
fn on(mut device: Device, issuer: &Issuer, hardware: HardwareReading) -> Device {
    device.restart(sealing(issuer));
    device.handle(Event::Evidence(hardware));
    device
}

/// A request, if one can be made.
fn reclaim(device: &mut Device) -> Result<Vec<u8>, Refusal> {
    device.handle(Event::Reclaim { ticket: Ticket(3), delivery: Delivery::Online });
    match device.replied() {
        Some(Err(refusal)) => Err(refusal),
        _ => Ok(device.sent().unwrap()),
    }
}

fn alert(device: &Device) -> Option<String> {
    let view = device.machine.view(&device.now);
    view.alerts.iter().find(|alert| alert.code == "secrets_shut").map(|alert| alert.message.clone())
}

fn shut(device: &mut Device) -> String {
    let refusal = reclaim(device).unwrap_err();
    assert_eq!(refusal.code(), "secrets_sealed", "{refusal}");
    assert_eq!(alert(device), Some(refusal.to_string()));
    refusal.to_string()
}

#[test]
fn b6_it_opens_on_its_own_machine_with_the_same_key_and_the_next_counter() {
    let (issuer, device) = holding();
    let (id, counter) = (device.machine.view(&device.now).device, device.machine.view(&device.now).counter);
    let mut device = on(device, &issuer, server("board", "disk", "card"));
    let request = Request::open(&reclaim(&mut device).unwrap()).unwrap();
    assert_eq!((request.key.device(), request.name.counter), (id, counter + 1));
    assert!(is_sealed(&device));
    assert_eq!(alert(&device), None);
}

#[test]
fn p10_a_copy_of_the_state_opens_on_no_other_machine() {
    for other in [server("other", "another", "third"), server("other", "disk", "third")] {
        let (issuer, device) = holding();
        let mut copy = on(device, &issuer, other);
        let told = shut(&mut copy);
        assert!(told.contains("activate anew"), "{told}");
        assert!(copy.check("points", 1).granted, "through its grace");
        copy.pass(15 * DAY);
        assert!(!copy.check("points", 1).granted);
    }
}

#[test]
fn b6_it_opens_after_each_single_change_that_stays_bound() {
    let changes: [(&str, HardwareReading); 4] = [
        ("disk", server("board", "new", "card")),
        ("card", server("board", "disk", "new")),
        ("cpu", replaced(Factor::Cpu)),
        ("machine id", replaced(Factor::MachineId)),
    ];
    for (what, hardware) in changes {
        let (issuer, device) = holding();
        let mut device = on(device, &issuer, hardware);
        assert!(reclaim(&mut device).is_ok(), "{what}: {:?}", alert(&device));
    }
}

fn replaced(factor: Factor) -> HardwareReading {
    with(factor, |_| Reading::Present(landfast_protocol::reading::Identity::new("new")))
}

fn with(factor: Factor, change: impl Fn(&Reading) -> Reading) -> HardwareReading {
    let mut hardware = server("board", "disk", "card");
    for found in hardware.factors.iter_mut().filter(|found| found.factor == factor) {
        found.reading = change(&found.reading);
    }
    hardware
}

#[test]
fn b6_an_accepted_drift_is_sealed_to_anew() {
    let (mut issuer, mut device) = holding();
    let drifted = server("board", "new", "new");
    device.handle(Event::Evidence(drifted.clone()));
    let request = reclaim(&mut device).unwrap();
    issuer.binding = None;
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    let mut device = on(device, &issuer, server("board", "newer", "new"));
    assert!(reclaim(&mut device).is_ok(), "one change from what was accepted");
}

#[test]
fn b8_while_a_swap_is_planned_the_key_stays_open_and_is_sealed_to_what_was_taken_over() {
    let (mut issuer, mut device) = holding();
    let request = reclaim(&mut device).unwrap();
    let until = Timestamp(NOON.0 + 7 * DAY);
    issuer.planned_change = Some(PlannedChange { operation: OperationId([8; 16]), until });
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    assert!(!is_sealed(&device), "it may happen while the power is off");
    let mut device = on(device, &issuer, server("other", "another", "third"));
    device.pass(61);
    device.handle(Event::Wake);
    assert!(is_sealed(&device));
    let mut device = on(device, &issuer, server("other", "another", "third"));
    assert!(reclaim(&mut device).is_ok());
    let mut device = on(device, &issuer, server("board", "disk", "card"));
    shut(&mut device);
}

fn board_unreadable() -> HardwareReading {
    let mut hardware = server("board", "disk", "card");
    let hidden = [
        Factor::ProductUuid,
        Factor::BoardSerial,
        Factor::ProductSerial,
        Factor::ChassisSerial,
        Factor::NetworkCard,
    ];
    for found in hardware.factors.iter_mut().filter(|found| hidden.contains(&found.factor)) {
        found.reading = Reading::Unreadable("permission denied".to_owned());
    }
    hardware
}

#[test]
fn b6_what_cannot_be_read_at_boot_opens_a_minute_later() {
    let (issuer, device) = holding();
    let mut device = on(device, &issuer, board_unreadable());
    let told = shut(&mut device);
    assert!(told.contains("may open by themselves"), "{told}");
    assert!(device.check("points", 1).granted);
    device.pass(60);
    device.handle(Event::Evidence(server("board", "disk", "card")));
    assert_eq!(alert(&device), None);
    assert!(reclaim(&mut device).is_ok());
}

#[test]
fn p4_a_return_is_taken_while_it_is_shut_and_signed_once_it_opens() {
    let (issuer, device) = holding();
    let mut device = on(device, &issuer, board_unreadable());
    let all = Event::Return { ticket: Ticket(2), selection: Selection::All, delivery: Delivery::Online };
    device.handle(all);
    let reply = device.replied().unwrap().unwrap();
    assert_eq!((reply.changed, reply.results[0].outcome), (true, "pending"));
    assert_eq!(device.sent(), None);
    assert_eq!(device.check("points", 1).reason, "returned");
    let mut device = on(device, &issuer, board_unreadable());
    assert_eq!(device.check("points", 1).reason, "returned", "it is durable");
    device.handle(Event::Evidence(server("board", "disk", "card")));
    let request = Request::open(&device.sent().unwrap()).unwrap();
    assert!(matches!(request.request.operations[0].action, Action::Return { .. }));
}

#[test]
fn p10_no_request_is_made_before_the_hardware_was_looked_at() {
    let (issuer, mut device) = holding();
    device.restart(sealing(&issuer));
    assert_eq!(reclaim(&mut device).unwrap_err(), Refusal::HardwareNotRead);
    assert_eq!(alert(&device), None);
    let id = (id(2), None);
    device.handle(Event::Activate { ticket: Ticket(4), licenses: vec![id], delivery: Delivery::Online });
    assert_eq!(device.replied().unwrap().unwrap_err(), Refusal::HardwareNotRead);
}

#[test]
fn p10_a_changed_box_is_refused_and_never_panics() {
    let (issuer, device) = holding();
    let state = device.store.last.as_ref().unwrap().state.clone();
    for at in (0..state.len()).step_by(7) {
        let mut changed = state.clone();
        changed[at] ^= 1;
        let Ok(machine) = Machine::restore(sealing(&issuer), &changed) else { continue };
        let mut other = Device::with(sealing(&issuer), 2);
        other.machine = machine;
        other.handle(Event::Start);
        other.handle(Event::Evidence(server("board", "disk", "card")));
        if let Ok(request) = reclaim(&mut other) {
            let own = device.machine.view(&device.now).device;
            assert_eq!(Request::open(&request).unwrap().key.device(), own, "byte {at}");
        }
    }
}
