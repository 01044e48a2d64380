//! B9: how long each feature stays granted if nothing changes.

use crate::support::*;
use landfast_core::event::{Delivery, TransportFailure};
use landfast_core::runway::runway;
use landfast_core::{Event, Reason, Settings, Snapshot, Ticket};
use landfast_protocol::grant::{Feature, Model, Token};
use landfast_protocol::operation::Outcome;
use landfast_protocol::{Duration, List, Text, Timestamp};
use proptest::prelude::*;

fn term(number: u8, from: u64, to: u64) -> Token {
    Token {
        not_before: Timestamp(NOON.0 + from * DAY),
        not_after: Some(Timestamp(NOON.0 + to * DAY)),
        model: Model::Subscription,
        ..token(number, "points", 1)
    }
}

fn holding(tokens: Vec<Token>) -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    let request = device.activate(1);
    issuer.tokens = tokens;
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

fn days(device: &Device) -> (Option<u64>, Reason) {
    let snapshot = device.snapshot();
    let found = runway(&snapshot, "points", &device.now);
    (found.left.map(|left| left.0 / DAY), found.reason)
}

#[test]
fn b9_a_term_that_follows_another_goes_on() {
    let (_, mut device) = holding(vec![term(1, 0, 10), term(2, 8, 30), term(3, 40, 50)]);
    assert_eq!(days(&device), (Some(30), Reason::NotStarted));
    device.pass(12 * DAY);
    assert_eq!(days(&device), (Some(18), Reason::NotStarted));
    device.pass(20 * DAY);
    assert_eq!(days(&device), (Some(0), Reason::NotStarted));
    device.pass(10 * DAY);
    assert_eq!(days(&device), (Some(8), Reason::Expired));
}

fn warning(device: &Device) -> Option<String> {
    let view = device.machine.view(&device.now);
    view.alerts.iter().find(|alert| alert.code == "ends_soon").map(|alert| alert.message.clone())
}

/// It wakes by itself at least every hour.
fn pass_days(device: &mut Device, days: u64) {
    for _ in 0..days * 24 {
        let due = device.wake_at().unwrap();
        assert!(due <= device.now.boot.0 + 3601, "{due}");
        device.pass(3600);
        device.handle(Event::Wake);
    }
}

#[test]
fn b9_the_agent_says_so_a_week_before_a_feature_ends() {
    let (mut issuer, mut device) = holding(vec![term(1, 0, 10), term(2, 8, 30)]);
    pass_days(&mut device, 22);
    assert_eq!(warning(&device), None, "8 days are left");
    pass_days(&mut device, 2);
    let said = warning(&device).unwrap();
    assert!(
        said.starts_with("licenses of acme end within 7 days: points; ") && said.contains("landfast runway"),
        "{said}"
    );
    issuer.tokens = vec![term(2, 8, 60)];
    device.handle(Event::Reclaim { ticket: Ticket(3), delivery: Delivery::Online });
    let request = device.sent().unwrap();
    let answer = issuer.answer(&request, Outcome::Done, Timestamp(NOON.0 + 24 * DAY));
    device.import(answer);
    assert_eq!(warning(&device), None);
    pass_days(&mut device, 40);
    assert!(!device.check("points", 1).granted);
    assert_eq!(warning(&device), None, "what has ended does not end soon");
}

#[test]
fn b9_many_features_that_end_are_counted() {
    let with = |token: Token, names: &[&str]| {
        let feature = |name: &&str| Feature { name: Text::lossy(name), ..token.features[0].clone() };
        Token { features: List::new(names.iter().map(feature).collect()).unwrap(), ..token.clone() }
    };
    let ending = with(term(1, 0, 3), &["a", "b", "c", "d", "e"]);
    let staying = with(term(2, 0, 30), &["b"]);
    let (_, device) = holding(vec![ending, staying]);
    assert!(
        warning(&device).unwrap().starts_with("licenses of acme end within 7 days: a, c, d and 1 more; ")
    );
}

