//! `GET /v1/history?since=&limit=&issuer=`: what happened to the licenses of this device.

use crate::front::{Fault, command};
use crate::http::face::Face;
use crate::http::input::{Target, number};
use crate::http::reply;
use crate::http::route::Answering;
use hyper::Request;
use hyper::body::Incoming;
use landfast_protocol::local::{NotATime, Rfc3339};
use std::sync::Arc;

/// Lines that are given when the caller does not say.
const USUAL: usize = 100;
/// Lines that are given at most.
const MOST: usize = 1000;

/// Asks the loop, which reads the store.
pub fn answer(face: Arc<Face>, request: Request<Incoming>) -> Answering {
    Box::pin(async move {
        let target = Target { tail: "", query: request.uri().query().unwrap_or("") };
        let [since, limit, issuer] = target.parameters(["since", "limit", "issuer"])?;
        let since = since.map(|text| text.parse::<Rfc3339>()).transpose();
        let since = since.map_err(|error: NotATime| Fault::BadInput(format!("`since`: {error}")))?;
        let limit = limit.map_or(Ok(USUAL), |text| number("limit", &text))?;
        if !(1..=MOST).contains(&limit) {
            return Err(Fault::BadInput(format!("`limit` is between 1 and {MOST}")));
        }
        let since = since.map(|Rfc3339(at)| at);
        let history = command::history(&face.desk, issuer.as_deref(), since, limit).await?;
        Ok(reply::json(&history))
    })
}
