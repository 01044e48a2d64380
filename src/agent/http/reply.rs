//! Responses: JSON, and problem documents after RFC 9457.

use crate::front::Fault;
use crate::http::body::Body;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use landfast_protocol::local::Problem;
use serde::Serialize;

/// JSON that is already written.
pub fn json_bytes(bytes: Vec<u8>) -> Response<Body> {
    with_type(Body::whole(bytes), HeaderValue::from_static("application/json"))
}

/// A value as JSON.
pub fn json<T: Serialize>(value: &T) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => json_bytes(bytes),
        Err(error) => {
            // The shapes hold nothing that JSON cannot, so this is a defect; it must not bring the agent down.
            tracing::error!(%error, "an answer could not be written as JSON");
            let mut response = Response::new(Body::whole(""));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// Any other content.
pub fn with_type(body: Body, content_type: HeaderValue) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Why a call failed.
pub fn problem(fault: &Fault) -> Response<Body> {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(&document(fault));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Fault::MethodNotAllowed { allowed } = fault
        && let Ok(allowed) = HeaderValue::from_str(allowed)
    {
        headers.insert(ALLOW, allowed);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

/// The document alone.
pub fn document(fault: &Fault) -> Problem {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Problem {
        kind: format!("urn:landfast:problem:{}", fault.code()),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: fault.to_string(),
        code: fault.code().to_owned(),
        advice: fault.advice(),
    }
}
