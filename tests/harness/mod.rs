//! The real programs as a user would start them.

mod agent;
mod authority;
mod binaries;
mod bus;
mod process;
mod wait;

pub use agent::{Agent, AgentOptions};
pub use authority::{Authority, Sale};
pub use binaries::{binary, build_directory, fault_binary};
pub use bus::Bus;
pub use process::{Process, Ran, run};
pub use wait::{DEADLINE, wait_for};

/// Says loudly that a test did not run, in the form that `cargo xtask test` counts.
pub fn skipped(test: &str, reason: &str) {
    eprintln!("SKIPPED: {test}: {reason}");
}

/// Whether this process may do everything.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
