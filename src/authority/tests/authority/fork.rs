//! Copied and restored stores, cases, and a database that was set back.

use crate::support::*;
use landfast_authority::storage::admin;
use landfast_authority::storage::memory::transact;
use landfast_protocol::operation::Outcome;
use landfast_protocol::response::Disposition;
use landfast_protocol::{Duration, Timestamp};

/// A vendor and a device that holds license 1 and was copied then; both copies have asked since.
fn forked() -> (Vendor, Device, Device) {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1), license(2, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    let mut copy = device.copy(1);
    vendor.exchange(&mut device);
    let response = vendor.exchange(&mut copy);
    assert!(matches!(disposition(&response), Disposition::OnHold { .. }));
    (vendor, device, copy)
}

#[test]
fn p10_a_fork_opens_a_case_and_what_is_held_keeps_a_fixed_grace() {
    let (mut vendor, mut device, copy) = forked();
    let hold = copy.grant.clone().unwrap().hold.unwrap();
    assert_eq!(hold.until, NOW.after(Duration::days(14)));
    assert_eq!(copy.holds(activation(1)), 1);
    vendor.now = NOW.after(Duration::days(5));
    let take = device.activate(activation(2), None);
    let give = device.give_back(activation(1), None);
    let response = vendor.exchange(&mut device);
    assert_eq!(disposition(&response), Disposition::OnHold { case: hold.case });
    assert!(response.results.is_empty(), "nothing is executed");
    assert_eq!(device.pending.iter().map(|operation| operation.id).collect::<Vec<_>>(), [take, give]);
    assert_eq!(device.grant.clone().unwrap().hold.unwrap(), hold);
    assert_eq!(vendor.memory.tables().cases().count(), 1);
}

#[test]
fn resolving_lets_the_history_go_on_and_older_requests_execute_nothing() {
    let (mut vendor, mut device, mut copy) = forked();
    let take = device.activate(activation(2), None);
    let held_up = device.request();
    let response = vendor.take(held_up).unwrap();
    device.import(&response);
    device.give_back(activation(1), None);
    let old = device.request();
    vendor.resolve(&device);
    let response = vendor.take(old).unwrap();
    let response = device.import(&response);
    assert_eq!(disposition(&response), Disposition::Superseded);
    assert_eq!(device.grant.as_ref().unwrap().hold, None);
    let response = vendor.exchange(&mut device);
    assert_eq!(disposition(&response), Disposition::Executed);
    assert_eq!(outcome(&response, take), Outcome::Done);
    assert_eq!((device.holds(activation(1)), device.holds(activation(2))), (0, 1));
    let response = vendor.exchange(&mut copy);
    assert_eq!(disposition(&response), Disposition::Superseded, "the copy was told nothing yet");
    let response = vendor.exchange(&mut copy);
    assert!(matches!(disposition(&response), Disposition::OnHold { .. }), "and forks the history again");
}

#[test]
fn a_returned_license_does_not_come_back_with_a_restored_store() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    let mut restored = device.copy(1);
    device.give_back(activation(1), None);
    vendor.exchange(&mut device);
    vendor.exchange(&mut restored);
    assert_eq!(restored.holds(activation(1)), 0, "what was returned has no grace");
}

#[test]
fn a_database_that_was_set_back_goes_on_in_a_new_epoch() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1), license(2, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(2), None);
    vendor.exchange(&mut device);
    let backup = vendor.memory.tables().clone();
    let early = device.request();
    let answer = vendor.take(early.clone()).unwrap();
    device.import(&answer);
    for _ in 0..3 {
        device.activate(activation(1), None);
        vendor.exchange(&mut device);
    }
    assert_eq!(device.holds(activation(1)), 1);
    *vendor.memory.tables() = backup;
    transact(admin::raise_epoch(&mut *vendor.memory.tables(), &act(), None)).unwrap().unwrap();
    let response = vendor.exchange(&mut device);
    assert_eq!(disposition(&response), Disposition::Executed);
    assert_eq!(device.previous.unwrap().position.epoch, 1);
    assert_eq!(device.holds(activation(1)), 0, "the database does not know of it");
    let response = vendor.take(early).unwrap();
    assert_eq!(disposition(&device.import(&response)), Disposition::Superseded);
    device.activate(activation(1), None);
    assert_eq!(disposition(&vendor.exchange(&mut device)), Disposition::Executed);
    assert_eq!(device.holds(activation(1)), 1);
    assert_eq!(vendor.memory.tables().cases().count(), 0, "it is no fork of the device");
}

#[test]
fn a_set_back_database_without_a_new_epoch_is_written_down() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    let backup = vendor.memory.tables().clone();
    vendor.exchange(&mut device);
    *vendor.memory.tables() = backup;
    let response = vendor.exchange(&mut device);
    assert_eq!(disposition(&response), Disposition::Executed);
    let reported = vendor.memory.tables().history().iter().any(|l| l.text.contains("unknown_grant_reported"));
    assert!(reported);
}

#[test]
fn twenty_requests_on_their_way_at_once_are_no_fork() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    let mut requests: Vec<_> = (0..40).map(|_| device.request()).collect();
    requests.swap(0, 25);
    requests.swap(3, 39);
    for request in requests {
        let response = vendor.take(request).unwrap();
        let response = device.clone().import(&response);
        assert!(!matches!(disposition(&response), Disposition::OnHold { .. }));
    }
}

#[test]
fn the_authoritys_clock_set_right_is_signed_as_it_is() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    vendor.now = Timestamp(NOW.0 + 1_000_000);
    vendor.exchange(&mut device);
    vendor.now = NOW;
    vendor.exchange(&mut device);
    assert_eq!(device.grant.unwrap().issued_at, NOW, "a clock that was ahead once must not stay in force");
}
