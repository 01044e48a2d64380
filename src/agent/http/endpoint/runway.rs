//! `GET /v1/runway`: how long each feature stays granted if nothing changes.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use landfast_protocol::local::Runways;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    let features = shapes::runways(&snapshot, &(face.desk.clock)());
    let shown = features.iter().map(|(feature, runway)| shapes::runway(feature, runway)).collect();
    Ok(reply::json(&Runways { features: shown }))
}
