//! `GET /openapi.json`: this interface, described for programs.

use crate::front::Fault;
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::HeaderValue;

/// The committed file.
pub static DOCUMENT: &str = include_str!("../../openapi.json");

/// The file as it was committed.
pub fn answer(_: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    let body = Body::whole(Bytes::from_static(DOCUMENT.as_bytes()));
    Ok(reply::with_type(body, HeaderValue::from_static("application/json")))
}
