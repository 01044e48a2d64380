//! `POST /v1/responses`: a response that was carried by hand, raw or in armor.

use crate::front::command;
use crate::http::face::Face;
use crate::http::route::Answering;
use crate::http::{input, reply};
use hyper::Request;
use hyper::body::Incoming;
use landfast_protocol::frame::MAX_FRAME;
use std::sync::Arc;

/// A frame of the largest size in armor.
const LARGEST: usize = MAX_FRAME * 3 / 2;

/// Puts the response to the loop.
pub fn answer(face: Arc<Face>, request: Request<Incoming>) -> Answering {
    Box::pin(async move {
        let (head, body) = request.into_parts();
        let body = input::body(&head.headers, body, LARGEST, face.limits.body).await?;
        Ok(reply::json(&command::import(&face.desk, &body).await?))
    })
}
