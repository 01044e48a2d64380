//! The clocks of a simulated field server. True time is the world's; a server's wall clock may be wrong.

use landfast_core::{BootId, Moment};
use landfast_protocol::{Duration, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// The wall clock less true time, in seconds.
    shift: i64,
    synchronized: bool,
    booted: u64,
    boot: u64,
}

impl Clock {
    pub fn started(now: u64) -> Self {
        Self { shift: 0, synchronized: true, booted: now, boot: 1 }
    }

    /// Somebody sets the wall clock, and no time server says otherwise.
    pub fn set(&mut self, shift: i64) {
        (self.shift, self.synchronized) = (shift, false);
    }

    /// A time server is found.
    pub fn correct(&mut self) {
        (self.shift, self.synchronized) = (0, true);
    }

    pub fn reboot(&mut self, now: u64) {
        (self.booted, self.boot) = (now, self.boot + 1);
    }

    pub fn moment(&self, now: u64) -> Moment {
        let mut boot_id = [0; 16];
        boot_id[..8].copy_from_slice(&self.boot.to_le_bytes());
        Moment {
            wall: Timestamp(now.saturating_add_signed(self.shift)),
            boot: Duration(now.saturating_sub(self.booted)),
            boot_id: BootId(boot_id),
            synchronized: self.synchronized,
        }
    }
}
