//! The HTTP endpoints, one file each.
//!
//! | method | path | who may call it |
//! |---|---|---|
//! | POST | `/v1/exchange` | anyone: a request carries its own proof |
//! | GET | `/healthz` | anyone |

mod exchange;
mod health;
mod peers;
mod problem;
mod server;

pub use exchange::{MAX_BODY, REQUEST_TYPE, RESPONSE_TYPE};
pub use server::{Limits, serve};

use crate::Authority;
use crate::storage::Storage;
use axum::Router;
use axum::routing::{get, post};
use problem::Problem;
use std::sync::Arc;

/// All endpoints. `body_timeout` is how long a client may take to send a body.
pub fn router<S: Storage>(authority: Arc<Authority<S>>, body_timeout: std::time::Duration) -> Router {
    let exchange = exchange::Endpoint { authority: Arc::clone(&authority), body_timeout };
    Router::new()
        .route("/v1/exchange", post(exchange::answer::<S>).with_state(exchange))
        .route("/healthz", get(health::answer::<S>).with_state(authority))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
}
