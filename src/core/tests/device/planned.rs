//! B8: a swap of hardware that was announced is taken over by the device itself, once.

use crate::support::*;
use landfast_core::effect::{Refusal, Ticket};
use landfast_core::event::{Delivery, Event};
use landfast_core::view::{BindingState, PlanView};
use landfast_core::{Settings, Signal};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::grant::{Hold, PlannedChange};
use landfast_protocol::operation::{Action, DenialReason, Outcome};
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::{PlanUsed, Request};
use landfast_protocol::response::Disposition;
use landfast_protocol::{CaseId, Duration, OperationId, Text, Timestamp};

const WEEK: u64 = 7 * DAY;

fn old() -> HardwareReading {
    server("board", "disk", "card")
}
fn new() -> HardwareReading {
    server("new board", "new disk", "new card")
}
fn third() -> HardwareReading {
    server("third board", "third disk", "third card")
}

fn licensed() -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 10)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

fn ask(device: &mut Device, window: Duration, delivery: Delivery) -> Option<Vec<u8>> {
    device.handle(Event::PlanChange { ticket: Ticket(7), window, delivery });
    let by_hand = device.replied().and_then(|reply| reply.ok()?.request.map(|request| request.to_vec()));
    device.sent().or(by_hand)
}

/// The authority agrees to the plan in `request`.
fn agree(issuer: &mut Issuer, device: &mut Device, request: &[u8]) {
    let plan = Request::open(request).unwrap().request.operations.iter().next().unwrap().clone();
    let window = match plan.action {
        Action::PlanChange { window } => Some(window),
        _ => None,
    };
    let until = device.now.wall.after(window.unwrap());
    issuer.planned_change = Some(PlannedChange { operation: plan.id, until });
    let answer = issuer.answer(request, Outcome::Done, device.now.wall);
    device.import(answer);
}

/// A device with a window of a week.
fn planned() -> (Issuer, Device, OperationId) {
    let (mut issuer, mut device) = licensed();
    let request = ask(&mut device, Duration(WEEK), Delivery::Online).unwrap();
    agree(&mut issuer, &mut device, &request);
    let operation = issuer.planned_change.unwrap().operation;
    (issuer, device, operation)
}

/// The same after the swap was taken over. Gives what was sent then.
fn swapped() -> (Issuer, Device, OperationId, Vec<u8>) {
    let (issuer, mut device, operation) = planned();
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    let request = device.sent().unwrap();
    (issuer, device, operation, request)
}

fn state(device: &Device) -> BindingState {
    device.machine.view(&device.now).binding.state
}

fn plan(device: &Device) -> Option<PlanView> {
    device.machine.view(&device.now).planned_change
}

fn alerts(device: &Device) -> Vec<&'static str> {
    device.machine.view(&device.now).alerts.iter().map(|alert| alert.code).collect()
}

fn history(device: &Device) -> Vec<String> {
    device.store.last.iter().flat_map(|record| &record.history).map(|line| line.code.clone()).collect()
}

fn digest(reading: &HardwareReading) -> Evidence {
    Evidence::digest(reading, &ISSUER)
}

fn used(request: &[u8]) -> Option<PlanUsed> {
    Request::open(request).unwrap().request.planned_change_used
}

/// The authority learns of the use, and binds to what was taken over.
fn learn(issuer: &mut Issuer, device: &mut Device, request: &[u8]) {
    issuer.binding = used(request).map(|used| used.evidence);
    issuer.planned_change = None;
    let answer = issuer.answer(request, Outcome::Done, device.now.wall);
    device.import(answer);
}

#[test]
fn b8_a_swap_in_the_window_is_taken_over_once_it_has_settled() {
    let (mut issuer, mut device, operation) = planned();
    let open = PlanView { operation, until: Timestamp(NOON.0 + WEEK), used_at: None };
    assert_eq!(plan(&device), Some(open));
    device.pass(3 * DAY);
    device.handle(Event::Evidence(new()));
    assert_eq!(state(&device), BindingState::Broken);
    assert_eq!(device.wake_at(), Some(device.now.boot.0 + 60));
    assert!(device.machine.view(&device.now).binding.advice.contains("taken over"), "it says what follows");
    device.pass(59);
    device.handle(Event::Wake);
    assert_eq!((state(&device), device.wake_at()), (BindingState::Broken, Some(device.now.boot.0 + 1)));
    assert_eq!(device.check("points", 10).reason, "grace");
    device.pass(1);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
    let rebound = Signal::BindingChanged { from: BindingState::Broken, to: BindingState::Bound };
    assert!(device.signals().contains(&rebound));
    assert_eq!(device.check("points", 10).reason, "licensed");
    assert_eq!(plan(&device), Some(PlanView { used_at: Some(device.now.wall), ..open }));
    assert_eq!(
        (history(&device).as_slice(), alerts(&device).as_slice()),
        (&["planned_change_used".to_owned(), "binding_changed".to_owned()][..], &["planned_change_used"][..])
    );
    let request = device.sent().unwrap();
    assert_eq!(used(&request), Some(PlanUsed { operation, evidence: digest(&new()) }));

    learn(&mut issuer, &mut device, &request);
    assert_eq!((state(&device), plan(&device), alerts(&device)), (BindingState::Bound, None, Vec::new()));
    let (_, next) = (device.pass(60), device.activate(2));
    assert_eq!(used(&next), None, "the authority knows");
}

