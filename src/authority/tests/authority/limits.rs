//! The largest of everything still gets an answer.

use crate::support::*;
use landfast_authority::domain::catalog::{License, Product};
use landfast_protocol::grant::{Feature, MAX_TOKENS};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::MAX_OPERATIONS;
use landfast_protocol::{ActivationId, List, Timestamp};

fn numbered(number: u32) -> ActivationId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    ActivationId::from_bytes(bytes)
}

fn licenses(count: u32, of: &str) -> Vec<License> {
    (0..count)
        .map(|number| License {
            activation: numbered(number),
            id: numbered(number).license(&ISSUER),
            ..license(0, of, 1, 1)
        })
        .collect()
}

/// A product as large as products get.
fn bulky() -> Product {
    let feature = |number: usize| Feature {
        name: name(&format!("{number:02}{}", "x".repeat(62))),
        quantity: u32::MAX,
        version_limit: Some("4294967295.4294967295.4294967295.4294967295".parse().unwrap()),
        advisory: true,
    };
    let features = List::new((0..32).map(feature).collect()).unwrap();
    Product { name: name(&"y".repeat(64)), features, ..product("Historian") }
}

fn ask(vendor: &mut Vendor, device: &mut Device, numbers: std::ops::Range<u32>) -> (usize, Vec<String>) {
    let operations: Vec<_> = numbers.map(|number| device.activate(numbered(number), None)).collect();
    let response = vendor.exchange(device);
    let done = operations.iter().filter(|id| outcome(&response, **id) == Outcome::Done).count();
    let denied = operations.iter().filter(|id| outcome(&response, **id) != Outcome::Done);
    (done, denied.map(|id| denial(&response, *id)).collect())
}

#[test]
fn a_device_holds_as_many_licenses_as_fit_into_a_grant() {
    let count = MAX_TOKENS as u32 + 3;
    let mut vendor = Vendor::new(&licenses(count, "Historian"));
    let mut device = Device::new(1);
    let mut done = 0;
    let mut denied = Vec::new();
    for start in (0..count).step_by(MAX_OPERATIONS) {
        let (more, refused) = ask(&mut vendor, &mut device, start..count.min(start + MAX_OPERATIONS as u32));
        done += more;
        denied.extend(refused);
    }
    assert_eq!(done, MAX_TOKENS);
    assert_eq!(denied, vec!["too_many_licenses"; 3]);
    assert_eq!(device.grant.unwrap().tokens.len(), MAX_TOKENS);
}

#[test]
fn bulky_products_end_earlier_and_the_largest_answer_fits() {
    let product = bulky();
    let mut vendor =
        Vendor::with(std::slice::from_ref(&product), &licenses(MAX_OPERATIONS as u32, &product.name));
    let mut device = Device::new(1);
    let (done, denied) = ask(&mut vendor, &mut device, 0..MAX_OPERATIONS as u32);
    assert!(done > 100 && denied.iter().all(|code| code == "too_many_licenses"), "{done}");
    assert_eq!(done + denied.len(), MAX_OPERATIONS);
    let (_, denied) = ask(&mut vendor, &mut device, 100_000..100_000 + MAX_OPERATIONS as u32);
    assert_eq!(denied.len(), MAX_OPERATIONS, "as many results as there can be, beside a full grant");
}

#[test]
fn nothing_is_signed_outside_the_window_of_the_key() {
    let mut vendor = Vendor::signing_until(Timestamp(NOW.0 + 10));
    let mut device = Device::new(1);
    let early = device.request();
    let answer = vendor.take(early.clone()).unwrap();
    vendor.now = Timestamp(NOW.0 + 11);
    let late = device.request();
    let refused = vendor.take(late.clone()).unwrap_err();
    assert_eq!(refused.code(), "signing_key_expired");
    assert_eq!(vendor.take(early).unwrap(), answer, "what was answered stays answered");
    vendor.now = NOW;
    vendor.take(late).unwrap();
}

#[test]
fn numbers_that_no_device_reaches_are_refused() {
    let mut vendor = Vendor::new(&[]);
    let mut device = Device { counter: u64::MAX - 1, ..Device::new(1) };
    let refused = vendor.take(device.request()).unwrap_err();
    assert_eq!(refused.code(), "number_out_of_range");
}
