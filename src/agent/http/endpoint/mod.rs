//! One file per endpoint. `http::route` says which path leads here, and who may call.

pub mod binding;
pub mod check;
pub mod entitlements;
pub mod events;
pub mod healthz;
pub mod history;
pub mod licenses;
pub mod metrics;
pub mod openapi;
pub mod pending;
pub mod requests;
pub mod responses;
pub mod runway;
pub mod status;
pub mod what_if;