#[test]
fn b9_a_gap_between_two_terms_is_an_end() {
    let (_, mut device) = holding(vec![term(1, 0, 10), term(2, 12, 30)]);
    for day in 0..=12 {
        assert_eq!(warning(&device).is_some(), (3..10).contains(&day), "day {day}");
        pass_days(&mut device, 1);
    }
}

#[test]
fn b9_a_lease_is_worth_a_word_only_where_nobody_renews_it() {
    let told = |online: bool, failed: bool| {
        let mut issuer = Issuer::new();
        issuer.tokens = vec![token(1, "points", 1)];
        issuer.lease_until = Some(Timestamp(NOON.0 + 6 * DAY));
        let mut device = Device::with(Settings { online, ..issuer.settings() }, 1);
        device.handle(Event::Reclaim { ticket: Ticket(3), delivery: Delivery::File });
        let request = device.replied().unwrap().unwrap().request.unwrap();
        let answer = issuer.answer(&request, Outcome::Done, NOON);
        device.import(answer);
        if failed {
            device.pass(4 * DAY);
            device.handle(Event::Wake);
            let counter = device.machine.view(&device.now).counter;
            let failure = TransportFailure::Unreachable("no route".to_owned());
            device.handle(Event::SendFailed { counter, failure });
        }
        let view = device.machine.view(&device.now);
        view.alerts.iter().any(|alert| alert.code == "lease_ends_soon")
    };
    assert_eq!([told(true, false), told(true, true), told(false, false)], [false, true, true]);
}

#[test]
fn b9_what_has_no_end_has_no_runway_and_what_is_unknown_none_left() {
    let (_, device) = holding(vec![term(1, 0, 10), token(2, "points", 1)]);
    assert_eq!(days(&device), (None, Reason::Licensed));
    let snapshot = device.snapshot();
    let unknown = runway(&snapshot, "nobody", &device.now);
    assert_eq!((unknown.left, unknown.reason), (Some(Duration(0)), Reason::NotLicensed));
}

#[test]
fn b9_b12_an_advisory_feature_never_ends() {
    let mut always = term(1, 0, 10);
    always.features = List::new(
        always
            .features
            .iter()
            .map(|feature| landfast_protocol::grant::Feature { advisory: true, ..feature.clone() })
            .collect(),
    )
    .unwrap();
    let (_, mut device) = holding(vec![always]);
    assert_eq!(days(&device).0, None);
    device.pass(20 * DAY);
    assert_eq!(days(&device), (None, Reason::Advisory));
}

#[test]
fn b9_a_broken_binding_ends_with_its_grace() {
    let (_, mut device) = holding(vec![token(1, "points", 1)]);
    device.handle(landfast_core::Event::Evidence(server("other", "another", "third")));
    assert_eq!(days(&device), (Some(14), Reason::BindingBroken));
}

#[test]
fn b9_another_issuer_carries_on() {
    let (_, first) = holding(vec![term(1, 0, 10)]);
    let (_, second) = holding(vec![term(2, 5, 20)]);
    let mut other = (*second.machine.view(&second.now)).clone();
    other.name = "other".to_owned();
    let snapshot = Snapshot { issuers: vec![first.machine.view(&first.now), other.into()] };
    let found = runway(&snapshot, "points", &first.now);
    assert_eq!((found.left, found.until), (Some(Duration(20 * DAY)), Some(Timestamp(NOON.0 + 20 * DAY))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// One second before its end a feature is granted, and at its end it is not.
    #[test]
    fn b9_the_end_is_where_checks_turn(terms in proptest::collection::vec((0u64..20, 1u64..20), 1..5)) {
        let tokens = terms.iter().enumerate().map(|(at, (from, length))| {
            term(u8::try_from(at).unwrap() + 1, *from, from + length)
        });
        let (_, mut device) = holding(tokens.collect());
        let granted = device.check("points", 1).granted;
        let left = runway(&device.snapshot(), "points", &device.now).left.unwrap().0;
        prop_assert_eq!(left > 0, granted);
        if granted {
            device.pass(left - 1);
            prop_assert!(device.check("points", 1).granted);
            device.pass(1);
            prop_assert!(!device.check("points", 1).granted);
        }
    }
}
