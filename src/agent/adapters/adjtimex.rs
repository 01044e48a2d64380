//! What the kernel knows of its wall clock: adjtimex(2), which no safe wrapper in our tree offers.

#![expect(unsafe_code, reason = "one system call that takes a pointer to a plain structure")]

use std::io;
use std::mem::MaybeUninit;

/// Whether the kernel holds the wall clock for synchronised. Time daemons tell it so; setting the clock by hand, or
/// about nine hours without news from a daemon, end it.
pub(super) fn synchronized() -> io::Result<bool> {
    // SAFETY: `timex` is a C structure of integers, for which all-zero bytes are a valid value.
    let mut state: libc::timex = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the pointer is to a live, exclusively borrowed `timex`; `modes` is zero, so the kernel only writes to
    // it, within its size, and changes no clock.
    let answer = unsafe { libc::adjtimex(&mut state) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0)
}
