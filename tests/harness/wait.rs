//! Waiting for a condition, never for a time.

use anyhow::{Result, bail};
use std::time::Duration;

/// Machines that run tests can be slow; a condition that takes longer never comes.
pub const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer; an error after [`DEADLINE`] says what was waited for.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T> {
    for _ in 0..DEADLINE.as_millis() / PAUSE.as_millis() {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        std::thread::park_timeout(PAUSE);
    }
    bail!("waited {} s in vain for: {what}", DEADLINE.as_secs())
}
