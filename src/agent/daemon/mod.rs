//! The running agent: one loop that turns what happens into events, and effects into what happens.

mod debounce;
mod error;
mod event_loop;
mod hardware;
mod interpreter;
mod notify;
mod shown;
mod start;
mod worker;

pub use error::DaemonError;
pub use start::{configure, run};

#[cfg(test)]
mod tests;
