//! The rules, as pure functions of facts and time: no I/O, no clock, no randomness, no SQL.
//!
//! A caller gathers [`exchange::Facts`], asks [`exchange::decide`], signs what it says and saves everything
//! in the same transaction.

pub mod binding;
pub mod catalog;
pub mod device;
pub mod exchange;
pub mod fork;
pub mod history;
pub mod intervention;
mod operations;
pub mod stranger;
mod tokens;
