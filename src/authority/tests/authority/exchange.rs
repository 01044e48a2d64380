//! What an exchange does, over the memory store.

use crate::support::*;
use landfast_authority::domain::catalog::{License, Term};
use landfast_authority::storage::admin::NewTerms;
use landfast_protocol::grant::Model;
use landfast_protocol::keys::activation_proof;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::response::Disposition;
use landfast_protocol::{Blob, Duration, OperationId, Timestamp};

fn expiring(number: u8, term: Term) -> License {
    License { model: Model::Trial, term, ..license(number, "Historian", 1, 1) }
}

fn at(vendor: &Vendor, days: u64) -> Timestamp {
    vendor.now.after(Duration::days(days))
}

#[test]
fn a_license_moves_from_device_to_device_by_return() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let (mut a, mut b) = (Device::new(1), Device::new(2));
    let take = a.activate(activation(1), None);
    let response = vendor.exchange(&mut a);
    assert_eq!(disposition(&response), Disposition::Executed);
    assert_eq!(outcome(&response, take), Outcome::Done);
    assert_eq!(a.holds(activation(1)), 1);
    let grant = a.grant.clone().unwrap();
    assert_eq!(grant.executed, a.made.last().copied());
    assert_eq!(grant.binding.as_ref(), Some(&a.evidence));
    assert_eq!((grant.lease_until, grant.hold.clone()), (None, None));
    assert_eq!(grant.tokens[0].features[0].quantity, 500);

    let refused = b.activate(activation(1), None);
    assert_eq!(denial(&vendor.exchange(&mut b), refused), "too_many_devices");
    let give = a.give_back(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut a), give), Outcome::Done);
    assert_eq!(a.holds(activation(1)), 0);
    b.activate(activation(1), None);
    vendor.exchange(&mut b);
    assert_eq!(b.holds(activation(1)), 1);
}

#[test]
fn i3_the_same_bytes_get_the_same_bytes_for_ever() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    let first = device.request();
    let answer = vendor.take(first.clone()).unwrap();
    device.import(&answer);
    device.give_back(activation(1), None);
    vendor.exchange(&mut device);
    vendor.now = at(&vendor, 4000);
    assert_eq!(vendor.take(first).unwrap(), answer);
}

#[test]
fn an_operation_acts_once_however_often_it_is_asked() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 4, 2)]);
    let mut device = Device::new(1);
    let take = device.activate(activation(1), Some(2));
    let lost = device.request();
    vendor.take(lost).unwrap();
    let give = device.give_back(activation(1), Some(1));
    let lost = device.request();
    vendor.take(lost).unwrap();
    let response = vendor.exchange(&mut device);
    assert_eq!(response.results.len(), 2);
    assert_eq!((outcome(&response, take), outcome(&response, give)), (Outcome::Done, Outcome::Done));
    assert_eq!(device.holds(activation(1)), 1);
    assert!(device.pending.is_empty());
}

#[test]
fn a_late_request_is_superseded_and_gets_its_results_and_the_current_grant() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    let take = device.activate(activation(1), None);
    let late = device.request();
    let newer = device.request();
    let current = vendor.take(newer).unwrap();
    let current = device.clone().import(&current);
    let response = vendor.take(late).unwrap();
    let response = device.import(&response);
    assert_eq!(disposition(&response), Disposition::Superseded);
    assert_eq!(outcome(&response, take), Outcome::Done);
    assert_eq!(response.grant, current.grant, "one position, one grant");
    assert_eq!(device.holds(activation(1)), 1);
}

#[test]
fn b2_a_pending_activation_is_cancelled_by_a_return() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    device.give_back(activation(1), None);
    let response = vendor.exchange(&mut device);
    assert!(response.results.iter().all(|result| result.outcome == Outcome::Done));
    assert_eq!(vendor.given_out(activation(1).license(&ISSUER)), 0);
}

#[test]
fn units_are_shared_out_and_never_more_than_there_are() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 10, 4)]);
    let mut devices: Vec<_> = (1..=5).map(Device::new).collect();
    let mut held = Vec::new();
    for device in &mut devices[..4] {
        device.activate(activation(1), None);
        vendor.exchange(device);
        held.push(device.holds(activation(1)));
    }
    assert_eq!(held, [3, 3, 3, 1]);
    let fifth = devices[4].activate(activation(1), None);
    assert_eq!(denial(&vendor.exchange(&mut devices[4]), fifth), "too_many_devices");
    let more = devices[3].activate(activation(1), Some(2));
    assert_eq!(denial(&vendor.exchange(&mut devices[3]), more), "no_units_left");
    devices[0].give_back(activation(1), Some(2));
    vendor.exchange(&mut devices[0]);
    assert_eq!(devices[0].holds(activation(1)), 1);
    let more = devices[3].activate(activation(1), Some(2));
    assert_eq!(outcome(&vendor.exchange(&mut devices[3]), more), Outcome::Done);
    assert_eq!(devices[3].holds(activation(1)), 2, "the quantity is what is wanted in all");
    let fewer = devices[3].activate(activation(1), Some(1));
    assert_eq!(outcome(&vendor.exchange(&mut devices[3]), fewer), Outcome::Done);
    assert_eq!(devices[3].holds(activation(1)), 2, "an activation takes nothing away");
}

