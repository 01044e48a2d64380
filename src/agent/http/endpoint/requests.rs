//! `POST /v1/requests`: activate, return, reclaim, rescan.

use crate::front::{Fault, command};
use crate::http::face::Face;
use crate::http::route::Answering;
use crate::http::{input, reply};
use hyper::Request;
use hyper::body::Incoming;
use landfast_protocol::local::CommandRequest;
use std::sync::Arc;

/// Room for as many licenses as one request can carry.
const LARGEST: usize = 128 * 1024;

/// Puts the command to the loop.
pub fn answer(face: Arc<Face>, request: Request<Incoming>) -> Answering {
    Box::pin(async move {
        let (head, body) = request.into_parts();
        let body = input::body(&head.headers, body, LARGEST, face.limits.body).await?;
        let asked: CommandRequest = serde_json::from_slice(&body).map_err(unreadable)?;
        // Activation ids are in there.
        drop(body);
        Ok(reply::json(&command::run(&face.desk, &asked).await?))
    })
}

/// Says where, and repeats nothing of the content: it may hold an activation id.
fn unreadable(error: serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    Fault::BadInput(format!("the body is not a command, see line {line}, column {column}"))
}
