//! `GET /healthz`: whether the agent works. 503 once its loop has ended.

use crate::front::Fault;
use crate::http::body::Body;
use crate::http::face::Face;
use crate::http::input::Target;
use crate::http::reply;
use hyper::Response;

/// Looks whether somebody still reads the queue of commands.
pub fn answer(face: &Face, target: Target<'_>) -> Result<Response<Body>, Fault> {
    let [] = target.parameters([])?;
    if face.desk.commands.is_closed() {
        return Err(Fault::Stopping);
    }
    Ok(reply::json_bytes(b"{\"status\":\"ok\"}".to_vec()))
}