#[test]
fn an_unknown_license_and_a_wrong_proof_answer_the_same() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    let unknown = device.activate(activation(9), None);
    let id = OperationId([77; 16]);
    let proof = activation_proof(&activation(9), &ISSUER, &device.key.public(), &id);
    let wrong = Action::Activate { license: activation(1).license(&ISSUER), quantity: None, proof };
    device.pending.push(landfast_protocol::operation::Operation { id, action: wrong });
    let response = vendor.exchange(&mut device);
    assert_eq!(outcome(&response, unknown), outcome(&response, id));
    assert_eq!(denial(&response, id), "unknown_license");
}

#[test]
fn a_proof_is_good_for_its_device_and_operation_only() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let (mut a, mut thief) = (Device::new(1), Device::new(2));
    a.activate(activation(1), None);
    thief.pending.clone_from(&a.pending);
    let stolen = thief.pending[0].id;
    assert_eq!(denial(&vendor.exchange(&mut thief), stolen), "unknown_license");
}

#[test]
fn an_unknown_operation_is_answered_and_the_rest_is_executed() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    let strange = device.wants(Action::Unknown { kind: 900, body: Blob::new(vec![1, 2]).unwrap() });
    let take = device.activate(activation(1), None);
    let response = vendor.exchange(&mut device);
    assert_eq!(denial(&response, strange), "unsupported_operation");
    assert_eq!(outcome(&response, take), Outcome::Done);
}

#[test]
fn terms_end_and_counted_terms_start_with_the_first_activation() {
    let until = Term::Until(NOW.after(Duration::days(10)));
    let counted = Term::Counted { length: Duration::days(30), started: None };
    let mut vendor = Vendor::new(&[expiring(1, until), expiring(2, counted)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!(device.grant.as_ref().unwrap().tokens[0].not_after, Some(at(&vendor, 10)));
    vendor.now = at(&vendor, 40);
    device.give_back(activation(1), None);
    device.activate(activation(2), None);
    vendor.exchange(&mut device);
    let token = device.grant.as_ref().unwrap().tokens[0].clone();
    assert_eq!((token.not_before, token.not_after), (vendor.now, Some(at(&vendor, 30))));
    device.give_back(activation(2), None);
    let ended = device.activate(activation(1), None);
    assert_eq!(denial(&vendor.exchange(&mut device), ended), "license_expired");
    vendor.now = at(&vendor, 20);
    device.activate(activation(2), None);
    vendor.exchange(&mut device);
    let again = device.grant.as_ref().unwrap().tokens[0].clone();
    assert_eq!(again.not_after, token.not_after, "a term is counted once");
    vendor.now = at(&vendor, 20);
    device.give_back(activation(2), None);
    let over = device.activate(activation(2), None);
    assert_eq!(denial(&vendor.exchange(&mut device), over), "license_expired");
}

#[test]
fn too_little_evidence_gives_a_lease_that_reclaim_refreshes() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1), license(2, "Safety", 1, 1)]);
    let mut device = Device { evidence: poor_machine(), ..Device::new(1) };
    let lent = device.activate(activation(1), None);
    let refused = device.activate(activation(2), None);
    let response = vendor.exchange(&mut device);
    assert_eq!(outcome(&response, lent), Outcome::Done);
    assert_eq!(denial(&response, refused), "too_little_evidence");
    let lease = |device: &Device| device.grant.as_ref().unwrap().lease_until;
    assert_eq!(lease(&device), Some(at(&vendor, 30)));
    assert_eq!(device.grant.as_ref().unwrap().binding, None);
    vendor.now = at(&vendor, 20);
    vendor.exchange(&mut device);
    assert_eq!(lease(&device), Some(at(&vendor, 30)));
    device.evidence = machine(1);
    vendor.exchange(&mut device);
    assert_eq!((lease(&device), device.grant.as_ref().unwrap().binding.clone()), (None, Some(machine(1))));
}

