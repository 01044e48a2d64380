//! What the lab shows. Each scenario is a file of its own; the list is here.

mod clock;
mod hot_swap;
mod identity;
mod networks;
mod power;
mod screwdriver;

use super::site::Site;
use anyhow::Result;

/// One story with one field server.
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// The rows of the requirements that it shows.
    pub rows: &'static str,
    /// What happens and what comes of it, in a sentence.
    pub shows: &'static str,
    /// Whether it belongs to the short set, which `cargo xtask test` runs.
    pub short: bool,
    /// Plays it.
    pub play: fn(&mut Site<'_>) -> Result<()>,
}

/// Every scenario, in the order in which they run: first the short set, in which the longest come first, so that the
/// last one to begin is soon over.
pub const SCENARIOS: &[Scenario] = &[
    power::ANSWERS_LOST,
    screwdriver::EVERYTHING,
    hot_swap::SCENARIO,
    clock::WHILE_RUNNING,
    networks::ADDED,
    networks::THOUSANDS,
    screwdriver::DISK,
    screwdriver::NUMBERS,
    screwdriver::BOARD,
    screwdriver::BYTE_ORDER,
    identity::CLONED,
    identity::UNREADABLE,
    identity::TPM,
    clock::ACROSS_BOOTS,
    clock::EXPIRED,
    clock::MONTH_OFF,
    clock::NO_BATTERY,
    clock::EXCHANGE,
    clock::CONFIRMED,
    clock::ASLEEP,
    power::REQUESTS_LOST,
    power::ANYWHERE,
];
