//! Answers to checks: every reason of the closed list, and how several licenses and issuers add up.

use crate::support::*;
use landfast_core::entitlement::{Query, Reason, evaluate};
use landfast_core::event::{Delivery, Event, Selection};
use landfast_core::{Snapshot, Ticket};
use landfast_protocol::grant::{Feature, Model, Token};
use landfast_protocol::operation::Outcome;
use landfast_protocol::{List, Text, Timestamp};

fn holding(tokens: Vec<Token>) -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = tokens;
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

fn feature(name: &str, quantity: u32, limit: Option<&str>, advisory: bool) -> Feature {
    let version_limit = limit.map(|limit| limit.parse().unwrap());
    Feature { name: Text::lossy(name), quantity, version_limit, advisory }
}

#[test]
fn d7_quantities_of_several_licenses_add_up_and_the_longest_lasting_come_first() {
    let term = |number, end| Token {
        not_after: Some(Timestamp(end)),
        model: Model::Subscription,
        ..token(number, "points", 10)
    };
    let (_, mut device) =
        holding(vec![term(1, NOON.0 + DAY), token(2, "points", 5), term(3, NOON.0 + 9 * DAY)]);
    assert_eq!(device.check("points", 5).until, None);
    assert_eq!(device.check("points", 6).until, Some(Timestamp(NOON.0 + 9 * DAY)));
    assert_eq!(device.check("points", 25).until, Some(Timestamp(NOON.0 + DAY)));
    assert_eq!(device.check("points", 26).reason, "quantity_exceeded");
    device.pass(2 * DAY);
    let check = device.check("points", 25);
    assert_eq!((check.granted, check.quantity, check.reason), (false, 15, "quantity_exceeded"));
}

#[test]
fn b13_every_denial_names_its_reason() {
    let ended = Token { not_after: Some(NOON), model: Model::Trial, ..token(1, "ended", 1) };
    let later = Token { not_before: Timestamp(NOON.0 + DAY), ..token(2, "later", 1) };
    let old = Token {
        features: List::new(vec![feature("old", 1, Some("2.5"), false)]).unwrap(),
        ..token(3, "", 1)
    };
    let trial =
        Token { not_after: Some(Timestamp(NOON.0 + DAY)), model: Model::Trial, ..token(4, "trial", 1) };
    let (_, device) = holding(vec![ended, later, old, trial]);
    assert_eq!(device.check("ended", 1).reason, "expired");
    assert_eq!(device.check("later", 1).reason, "not_started");
    assert_eq!(device.check("none", 1).reason, "not_licensed");
    assert_eq!((device.check("trial", 1).state, device.check("trial", 1).reason), ("trial", "licensed"));
    let version = |text: &str| {
        let query = Query { feature: "old", quantity: 1, version: Some(text.parse().unwrap()), issuer: None };
        Checked::from(evaluate(&device.snapshot(), &query, &device.now)).reason
    };
    assert_eq!(
        (version("2.5.9"), version("2.4"), version("2.6")),
        ("licensed", "licensed", "version_exceeded")
    );
    for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::Licensed) {
        assert!(!landfast_core::advice::of(reason).is_empty(), "{} has no next step", reason.code());
    }
}

#[test]
fn b12_an_advisory_feature_is_never_switched_off() {
    let always = Token {
        features: List::new(vec![feature("alarms", 2, None, true)]).unwrap(),
        not_after: Some(Timestamp(NOON.0 + DAY)),
        ..token(1, "", 1)
    };
    let (_, mut device) = holding(vec![always]);
    assert_eq!(device.check("alarms", 3).reason, "advisory");
    device.pass(2 * DAY);
    let check = device.check("alarms", 1);
    assert_eq!((check.granted, check.reason), (true, "advisory"));
}

#[test]
fn b12_an_advisory_feature_ends_with_its_return_and_not_with_a_part_of_it() {
    let features = vec![feature("alarms", 1, None, true), feature("points", 10, None, true)];
    let always = Token { features: List::new(features).unwrap(), ..token(1, "", 10) };
    let (_, mut device) = holding(vec![always]);
    let mut give = |units| {
        let selection = Selection::Licenses(vec![(license(1), units)]);
        device.handle(Event::Return { ticket: Ticket(5), selection, delivery: Delivery::File });
        (device.check("alarms", 1), device.check("points", 1))
    };
    let (alarms, points) = give(Some(6));
    assert_eq!((alarms.granted, alarms.reason, points.reason), (true, "advisory", "licensed"));
    let (alarms, points) = give(None);
    assert_eq!((alarms.granted, alarms.reason), (false, "returned"));
    assert_eq!((points.granted, points.reason), (false, "returned"));
}

#[test]
fn d7_several_issuers_are_asked_in_order_and_one_can_be_named() {
    let (_, first) = holding(vec![token(1, "points", 1)]);
    let (_, second) = holding(vec![token(1, "points", 9)]);
    let mut view = (*second.machine.view(&second.now)).clone();
    view.name = "other".to_owned();
    let snapshot = Snapshot { issuers: vec![first.machine.view(&first.now), view.into()] };
    let ask = |quantity, issuer| {
        let query = Query { feature: "points", quantity, version: None, issuer };
        let decision = evaluate(&snapshot, &query, &first.now);
        (decision.granted, decision.issuer.to_owned())
    };
    assert_eq!(ask(1, None), (true, "acme".to_owned()));
    assert_eq!(ask(5, None), (true, "other".to_owned()));
    assert_eq!(ask(5, Some("acme")), (false, "acme".to_owned()));
    assert_eq!(ask(1, Some("nobody")), (false, String::new()));
}