#[test]
fn b3_a_broken_binding_takes_nothing_more_but_always_gives_back() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 2, 2), license(2, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    device.evidence = machine(50);
    let more = device.activate(activation(2), None);
    assert_eq!(denial(&vendor.exchange(&mut device), more), "binding_broken");
    assert_eq!(device.grant.as_ref().unwrap().binding, Some(machine(1)), "other hardware is not taken over");
    let give = device.give_back(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut device), give), Outcome::Done);
    let history = vendor.memory.tables().history().to_vec();
    let marked = history.iter().any(|link| link.text.contains("\"binding_broken\":true"));
    assert!(marked, "the history marks it");
    let fresh = device.activate(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut device), fresh), Outcome::Done);
    assert_eq!(device.grant.as_ref().unwrap().binding, Some(machine(50)));
}

#[test]
fn p4_return_all_and_activation_in_one_request_bind_anew() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    device.evidence = machine(50);
    device.give_back(activation(1), None);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!(device.holds(activation(1)), 1);
    assert_eq!(device.grant.as_ref().unwrap().binding, Some(machine(50)));
}

#[test]
fn the_product_decides_about_returns_and_the_strictest_grace_holds() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1), license(2, "Safety", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!(device.grant.as_ref().unwrap().policy.grace, Duration::days(14));
    device.activate(activation(2), None);
    vendor.exchange(&mut device);
    assert_eq!(device.grant.as_ref().unwrap().policy.grace, Duration::days(3));
    let kept = device.give_back(activation(2), None);
    let gone = device.give_back(activation(1), None);
    let response = vendor.exchange(&mut device);
    assert_eq!(denial(&response, kept), "policy");
    assert_eq!(outcome(&response, gone), Outcome::Done);
    let nothing = device.give_back(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut device), nothing), Outcome::Done);
}

#[test]
fn k9_a_reset_license_is_not_retaken_by_a_request_that_does_not_know() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let (mut a, mut b) = (Device::new(1), Device::new(2));
    a.activate(activation(1), None);
    vendor.exchange(&mut a);
    let stale = a.activate(activation(1), None);
    let old = a.request();
    assert_eq!(vendor.reset(&a, 1), 1);
    let response = vendor.take(old).unwrap();
    let response = a.import(&response);
    assert_eq!(outcome(&response, stale), Outcome::Stale);
    assert_eq!(a.holds(activation(1)), 0, "the answer carries the grant without it");
    b.activate(activation(1), None);
    vendor.exchange(&mut b);
    assert_eq!(b.holds(activation(1)), 1);
    b.give_back(activation(1), None);
    vendor.exchange(&mut b);
    let again = a.activate(activation(1), None);
    assert_eq!(outcome(&vendor.exchange(&mut a), again), Outcome::Done);
}

#[test]
fn e5_an_update_is_taken_without_a_request() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    let before = device.previous.unwrap().position;
    let update = vendor.update(&device);
    device.import(&update);
    assert!(device.previous.unwrap().position > before);
    assert_eq!(device.holds(activation(1)), 1);
    assert_eq!(disposition(&vendor.exchange(&mut device)), Disposition::Executed);
}

#[test]
fn e5_k10_reclaim_brings_an_expanded_subscription_and_renewed_support() {
    let until = NOW.after(Duration::days(10));
    let sold =
        License { model: Model::Subscription, term: Term::Until(until), ..license(1, "Historian", 4, 2) };
    let mut vendor = Vendor::new(&[sold]);
    let (mut a, mut b) = (Device::new(1), Device::new(2));
    a.activate(activation(1), None);
    vendor.exchange(&mut a);
    b.activate(activation(1), Some(1));
    vendor.exchange(&mut b);
    let terms = NewTerms {
        quantity: Some(10),
        not_after: Some(at(&vendor, 400)),
        support_until: Some(at(&vendor, 500)),
        ..NewTerms::default()
    };
    vendor.change(1, terms).unwrap();
    vendor.exchange(&mut a);
    vendor.exchange(&mut b);
    let token = a.grant.as_ref().unwrap().tokens[0].clone();
    assert_eq!((token.not_after, token.support_until), (Some(at(&vendor, 400)), Some(at(&vendor, 500))));
    assert_eq!(token.quantity, 5, "it took its share, and the share is larger now");
    assert_eq!(b.holds(activation(1)), 1, "it asked for one");
    a.give_back(activation(1), Some(1));
    vendor.exchange(&mut a);
    vendor.exchange(&mut a);
    assert_eq!(a.holds(activation(1)), 4, "what was given back does not come back by itself");
    let less = NewTerms { quantity: Some(4), ..NewTerms::default() };
    assert!(vendor.change(1, less).unwrap_err().to_string().contains("2 devices hold 5 units"));
    assert!(vendor.change(1, NewTerms::default()).is_err());
}
