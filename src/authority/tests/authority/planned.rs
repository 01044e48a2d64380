//! B8: a swap of hardware that was announced is taken over once, whenever the authority hears of it.

use crate::support::*;
use landfast_authority::domain::catalog::Product;
use landfast_protocol::evidence::{Evidence, Factor, FactorEvidence, State};
use landfast_protocol::grant::PlannedChange;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::request::PlanUsed;
use landfast_protocol::response::Disposition;
use landfast_protocol::{Duration, OperationId, Timestamp};

const WEEK: Duration = Duration::days(7);

fn plan(device: &mut Device, window: Duration) -> OperationId {
    device.wants(Action::PlanChange { window })
}

/// A device that holds license 1.
fn licensed() -> (Vendor, Device) {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1), license(2, "Safety", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    (vendor, device)
}

/// The same with a window of a week.
fn planned() -> (Vendor, Device, OperationId) {
    let (mut vendor, mut device) = licensed();
    let operation = plan(&mut device, WEEK);
    assert_eq!(outcome(&vendor.exchange(&mut device), operation), Outcome::Done);
    (vendor, device, operation)
}

/// The device has other hardware and has taken it over.
fn swap(device: &mut Device, operation: OperationId, evidence: Evidence) {
    device.evidence = evidence.clone();
    device.used = Some(PlanUsed { operation, evidence });
}

/// A machine of which nothing can be read.
fn hidden_machine() -> Evidence {
    let hidden = |factor| FactorEvidence { factor, state: State::Unreadable };
    Evidence::from_factors(false, Factor::ALL.into_iter().map(hidden).collect())
}

fn window(device: &Device) -> Option<PlannedChange> {
    device.grant.as_ref().unwrap().planned_change
}

fn binding(device: &Device) -> Evidence {
    device.grant.as_ref().unwrap().binding.clone().unwrap()
}

fn events(vendor: &Vendor, event: &str) -> usize {
    let event = format!("\"event\":\"{event}\"");
    vendor.memory.tables().history().iter().filter(|link| link.text.contains(&event)).count()
}

/// Whether more can be activated here, and if not, why.
fn more(vendor: &mut Vendor, device: &mut Device) -> String {
    let operation = device.activate(activation(2), None);
    let response = vendor.exchange(device);
    match outcome(&response, operation) {
        Outcome::Done => "done".to_owned(),
        _ => denial(&response, operation),
    }
}

#[test]
fn b8_a_planned_change_stands_in_every_grant_until_it_is_used() {
    let (mut vendor, mut device, operation) = planned();
    let expected = Some(PlannedChange { operation, until: NOW.after(WEEK) });
    assert_eq!(window(&device), expected);
    vendor.now = NOW.after(Duration::days(3));
    device.import(&vendor.update(&device));
    assert_eq!(window(&device), expected);
    vendor.now = NOW.after(Duration::days(40));
    vendor.exchange(&mut device);
    assert_eq!(window(&device), expected, "a use may still be on its way");
    swap(&mut device, operation, machine(9));
    vendor.exchange(&mut device);
    assert_eq!(window(&device), None);
    assert_eq!(events(&vendor, "change_planned"), 1);
}

#[test]
fn b8_a_plan_is_denied_with_its_reason() {
    let (mut vendor, mut device) = licensed();
    let mut empty = Device::new(2);
    let nothing = plan(&mut empty, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut empty), nothing), "nothing_held");

    let long = plan(&mut device, Duration::days(31));
    let longest = plan(&mut device, Duration::days(30));
    let response = vendor.exchange(&mut device);
    assert_eq!(denial(&response, long), "policy");
    assert_eq!(outcome(&response, longest), Outcome::Done, "each operation on its own");

    let before = device.evidence.clone();
    device.evidence = machine(9);
    let late = plan(&mut device, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut device), late), "binding_broken");
    device.evidence = hidden_machine();
    let blind = plan(&mut device, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut device), blind), "too_little_evidence");
    assert_eq!(window(&device).unwrap().operation, longest, "a denied plan changes nothing");
    device.evidence = before;
    device.give_back(activation(1), None);
    let last = plan(&mut device, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut device), last), "nothing_held");
}

#[test]
fn b8_a_leased_device_has_no_binding_to_change() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device { evidence: poor_machine(), ..Device::new(1) };
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    let operation = plan(&mut device, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut device), operation), "too_little_evidence");
}

#[test]
fn b8_the_strictest_product_that_is_held_decides() {
    let allowing = |name: &str, days: u64| {
        let mut product = product(name);
        product.policy.longest_planned_change = Duration::days(days);
        product
    };
    let products: [Product; 3] = [allowing("A", 60), allowing("B", 2), allowing("C", 0)];
    let licenses = [license(1, "A", 1, 1), license(2, "B", 1, 1), license(3, "C", 1, 1)];
    let mut vendor = Vendor::with(&products, &licenses);
    let mut device = Device::new(1);
    for (number, days, refusal) in [(1, 60, 61), (2, 2, 3)] {
        device.activate(activation(number), None);
        let fits = plan(&mut device, Duration::days(days));
        let long = plan(&mut device, Duration::days(refusal));
        let response = vendor.exchange(&mut device);
        assert_eq!(outcome(&response, fits), Outcome::Done);
        let Outcome::Denied { detail, .. } = outcome(&response, long) else { panic!("{refusal} days") };
        assert_eq!(*detail, *format!("a window of {refusal} days was asked for, the longest is {days} days"));
    }
    device.activate(activation(3), None);
    let refused = plan(&mut device, Duration(1));
    assert_eq!(denial(&vendor.exchange(&mut device), refused), "policy");
}

