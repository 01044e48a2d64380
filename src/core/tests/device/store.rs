//! A store that takes nothing: what is decided waits, what is seen counts where it restricts.

use crate::support::*;
use landfast_core::event::{Delivery, Event};
use landfast_core::view::BindingState;
use landfast_core::{BootId, Effect, Machine, Settings, Signal, Ticket};
use landfast_protocol::Duration;
use landfast_protocol::Timestamp;
use landfast_protocol::binding::{Verdict, compare};
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::Token;
use landfast_protocol::operation::Outcome;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::Request;

fn holding(token: Token) -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

fn licensed() -> (Issuer, Device) {
    holding(token(1, "points", 10))
}

fn other() -> HardwareReading {
    server("other board", "other disk", "other card")
}

fn state(device: &Device) -> BindingState {
    device.machine.view(&device.now).binding.state
}

/// Off and on again, `off` seconds later. What was not stored is gone.
fn reboot(device: &mut Device, settings: Settings, off: u64) {
    device.pass(off);
    device.now.boot = Duration(5);
    device.now.boot_id = BootId([device.now.boot_id.0[0] + 1; 16]);
    let stored = device.store.last.as_ref().unwrap().state.clone();
    device.machine = Machine::restore(settings, &stored).unwrap();
    device.handle(Event::Start);
}

#[test]
fn p8_other_hardware_counts_at_once_though_the_store_is_full() {
    let (_, mut device) = licensed();
    device.store.full = true;
    device.handle(Event::Evidence(other()));
    assert!(matches!(device.effects[0], Effect::Publish(_)), "{:?}", device.effects);
    let (from, to) = (BindingState::Bound, BindingState::Broken);
    assert!(device.signals().contains(&Signal::BindingChanged { from, to }));
    assert_eq!(device.check("points", 10).until, Some(Timestamp(NOON.0 + 14 * DAY)));
    device.pass(14 * DAY + 1);
    device.handle(Event::Wake);
    assert_eq!(device.check("points", 10).reason, "binding_broken");
    assert!(device.signals().contains(&Signal::EntitlementsChanged), "{:?}", device.effects);
}

#[test]
fn p8_what_was_seen_is_stored_as_soon_as_there_is_room() {
    let (issuer, mut device) = licensed();
    device.store.full = true;
    device.handle(Event::Evidence(other()));
    device.pass(DAY);
    device.handle(Event::Wake);
    device.store.full = false;
    device.handle(Event::Wake);
    let lines = &device.store.last.as_ref().unwrap().history;
    let told: Vec<_> = lines.iter().map(|line| (line.at, line.message.as_str())).collect();
    assert_eq!(told, [(NOON, "binding bound -> broken")], "with the time at which it was seen");
    let writes = device.store.writes;
    device.handle(Event::Wake);
    assert_eq!(device.store.writes, writes, "once is enough");
    device.restart(issuer.settings());
    device.handle(Event::Evidence(other()));
    assert_eq!(device.check("points", 10).until, Some(Timestamp(NOON.0 + 14 * DAY)), "the grace goes on");
}

#[test]
fn p10_a_request_after_a_full_disk_shows_the_machine_as_it_is() {
    let (issuer, mut device) = licensed();
    device.store.full = true;
    device.handle(Event::Evidence(other()));
    device.store.full = false;
    device.handle(Event::Reclaim { ticket: Ticket(3), delivery: Delivery::Online });
    let request = Request::open(&device.sent().unwrap()).unwrap().request;
    let shown = compare(issuer.binding.as_ref().unwrap(), &request.evidence, &issuer.policy);
    assert_eq!(shown.verdict, Verdict::Broken);
    assert_eq!(request.evidence, Evidence::digest(&other(), &ISSUER));
}

#[test]
fn p8_a_break_ends_only_when_its_end_is_stored() {
    let (_, mut device) = licensed();
    device.handle(Event::Evidence(other()));
    device.store.full = true;
    device.handle(Event::Evidence(server("board", "disk", "card")));
    assert_eq!(state(&device), BindingState::Broken);
    assert_eq!(device.check("points", 10).reason, "grace");
    device.store.full = false;
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
    assert_eq!(device.check("points", 10).reason, "licensed");
    let lines = &device.store.last.as_ref().unwrap().history;
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn p8_after_a_restart_without_a_writable_store_binding_and_expiry_are_enforced() {
    let mut term = token(1, "points", 10);
    term.not_after = Some(Timestamp(NOON.0 + 20 * DAY));
    let (issuer, mut device) = holding(term);
    device.store.full = true;
    reboot(&mut device, issuer.settings(), 7 * DAY);
    assert_eq!(state(&device), BindingState::Indeterminate, "never unbound while tokens are held");
    device.handle(Event::Evidence(other()));
    assert_eq!(state(&device), BindingState::Broken);
    assert!(device.wake_at().is_some());
    let check = device.check("points", 1);
    assert_eq!((check.reason, check.until), ("grace", Some(Timestamp(NOON.0 + 20 * DAY))));
    reboot(&mut device, issuer.settings(), 14 * DAY);
    device.handle(Event::Evidence(server("board", "disk", "card")));
    assert_eq!(device.check("points", 1).reason, "expired", "the time for which it was off has passed");
    let view = device.machine.view(&device.now);
    assert_eq!(view.time.now(&device.now), device.now.wall);
}

#[test]
fn d1_tokens_without_a_look_at_the_hardware_are_not_called_unbound() {
    let (issuer, mut device) = licensed();
    device.restart(issuer.settings());
    let view = device.machine.view(&device.now);
    assert_eq!(view.binding.state, BindingState::Indeterminate);
    assert!(view.binding.advice.contains("not been looked at"), "{}", view.binding.advice);
    let restored = Machine::restore(issuer.settings(), &device.store.last.as_ref().unwrap().state).unwrap();
    assert_eq!(restored.view(&device.now).binding.state, BindingState::Indeterminate);
}
