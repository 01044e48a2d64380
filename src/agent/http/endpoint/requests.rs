//! `POST /v1/requests`: activate, return, reclaim, plan a change, rescan.

use crate::front::{Fault, command};
use crate::http::face::Face;
use crate::http::route::Answering;
use crate::http::{input, reply};
use hyper::Request;
use hyper::body::Incoming;
use landfast_protocol::local::CommandRequest;
use serde_json::Value;
use std::sync::Arc;

/// Room for as many licenses as one request can carry.
const LARGEST: usize = 128 * 1024;

/// Puts the command to the loop.
pub fn answer(face: Arc<Face>, request: Request<Incoming>) -> Answering {
    Box::pin(async move {
        let (head, body) = request.into_parts();
        let body = input::body(&head.headers, body, LARGEST, face.limits.body).await?;
        let asked = understand(&body)?;
        drop(body);
        Ok(reply::json(&command::run(&face.desk, &asked).await?))
    })
}

/// Reads a command. A member that is unknown is refused: a misspelt `dry_run` would give licenses back.
fn understand(body: &[u8]) -> Result<CommandRequest, Fault> {
    let asked: CommandRequest = serde_json::from_slice(body).map_err(unreadable)?;
    let written: Value = serde_json::from_slice(body).map_err(unreadable)?;
    let known = serde_json::to_value(&asked).map_err(unreadable)?;
    if has_more(&written, &known) {
        let what = "the body has a member that no command has, see `CommandRequest` in /openapi.json";
        return Err(Fault::BadInput(what.to_owned()));
    }
    Ok(asked)
}

/// Whether an object in `written` has a member that its counterpart in `known` has not.
fn has_more(written: &Value, known: &Value) -> bool {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            written.iter().any(|(name, value)| known.get(name).is_none_or(|known| has_more(value, known)))
        }
        (Value::Array(written), Value::Array(known)) => {
            written.iter().zip(known).any(|(written, known)| has_more(written, known))
        }
        _ => false,
    }
}

/// Says where, and repeats nothing of the content: it may hold an activation id.
fn unreadable(error: serde_json::Error) -> Fault {
    let (line, column) = (error.line(), error.column());
    Fault::BadInput(format!("the body is not a command, see line {line}, column {column}"))
}
