//! The vendor's side of Landfast: decides who holds what, signs it, and remembers it.
//!
//! [`domain`] holds the rules, [`storage`] the transactions, [`signer`] the key, [`api`] the HTTP endpoints and
//! [`commands`] the command line. [`Authority`] is all of it in one process.

pub mod adapters;
pub mod api;
mod authority;
pub mod commands;
pub mod domain;
pub mod home;
pub mod signer;
pub mod storage;

pub use authority::Authority;
