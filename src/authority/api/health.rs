//! `GET /healthz`: whether exchanges can be answered now. Anyone may call it; it says nothing else.

use crate::Authority;
use crate::api::problem::Problem;
use crate::storage::Storage;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub async fn answer<S: Storage>(State(authority): State<Arc<Authority<S>>>) -> Result<Response, Problem> {
    match authority.health().await {
        Ok(()) => Ok(([(header::CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#).into_response()),
        Err(error) => {
            tracing::error!(%error, "unhealthy");
            Err(Problem::passing(error.code(), "the authority cannot answer exchanges now", 30))
        }
    }
}
