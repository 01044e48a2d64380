//! landfastd: holds the licenses of this machine and answers applications.
//!
//! The shell around `landfast-core`: it turns what happens into events, makes records durable, and carries out the
//! effects in their order. It decides nothing by itself.

pub mod adapters;
pub mod config;
pub mod dbus;
pub mod desk;
pub mod faultpoint;
pub mod front;
pub mod http;
pub mod store;
pub mod transport;
