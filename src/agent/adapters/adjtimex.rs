//! What the kernel knows of its wall clock: adjtimex(2), which no safe wrapper in our tree offers.

#![expect(unsafe_code, reason = "one system call that takes a pointer to a plain structure")]

use std::io;
use std::mem::MaybeUninit;

/// From here on the kernel calls the wall clock's error unbounded, in microseconds: `NTP_PHASE_LIMIT`.
const UNBOUNDED: libc::c_long = 16_000_000;

/// Whether the kernel holds the wall clock for synchronised, by the rule of systemd-timedated's `NTPSynchronized`. Time
/// daemons tell it so; setting the clock by hand, or about nine hours without news from a daemon, end it.
pub(super) fn synchronized() -> io::Result<bool> {
    // SAFETY: `timex` is a C structure of integers, for which all-zero bytes are a valid value.
    let mut state: libc::timex = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the pointer is to a live, exclusively borrowed `timex`; `modes` is zero, so the kernel only writes to
    // it, within its size, and changes no clock.
    let answer = unsafe { libc::adjtimex(&mut state) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(bounded(state.maxerror))
}

/// `STA_UNSYNC` is not asked: daemons leave it set, too, to keep the kernel from writing the clock of the machine.
fn bounded(max_error: libc::c_long) -> bool {
    max_error < UNBOUNDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b10_a_clock_is_synchronised_while_its_error_is_bounded() {
        assert!(bounded(0) && bounded(15_999_999));
        assert!(
            !bounded(16_000_000),
            "what the kernel begins with, and goes back to when somebody sets the clock"
        );
        assert!(synchronized().is_ok(), "asking changes nothing and needs no right");
    }
}
