//! Waiting for conditions, with deadlines that leave room for a slow and busy host.

use crate::stopwatch::Stopwatch;
use anyhow::{Result, bail};
use std::time::Duration;

/// Until a machine has booted or shut down. Emulated, that takes half a minute when the host is quiet.
pub const BOOT: Duration = Duration::from_secs(600);
/// Until a command in a machine has ended.
pub const COMMAND: Duration = Duration::from_secs(180);
/// Until something has come about in a machine.
pub const CONDITION: Duration = Duration::from_secs(180);
/// Until a change of the hardware is signalled: the one deadline that is a requirement.
pub const SIGNAL: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let stopwatch = Stopwatch::start();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if stopwatch.elapsed() > deadline {
            bail!("waited {} s in vain for: {what}", deadline.as_secs());
        }
        std::thread::park_timeout(PAUSE);
    }
}
