//! `GET /v1/binding`: how the hardware compares with the one that was licensed, factor by factor, values masked.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use landfast_protocol::local::Bindings;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    let issuers = snapshot.issuers.iter().map(|view| shapes::binding(view)).collect();
    Ok(reply::json(&Bindings { issuers }))
}
