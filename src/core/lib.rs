//! The device's state machine, sans-IO.
//!
//! One [`Machine`] per issuer. The shell gives it an [`Event`] and the [`Moment`] at which it happened, and gets
//! a [`Step`]: first a record to make durable, then effects to carry out, in that order and no other.
//! Nothing here reads a clock, draws randomness, touches a file or waits.

pub mod advice;
pub mod binding;
pub mod clock;
mod commands;
pub mod effect;
pub mod entitlement;
pub mod event;
mod exchange;
pub mod machine;
mod planned;
pub mod runway;
mod schedule;
pub mod sealing;
mod show;
pub mod state;
pub mod step;
mod vault;
pub mod view;
pub mod what_if;
mod work;

pub use clock::{BootId, Entropy, Moment};
pub use effect::{Effect, Refusal, Reply, Signal, Ticket};
pub use entitlement::{Decision, Query, Reason, Snapshot};
pub use event::{Carrier, Event, TransportFailure};
pub use machine::{Machine, Settings};
pub use step::{Record, Step, Store};
