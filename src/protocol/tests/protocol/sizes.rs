//! What must stay small.

use crate::samples;
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::RequestName;
use landfast_protocol::request::{Need, PlanUsed, Request};
use landfast_protocol::{Digest, armor};

/// A QR code of the largest version that cameras read with ease (25, level L, bytes) holds 1,273 bytes.
#[test]
fn an_activation_request_for_one_license_stays_under_1200_bytes() {
    let names = |count: u64| {
        (0..count).map(|n| RequestName { counter: 1_000_000 + n, digest: Digest([7; 32]) }).collect()
    };
    for (listed, used) in [(0, false), (1, false), (2, false), (1, true)] {
        let taken_over = || PlanUsed { operation: samples::operation_id(9), evidence: samples::evidence() };
        let request = Request {
            counter: 2_000_000,
            previous: samples::later_request().previous.filter(|_| listed > 0),
            listed: samples::list(names(listed)),
            needs: samples::list(vec![Need { feature: samples::text("cameras"), quantity: 48 }]),
            label: Some(samples::text("Gate house, rack 2, upper server")),
            planned_change_used: used.then(taken_over),
            ..samples::first_request()
        };
        let sealed = Sealed::seal(&request, &samples::device(), &[]).unwrap();
        let raw = sealed.as_bytes().len();
        let text = armor::encode(sealed.as_bytes()).unwrap().len();
        println!(
            "activation request, {listed} listed, planned change used {used}: {raw} bytes raw, {text} in armor"
        );
        assert!(raw < 1200, "{raw}");
    }
}
