//! All clocks of the machine at one instant.

use super::adjtimex;
use landfast_core::{BootId, Moment};
use landfast_protocol::{Duration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// systemd-timesyncd makes this file when it has set the clock; it serves where adjtimex(2) is not permitted.
const TIMESYNC: &str = "/run/systemd/timesync/synchronized";
/// How long the kernel's word on the wall clock is repeated without asking again.
const RECHECK_MS: i64 = 60_000;
/// A wall clock that moved against the boot clock by more than this was set: the kernel is asked at once. Time
/// daemons slew by at most 0.5 ms a second, which is 30 ms between two questions.
const STEP_MS: i64 = 500;

/// Why the clocks cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The kernel's name for this boot is hidden.
    #[error("cannot read {BOOT_ID}: {0}; give the agent a full /proc (no ProcSubset=pid)")]
    BootId(std::io::Error),
    /// It is there and is no UUID.
    #[error("{BOOT_ID} holds no boot id; give the agent the kernel's own /proc")]
    NoBootId,
}

/// Reads the clocks. Cheap enough for every check: two reads that need no system call, and a system call a minute.
#[derive(Debug)]
pub struct Clock {
    boot_id: BootId,
    synchronized: AtomicBool,
    /// Wall clock less boot clock when the kernel was asked last.
    offset_ms: AtomicI64,
    /// Boot clock when the kernel was asked last.
    asked_ms: AtomicI64,
}

impl Clock {
    /// Learns which boot this is.
    pub fn new() -> Result<Self, ClockError> {
        let text = std::fs::read_to_string(BOOT_ID).map_err(ClockError::BootId)?;
        let clock = Self {
            boot_id: parse_boot_id(&text).ok_or(ClockError::NoBootId)?,
            synchronized: AtomicBool::new(false),
            offset_ms: AtomicI64::new(0),
            asked_ms: AtomicI64::new(i64::MIN),
        };
        Ok(clock)
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        let wall = milliseconds(ClockId::Realtime);
        let boot = milliseconds(ClockId::Boottime);
        let offset = wall.saturating_sub(boot);
        let asked = self.asked_ms.load(Ordering::Relaxed);
        let stale = boot.saturating_sub(asked) >= RECHECK_MS
            || offset.abs_diff(self.offset_ms.load(Ordering::Relaxed)) > STEP_MS.unsigned_abs();
        if stale {
            self.synchronized.store(ask(), Ordering::Relaxed);
            self.offset_ms.store(offset, Ordering::Relaxed);
            self.asked_ms.store(boot, Ordering::Relaxed);
        }
        Moment {
            wall: Timestamp(seconds(wall)),
            boot: Duration(seconds(boot)),
            boot_id: self.boot_id,
            synchronized: self.synchronized.load(Ordering::Relaxed),
        }
    }
}

fn ask() -> bool {
    adjtimex::synchronized().unwrap_or_else(|_| Path::new(TIMESYNC).exists())
}

/// A wall clock before 1970 counts as 1970.
fn seconds(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds / 1000).unwrap_or(0)
}

fn milliseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}

fn parse_boot_id(text: &str) -> Option<BootId> {
    let digits: Vec<u8> = text.trim().bytes().filter(|byte| *byte != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(BootId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_run_forward() {
        let clock = Clock::new().unwrap();
        let (first, second) = (clock.now(), clock.now());
        assert_ne!(first.boot_id, BootId::default());
        assert_eq!(first.boot_id, second.boot_id);
        assert!(first.boot.0 > 0 && second.boot >= first.boot);
        assert!(first.wall.0 > 1_700_000_000, "the wall clock of this machine is not set");
    }

    #[test]
    fn a_set_clock_is_noticed_at_the_next_reading() {
        let clock = Clock::new().unwrap();
        let truth = clock.now().synchronized;
        clock.synchronized.store(!truth, Ordering::Relaxed);
        assert_eq!(clock.now().synchronized, !truth, "without a step the last word is repeated");
        clock.offset_ms.fetch_add(10_000, Ordering::Relaxed);
        assert_eq!(clock.now().synchronized, truth);
    }

    #[test]
    fn boot_ids_are_uuids() {
        let id = parse_boot_id("01234567-89ab-cdef-0123-456789abcdef\n").unwrap();
        assert_eq!(id.0[..4], [0x01, 0x23, 0x45, 0x67]);
        for text in ["", "01234567", "g1234567-89ab-cdef-0123-456789abcdef"] {
            assert_eq!(parse_boot_id(text), None);
        }
    }
}
