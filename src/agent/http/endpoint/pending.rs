//! `GET /v1/requests`: operations that wait for their final result.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use landfast_protocol::local::PendingList;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    let pending = snapshot
        .issuers
        .iter()
        .flat_map(|view| view.pending.iter().map(|pending| shapes::pending(&view.name, pending)));
    Ok(reply::json(&PendingList { pending: pending.collect() }))
}
