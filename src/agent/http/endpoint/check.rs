//! `GET /v1/entitlements/{feature}?quantity=&version=&issuer=`: may this feature be used?
//!
//! No disk, network, lock or queue is on this way. A denial is an answer like any other: status 200.

use crate::front::Fault;
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::{Target, decode, number};
use crate::http::{json, reply};
use hyper::Response;
use landfast_core::Query;
use landfast_core::entitlement::evaluate;

/// Feature names are no longer than this, in bytes; see `landfast_protocol::grant::Feature`.
const LONGEST_NAME: usize = 64;
/// Holds an answer without growing.
const TYPICAL: usize = 384;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let feature = decode(target.tail)?;
    if feature.len() > LONGEST_NAME {
        return Err(Fault::BadInput(format!("a feature's name has at most {LONGEST_NAME} bytes")));
    }
    let [quantity, version, issuer] = target.parameters(["quantity", "version", "issuer"])?;
    let quantity = quantity.map_or(Ok(1), |text| number("quantity", &text))?;
    if quantity == 0 {
        return Err(Fault::BadInput("`quantity` is at least 1".to_owned()));
    }
    let version = version.map(|text| text.parse()).transpose();
    let version = version.map_err(|wrong: &str| Fault::BadInput(wrong.to_owned()))?;
    let query = Query { feature: &feature, quantity, version, issuer: issuer.as_deref() };
    let snapshot = face.desk.snapshot.load();
    let decision = evaluate(&snapshot, &query, &(face.desk.clock)());
    let mut bytes = Vec::with_capacity(TYPICAL);
    json::check(&mut bytes, &feature, &decision);
    Ok(reply::json_bytes(bytes))
}
