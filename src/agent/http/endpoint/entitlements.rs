//! `GET /v1/entitlements`: every feature, checked for one unit.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::{json, reply};
use hyper::Response;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    let mut bytes = b"{\"entitlements\":[".to_vec();
    for (at, (feature, decision)) in shapes::decisions(&snapshot, &(face.desk.clock)()).iter().enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        json::check(&mut bytes, feature, decision);
    }
    bytes.extend_from_slice(b"]}");
    Ok(reply::json_bytes(bytes))
}