#[test]
fn b8_a_command_at_that_moment_makes_its_request_alone() {
    let (_, mut device, operation) = planned();
    device.handle(Event::Evidence(new()));
    device.pass(61);
    let licenses = vec![(id(2), None)];
    device.handle(Event::Activate { ticket: Ticket(1), licenses, delivery: Delivery::File });
    let by_hand = device.replied().unwrap().unwrap().request.unwrap();
    assert_eq!((used(&by_hand), device.sent()), (None, None));
    assert!(device.wake_at().unwrap() <= device.now.boot.0, "at once");
    device.handle(Event::Wake);
    let request = device.sent().unwrap();
    assert_eq!((state(&device), used(&request).unwrap().operation), (BindingState::Bound, operation));
    assert_eq!(Request::open(&request).unwrap().request.operations.len(), 1, "and the command's operation");
}

#[test]
fn b8_a_swap_in_steps_is_taken_over_when_it_is_complete() {
    let (_, mut device, _) = planned();
    for step in [server("new board", "disk", "card"), server("new board", "new disk", "card"), new()] {
        device.handle(Event::Evidence(step));
        device.pass(40);
        device.handle(Event::Wake);
        assert_eq!(plan(&device).unwrap().used_at, None);
    }
    device.handle(Event::Evidence(old()));
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Bound, None), "all undone");
    device.handle(Event::Evidence(new()));
    device.pass(30);
    device.handle(Event::Evidence(new()));
    device.pass(30);
    device.handle(Event::Wake);
    assert_eq!(used(&device.sent().unwrap()).unwrap().evidence, digest(&new()), "seen twice, and the same");
}

#[test]
fn b8_a_drifted_machine_is_taken_over_too_and_a_bound_one_is_not() {
    let (_, mut device, _) = planned();
    device.handle(Event::Evidence(server("board", "disk", "new card")));
    device.pass(3600);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Bound, None));
    let drifted = server("board", "new disk", "new card");
    device.handle(Event::Evidence(drifted.clone()));
    assert_eq!(state(&device), BindingState::Drifted);
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
    assert_eq!(used(&device.sent().unwrap()).unwrap().evidence, digest(&drifted));
}

#[test]
fn b8_a_restart_between_swap_and_taking_over_only_takes_longer() {
    let (issuer, mut device, operation) = planned();
    device.handle(Event::Evidence(new()));
    device.pass(50);
    device.restart(issuer.settings());
    device.handle(Event::Evidence(new()));
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Broken, None));
    device.pass(59);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Broken, "it may be the middle of the swap");
    device.pass(1);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
    let request = device.sent().unwrap();

    device.restart(issuer.settings());
    assert_eq!(device.sent().unwrap(), request, "and after it, it says so again");
    device.handle(Event::Evidence(new()));
    assert_eq!(state(&device), BindingState::Bound, "without any answer");
    let by_hand = device.give_back(1).unwrap();
    assert_eq!(used(&by_hand), Some(PlanUsed { operation, evidence: digest(&new()) }));
}

#[test]
fn b8_a_second_swap_is_judged_against_the_first() {
    let (mut issuer, mut device, operation, request) = swapped();
    device.handle(Event::Evidence(third()));
    let broken_at = device.now.wall;
    assert_eq!(state(&device), BindingState::Broken);
    device.pass(3600);
    device.handle(Event::Wake);
    let check = device.check("points", 10);
    assert_eq!((check.reason, check.until), ("grace", Some(broken_at.after(Duration::days(14)))));
    let later = ask(&mut device, Duration(WEEK), Delivery::Online).unwrap();
    assert_eq!(used(&later), Some(PlanUsed { operation, evidence: digest(&new()) }), "what was planned");
    assert_eq!(Request::open(&later).unwrap().request.evidence, digest(&third()));
    learn(&mut issuer, &mut device, &request);
    assert_eq!(state(&device), BindingState::Broken, "with the authority's blessing, too");
    device.handle(Event::Evidence(old()));
    assert_eq!(state(&device), BindingState::Broken, "back is a change like any other");
    device.handle(Event::Evidence(new()));
    assert_eq!(state(&device), BindingState::Bound);
}

