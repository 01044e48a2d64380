//! `GET /v1/licenses`: what this device holds.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use landfast_protocol::local::Licenses;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    let held = snapshot
        .issuers
        .iter()
        .flat_map(|view| view.licenses.iter().map(|license| shapes::license(&view.name, license)));
    Ok(reply::json(&Licenses { licenses: held.collect() }))
}
