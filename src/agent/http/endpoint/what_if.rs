//! `GET /v1/what-if?replace=PART&replace=PART`: what would become of the bindings if these parts were replaced.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use landfast_core::what_if::{MAX_PARTS, PARTS, Part};
use landfast_protocol::local::Prospects;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let named = target.repeated("replace", MAX_PARTS)?;
    if named.is_empty() {
        return Err(Fault::BadInput(format!("`replace` is missing; name {PARTS}")));
    }
    let parts: Result<Vec<Part>, String> = named.iter().map(|part| part.parse()).collect();
    let parts = parts.map_err(Fault::BadInput)?;
    let snapshot = face.desk.snapshot.load();
    let mut issuers = Vec::new();
    for view in &snapshot.issuers {
        let prospect = view.bench.replace(&parts).map_err(|none| Fault::BadInput(none.to_string()))?;
        issuers.push(shapes::prospect(view, prospect));
    }
    Ok(reply::json(&Prospects { issuers }))
}