#[test]
fn b8_after_the_window_hardware_breaks_with_grace_as_ever() {
    let (issuer, mut device, _) = planned();
    device.pass(WEEK - 30);
    device.handle(Event::Evidence(new()));
    assert_eq!(device.wake_at(), Some(device.now.boot.0 + 31), "the end of the window comes first");
    device.pass(31);
    device.handle(Event::Wake);
    assert_eq!(history(&device), ["planned_change_ended"]);
    assert_eq!((state(&device), plan(&device)), (BindingState::Broken, None));
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!((state(&device), alerts(&device)), (BindingState::Broken, vec!["binding_broken"]));
    device.restart(issuer.settings());
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    assert!(!history(&device).contains(&"planned_change_ended".to_owned()), "said once");
    device.pass(14 * DAY);
    assert_eq!(device.check("points", 10).reason, "binding_broken");
    assert!(device.give_back(1).is_some(), "p4");
}

#[test]
fn b8_everything_can_be_carried_by_hand() {
    let (mut issuer, mut device) = licensed();
    device.restart(Settings { online: false, ..issuer.settings() });
    device.handle(Event::Evidence(old()));
    assert!(ask(&mut device, Duration(WEEK), Delivery::Online).is_none(), "there is no address");
    let request = ask(&mut device, Duration(WEEK), Delivery::File).unwrap();
    assert_eq!(device.replied().unwrap().unwrap().results[0].action, "plan_change");
    agree(&mut issuer, &mut device, &request);
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!((state(&device), device.sent()), (BindingState::Bound, None));
    device.pass(30 * DAY);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound, "nobody is in a hurry");
    device.handle(Event::Reclaim { ticket: Ticket(8), delivery: Delivery::File });
    let request = device.replied().unwrap().unwrap().request.unwrap();
    learn(&mut issuer, &mut device, &request);
    assert_eq!((state(&device), plan(&device)), (BindingState::Bound, None));
}

#[test]
fn b8_an_answer_from_before_the_use_does_not_undo_it() {
    let (mut issuer, mut device, operation) = planned();
    let before = device.activate(2);
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    let request = device.sent().unwrap();
    let answer = issuer.answer(&before, Outcome::Done, device.now.wall);
    device.import(answer);
    assert_eq!((state(&device), plan(&device).unwrap().operation), (BindingState::Bound, operation));
    device.pass(8 * DAY);
    let opened = Request::open(&request).unwrap();
    issuer.position.sequence += 1;
    let grant = issuer.grant(opened.key.device(), None, device.now.wall);
    let renewal = issuer.seal(opened.key.device(), None, Vec::new(), grant, device.now.wall);
    device.import(renewal);
    assert_eq!(state(&device), BindingState::Bound, "nor does a renewal from after the window");
    assert_eq!(used(&device.give_back(1).unwrap()).unwrap().operation, operation);
}

#[test]
fn b8_a_use_that_was_superseded_is_told_again() {
    let (mut issuer, mut device, operation, request) = swapped();
    issuer.position.sequence += 1;
    let opened = Request::open(&request).unwrap();
    let grant = issuer.grant(opened.key.device(), None, device.now.wall);
    let answer = issuer.respond(&opened, Disposition::Superseded, Outcome::Done, grant, device.now.wall);
    device.import(answer);
    device.pass(3601);
    device.handle(Event::Wake);
    assert_eq!(used(&device.sent().unwrap()).unwrap().operation, operation);
}

#[test]
fn b8_a_newer_plan_takes_the_place_of_one_that_was_used() {
    let (mut issuer, mut device, old_plan, _) = swapped();
    let request = ask(&mut device, Duration(2 * DAY), Delivery::Online).unwrap();
    assert_eq!(used(&request).unwrap().operation, old_plan);
    // The authority had heard of the newer plan first, and knows nothing of the use of the older one.
    agree(&mut issuer, &mut device, &request);
    let new_plan = issuer.planned_change.unwrap().operation;
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Broken, None));
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
    let expected = PlanUsed { operation: new_plan, evidence: digest(&new()) };
    assert_eq!(used(&device.sent().unwrap()), Some(expected));
}

