//! One POST, and what its answer means.

use super::failure::{garbage, shown, unreachable};
use crate::config::Address;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use landfast_core::TransportFailure;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const REQUEST: &str = "application/vnd.landfast.request";
const RESPONSE: &str = "application/vnd.landfast.response";
/// A frame of the largest size in armor.
const MAX_ANSWER: usize = landfast_protocol::frame::MAX_FRAME * 3 / 2;
const MAX_PROBLEM: usize = 16 * 1024;
const READ_BUFFER: usize = 64 * 1024;

/// Sends the request and reads the answer.
pub(super) async fn post(
    stream: TlsStream<TcpStream>,
    address: &Address,
    request: &[u8],
) -> Result<Vec<u8>, TransportFailure> {
    let place = address.authority();
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(READ_BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(place, &error))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&address.endpoint)
        .header(HOST, place)
        .header(CONTENT_TYPE, REQUEST)
        .header(ACCEPT, RESPONSE)
        .header(CONNECTION, "close")
        .header(USER_AGENT, concat!("landfastd/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::copy_from_slice(request)))
        .map_err(|error| unreachable(place, error))?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| broken(place, &error))?;
        judge(place, response).await
    };
    let (connection, answer) = (std::pin::pin!(connection), std::pin::pin!(answer));
    match futures_util::future::select(answer, connection).await {
        futures_util::future::Either::Left((answer, _)) => answer,
        // The connection has ended; what it still had is in the answer's hands.
        futures_util::future::Either::Right((_, answer)) => answer.await,
    }
}

async fn judge(place: &str, response: Response<Incoming>) -> Result<Vec<u8>, TransportFailure> {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = media_type(header(CONTENT_TYPE).unwrap_or("nothing"));
    if status == StatusCode::OK {
        return if kind == RESPONSE {
            body(place, response, MAX_ANSWER).await
        } else {
            Err(garbage(place, format!("it answers with {}", shown(&kind))))
        };
    }
    if status.is_redirection() {
        let target = shown(header(LOCATION).unwrap_or("nowhere"));
        let advice = "put the right address into the issuer file";
        return Err(garbage(place, format!("it redirects to {target}; {advice}")));
    }
    let again = header(RETRY_AFTER).map(|after| format!(", asks to wait {} s", shown(after)));
    let again = again.unwrap_or_default();
    let said = match kind.as_str() {
        "application/problem+json" => problem(&body(place, response, MAX_PROBLEM).await.unwrap_or_default()),
        _ => None,
    };
    let passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        );
    match said {
        _ if passing => {
            let said = said.unwrap_or_else(|| format!("HTTP {status}"));
            Err(TransportFailure::Unavailable(format!("{place}: {said}{again}")))
        }
        Some(said) => Err(TransportFailure::Refused(format!("{place}: {said}"))),
        None => {
            let advice = "check the address in the issuer file";
            Err(garbage(place, format!("it answers with HTTP {status}; {advice}")))
        }
    }
}

/// `detail (code)` of an RFC 9457 document.
fn problem(bytes: &[u8]) -> Option<String> {
    let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| document.get(name).and_then(serde_json::Value::as_str).map(shown);
    let said = text("detail").or_else(|| text("title"))?;
    Some(match text("code") {
        Some(code) => format!("{said} ({code})"),
        None => said,
    })
}

/// Without parameters, in lower case.
fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

async fn body(place: &str, response: Response<Incoming>, limit: usize) -> Result<Vec<u8>, TransportFailure> {
    let too_large = || garbage(place, format!("its answer has more than {limit} bytes"));
    let body = response.into_body();
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) => Err(match error.downcast_ref::<hyper::Error>() {
            Some(error) => broken(place, error),
            None => too_large(),
        }),
    }
}

fn broken(place: &str, error: &hyper::Error) -> TransportFailure {
    if error.is_parse() {
        garbage(place, "it does not speak HTTP")
    } else if error.is_incomplete_message() {
        unreachable(place, "it closed the connection without a whole answer")
    } else {
        unreachable(place, format!("the connection broke off: {error}"))
    }
}
