//! A seeded simulation of field servers and authorities.
//!
//! The device is the real core with a store that keeps only what was committed; the authority is the real domain
//! on its memory store. Messages are files: every request that left a device and every response ever signed
//! exist for ever, and may be delivered at any time, any number of times, in any order, or never.
//! `docs/simulation.md` says what is simulated and how to read a trace.

pub mod agent;
mod apply;
pub mod authority;
mod clerk;
mod clock;
pub mod coverage;
pub mod deeds;
mod dice;
mod disk;
pub mod fault;
mod hands;
pub mod hardware;
pub mod image;
mod invariants;
mod ledger;
mod narrate;
pub mod plan;
pub mod rng;
pub mod run;
mod settle;
pub mod setup;
mod shadow;
pub mod violation;
pub mod world;
