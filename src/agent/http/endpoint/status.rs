//! `GET /v1/status`: everything that an administrator looks at first.

use crate::front::{Fault, shapes};
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;

/// Answers from the snapshot.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let snapshot = face.desk.snapshot.load();
    Ok(reply::json(&shapes::status(&snapshot, face.desk.trust, &(face.desk.clock)())))
}
