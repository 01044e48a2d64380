//! The rules alone, on facts that no store could bring about yet.

use crate::support::*;
use landfast_authority::domain::device::DeviceRecord;
use landfast_authority::domain::exchange::{Facts, GrantContent, decide};
use landfast_authority::domain::fork::Known;
use landfast_protocol::grant::Position;
use landfast_protocol::request::Request;
use landfast_protocol::response::Disposition;
use std::collections::BTreeMap;

#[test]
fn a_retired_key_executes_nothing_and_learns_that_it_is_retired() {
    let mut device = Device::new(1);
    device.activate(activation(1), None);
    let opened = Request::open(&device.request()).unwrap();
    let position = Position { epoch: 2, sequence: 9 };
    let record = DeviceRecord { retired: true, position, ..DeviceRecord::new(opened.key, 2, NOW) };
    let facts = Facts {
        issuer: ISSUER,
        epoch: 2,
        device: Some(record),
        known_from: None,
        known: Known::default(),
        results: BTreeMap::new(),
        licenses: BTreeMap::new(),
    };
    let decision = decide(&facts, &opened, NOW, [0; 8]).unwrap();
    assert_eq!(disposition(&decision.response), Disposition::Retired);
    assert!(decision.response.results.is_empty() && decision.holdings.is_empty());
    let GrantContent::New(grant) = decision.grant else { panic!("no grant was signed before") };
    assert_eq!((grant.position, grant.tokens.len()), (position, 0));
}
