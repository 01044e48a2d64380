//! `GET /v1/events`: server-sent events. They say what to read afresh, not what it says now.

use crate::front::Fault;
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::{events, reply};
use hyper::Response;
use hyper::header::{CACHE_CONTROL, HeaderValue};

/// Opens a stream.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let stream = events::open(face).ok_or(Fault::Full { what: "event streams", limit: face.max_streams })?;
    let body = Body::Stream(Box::pin(stream));
    let mut response = reply::with_type(body, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