#[test]
fn b8_an_older_grant_opens_no_window_again() {
    let (mut issuer, mut device) = licensed();
    let request = ask(&mut device, Duration(WEEK), Delivery::Online).unwrap();
    let operation = Request::open(&request).unwrap().request.operations[0].id;
    issuer.planned_change = Some(PlannedChange { operation, until: NOON.after(Duration(WEEK)) });
    let with_window = issuer.answer(&request, Outcome::Done, NOON);
    device.import(with_window.clone());
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    let request = device.sent().unwrap();
    learn(&mut issuer, &mut device, &request);
    device.import(with_window);
    device.handle(Event::Evidence(third()));
    device.pass(120);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device)), (BindingState::Broken, None));
}

#[test]
fn b8_nothing_is_taken_over_while_a_fork_is_open() {
    let (mut issuer, mut device, operation) = planned();
    issuer.hold = Some(Hold { case: CaseId([1; 8]), until: Timestamp(NOON.0 + 14 * DAY) });
    let request = device.activate(2);
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    device.handle(Event::Evidence(new()));
    device.pass(120);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Broken, None));
    issuer.hold = None;
    let request = device.give_back(1).unwrap();
    let answer = issuer.answer(&request, Outcome::Done, device.now.wall);
    device.import(answer);
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!(used(&device.sent().unwrap()).unwrap().operation, operation, "the case is resolved");
}

#[test]
fn b8_hardware_that_cannot_be_told_from_others_is_not_taken_over() {
    let (_, mut device, _) = planned();
    device.handle(Event::Evidence(hardware(&[(Factor::Disk, "new disk"), (Factor::Cpu, "cpu")])));
    assert_eq!(state(&device), BindingState::Broken);
    device.pass(120);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device).unwrap().used_at), (BindingState::Broken, None));
    device.handle(Event::Evidence(HardwareReading::default()));
    device.pass(120);
    device.handle(Event::Wake);
    assert_eq!(plan(&device).unwrap().used_at, None);
}

#[test]
fn b8_what_cannot_be_stored_is_not_taken_over() {
    let (_, mut device, _) = planned();
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.store.full = true;
    device.handle(Event::Wake);
    assert_eq!((state(&device), device.sent()), (BindingState::Broken, None));
    device.store.full = false;
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!(state(&device), BindingState::Bound);
}

#[test]
fn b8_a_clock_that_is_set_back_does_not_hold_the_window_open() {
    let (_, mut device, _) = planned();
    device.pass(WEEK + 1);
    device.now.wall = NOON;
    device.now.synchronized = false;
    device.handle(Event::Evidence(new()));
    device.pass(60);
    device.handle(Event::Wake);
    assert_eq!((state(&device), plan(&device)), (BindingState::Broken, None));
}

#[test]
fn b8_a_plan_is_asked_for_once_and_may_be_denied() {
    let (mut issuer, mut device) = licensed();
    let first = ask(&mut device, Duration(WEEK), Delivery::Online).unwrap();
    let again = ask(&mut device, Duration(WEEK), Delivery::Online).unwrap();
    let other = ask(&mut device, Duration(DAY), Delivery::Online).unwrap();
    let count = |request: &[u8]| Request::open(request).unwrap().request.operations.len();
    assert_eq!([count(&first), count(&again), count(&other)], [1, 1, 2]);
    let denied =
        Outcome::Denied { reason: DenialReason::Policy, detail: Text::lossy("the longest is 2 days") };
    let answer = issuer.answer(&other, denied, NOON);
    device.import(answer);
    let reply = device.replied().unwrap().unwrap();
    assert_eq!(
        (reply.results[0].action, reply.results[0].reason.as_deref()),
        ("plan_change", Some("policy"))
    );
    assert_eq!((plan(&device), device.machine.view(&device.now).pending.len()), (None, 0));
    let lines = &device.store.last.as_ref().unwrap().history;
    assert_eq!(lines[0].message, "plan change: denied the longest is 2 days");
}

#[test]
fn b8_a_plan_needs_a_window_and_something_that_is_bound() {
    let (_, mut device) = licensed();
    assert_eq!(ask(&mut device, Duration(0), Delivery::Online), None);
    assert!(matches!(device.replied(), Some(Err(Refusal::BadCommand(_)))));
    device.give_back(1).unwrap();
    assert_eq!(ask(&mut device, Duration(WEEK), Delivery::Online), None);
    assert_eq!(device.replied(), Some(Err(Refusal::NothingHeld)));
    device.activate(2);
    assert!(ask(&mut device, Duration(WEEK), Delivery::Online).is_some(), "it is being activated");
}
