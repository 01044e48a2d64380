//! Stories over the real programs, named after the rows of the requirements that they show.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod bad_input;
mod hardware;
mod issuers;
mod life;
mod local;
mod planned;
mod store;
mod support;
mod transport;
