//! `POST /v1/exchange`: a device's request in, the signed response out. Anyone may call it: the request is
//! signed by its device, and the answer is good for that device only.

use crate::Authority;
use crate::api::problem::Problem;
use crate::storage::{ExchangeError, Storage};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;

/// The media type of a request, raw or in armor.
pub const REQUEST_TYPE: &str = "application/vnd.landfast.request";
/// The media type of a response, raw.
pub const RESPONSE_TYPE: &str = "application/vnd.landfast.response";
/// The largest body that is read: the largest request in armor, and some room.
pub const MAX_BODY: usize = 128 * 1024;

/// What the endpoint works with.
pub struct Endpoint<S> {
    pub authority: Arc<Authority<S>>,
    pub body_timeout: Duration,
}

impl<S> Clone for Endpoint<S> {
    fn clone(&self) -> Self {
        Self { authority: Arc::clone(&self.authority), body_timeout: self.body_timeout }
    }
}

pub async fn answer<S: Storage>(
    State(endpoint): State<Endpoint<S>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim();
    if !media.eq_ignore_ascii_case(REQUEST_TYPE) {
        let detail = format!("send the request with content-type {REQUEST_TYPE}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type", detail));
    }
    let request = read(body, endpoint.body_timeout).await?;
    let response = endpoint.authority.exchange(&request).await.map_err(Problem::from)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(RESPONSE_TYPE)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, response).into_response())
}

async fn read(body: Body, timeout: Duration) -> Result<Vec<u8>, Problem> {
    let collected = tokio::time::timeout(timeout, Limited::new(body, MAX_BODY).collect()).await;
    let late = || {
        let detail = format!("the request did not arrive within {} seconds", timeout.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    };
    match collected.map_err(|_| late())? {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("a request has at most {MAX_BODY} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
        }
        Err(error) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "cut_off", format!("the body broke off: {error}")))
        }
    }
}

/// The status map.
impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Self {
        let code = error.code();
        match &error {
            ExchangeError::Frame(_) => Self::new(StatusCode::BAD_REQUEST, code, error.to_string()),
            ExchangeError::ForeignIssuer { .. } | ExchangeError::OutOfRange => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
            }
            ExchangeError::Busy => Self::passing(code, error.to_string(), 1),
            // What went wrong inside is in the log; a client can only wait.
            ExchangeError::Storage(_)
            | ExchangeError::Entropy(_)
            | ExchangeError::Sign(_)
            | ExchangeError::Limit(_) => {
                Self::passing(code, "the authority cannot answer now; send the same request again later", 30)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;
    use landfast_protocol::frame::FrameError;

    #[test]
    fn passing_trouble_says_when_to_come_back_and_tells_nothing_about_the_inside() {
        for error in [ExchangeError::Busy, StorageError::Closed.into()] {
            let response = Problem::from(error).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(header::RETRY_AFTER));
        }
        let inside = StorageError::Corrupt { what: "label", reason: "secret".to_owned() };
        let shown = serde_json::to_string(&Problem::from(ExchangeError::from(inside))).unwrap();
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn bad_messages_are_the_clients_fault() {
        let problem = Problem::from(ExchangeError::from(FrameError::Signature));
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        assert!(serde_json::to_string(&problem).unwrap().contains("\"code\":\"bad_signature\""));
    }
}