#[test]
fn b8_a_use_counts_whenever_it_arrives_and_only_once() {
    let (mut vendor, mut device, operation) = planned();
    swap(&mut device, operation, machine(9));
    vendor.now = NOW.after(Duration::days(200));
    let by_mail = device.request();
    let answer = vendor.take(by_mail).unwrap();
    device.import(&answer);
    assert_eq!((window(&device), binding(&device)), (None, machine(9)));
    assert_eq!((device.holds(activation(1)), events(&vendor, "rebound_by_plan")), (1, 1));
    assert_eq!(more(&mut vendor, &mut device), "done", "it is the bound machine now");

    swap(&mut device, operation, machine(10));
    vendor.exchange(&mut device);
    assert_eq!((binding(&device), events(&vendor, "rebound_by_plan")), (machine(9), 1));
    let again = plan(&mut device, WEEK);
    assert_eq!(denial(&vendor.exchange(&mut device), again), "binding_broken");
}

#[test]
fn b8_what_was_swapped_after_the_planned_change_is_judged_against_it() {
    let (mut vendor, mut device, operation) = planned();
    swap(&mut device, operation, machine(9));
    device.evidence = machine(10);
    assert_eq!(more(&mut vendor, &mut device), "binding_broken");
    assert_eq!(binding(&device), machine(9));
    let give = device.give_back(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut device), give), Outcome::Done, "p4");
}

#[test]
fn b8_the_device_alone_says_when_a_swap_is_complete() {
    let (mut vendor, mut device, operation) = planned();
    let enrolled = device.evidence.clone();
    device.evidence = machine(9);
    assert_eq!(more(&mut vendor, &mut device), "binding_broken");
    assert_eq!((binding(&device), window(&device).unwrap().operation), (enrolled.clone(), operation));
    for (plan, evidence) in [(OperationId([9; 16]), machine(9)), (operation, poor_machine())] {
        device.used = Some(PlanUsed { operation: plan, evidence });
        vendor.exchange(&mut device);
        assert_eq!((binding(&device), window(&device).unwrap().operation), (enrolled.clone(), operation));
    }
}

#[test]
fn b8_a_drifted_machine_is_taken_over_without_using_the_plan() {
    let (mut vendor, mut device, operation) = planned();
    device.evidence = repaired_machine(1, 77);
    vendor.exchange(&mut device);
    assert_eq!((binding(&device), window(&device).unwrap().operation), (device.evidence.clone(), operation));
}

#[test]
fn b8_a_newer_plan_takes_the_place_of_an_older_one() {
    let (mut vendor, mut device, old) = planned();
    let new = plan(&mut device, Duration::days(2));
    vendor.exchange(&mut device);
    assert_eq!(window(&device).unwrap().operation, new);
    swap(&mut device, old, machine(9));
    vendor.exchange(&mut device);
    assert_ne!(binding(&device), machine(9));
    swap(&mut device, new, machine(9));
    let next = plan(&mut device, WEEK);
    let response = vendor.exchange(&mut device);
    assert_eq!(outcome(&response, next), Outcome::Done, "the use comes first, then the operations");
    assert_eq!((binding(&device), window(&device).unwrap().operation), (machine(9), next));
}

#[test]
fn b8_a_plan_ends_with_the_last_license() {
    let (mut vendor, mut device, operation) = planned();
    device.give_back(activation(1), None);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!(window(&device), None);
    plan(&mut device, WEEK);
    vendor.exchange(&mut device);
    vendor.reset(&device, 1);
    device.evidence = machine(9);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!((window(&device), binding(&device)), (None, machine(9)));
    swap(&mut device, operation, machine(10));
    vendor.exchange(&mut device);
    assert_eq!(binding(&device), machine(9));
}

#[test]
fn b8_nothing_is_taken_over_while_a_fork_is_open() {
    let (mut vendor, mut device, operation) = planned();
    let mut copy = device.copy(1);
    vendor.exchange(&mut device);
    assert!(matches!(disposition(&vendor.exchange(&mut copy)), Disposition::OnHold { .. }));
    let enrolled = binding(&device);
    swap(&mut device, operation, machine(9));
    let response = vendor.exchange(&mut device);
    assert!(matches!(disposition(&response), Disposition::OnHold { .. }));
    assert_eq!((binding(&device), window(&device).unwrap().operation), (enrolled, operation));
    vendor.resolve(&device);
    vendor.exchange(&mut device);
    vendor.exchange(&mut device);
    assert_eq!((binding(&device), window(&device)), (machine(9), None));
}

#[test]
fn b8_a_window_has_an_end_even_at_the_end_of_time() {
    let (mut vendor, mut device) = licensed();
    vendor.now = Timestamp(u64::MAX - 5);
    let operation = plan(&mut device, WEEK);
    assert_eq!(outcome(&vendor.exchange(&mut device), operation), Outcome::Done);
    assert_eq!(window(&device).unwrap().until, Timestamp(u64::MAX));
}
