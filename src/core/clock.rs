//! Time and randomness as they enter the machine, and licensing time.

use landfast_protocol::{Digest, Duration, Nonce, Timestamp};
use serde::{Deserialize, Serialize};

/// A wall clock that gains more than this on the boot clock, without a trusted source, has jumped.
pub const JUMP: Duration = Duration(300);

/// Names one boot of the machine: the kernel's boot id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BootId(pub [u8; 16]);

/// All clocks of the machine at one instant, as the shell reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// Time since boot, suspend included.
    pub boot: Duration,
    /// Which boot.
    pub boot_id: BootId,
    /// The wall clock agrees with a time server, as the kernel says.
    pub synchronized: bool,
}

/// Randomness for one event: a seed that the shell draws, spread as needed.
#[derive(Clone)]
pub struct Entropy {
    seed: [u8; 32],
    drawn: u32,
}

impl Entropy {
    /// From 32 random bytes, used for one event only.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// 32 bytes that nobody without the seed can guess.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut input = Vec::with_capacity(64);
        input.extend_from_slice(b"landfast/1/entropy\0");
        input.extend_from_slice(&self.seed);
        input.extend_from_slice(&self.drawn.to_le_bytes());
        self.drawn += 1;
        let bytes = Digest::of(&input).0;
        zeroize::Zeroize::zeroize(&mut input);
        bytes
    }

    /// A nonce.
    pub fn nonce(&mut self) -> Nonce {
        let mut half = [0; 16];
        half.copy_from_slice(&self.bytes()[..16]);
        Nonce(half)
    }

    /// A number below `bound`, near enough to uniform for jitter.
    pub fn below(&mut self, bound: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h]) % bound.max(1)
    }
}
impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(…)")
    }
}

/// Licensing time of one issuer: a mark, and how it runs on from there.
///
/// It is the larger of the mark plus boot-clock time since, and, while it is trusted, the wall clock. It never
/// freezes while the machine runs, and runs backwards only when a newer signed authority time corrects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeBase {
    /// Licensing time when the mark was set.
    licensing: Timestamp,
    /// Boot clock when the mark was set.
    boot: Duration,
    /// The boot in which the mark was set.
    boot_id: BootId,
    /// Wall and boot clock at an instant of this boot when the wall clock was believed; none while no instant of
    /// this boot could be believed.
    anchor: Option<(Timestamp, Duration)>,
}

impl TimeBase {
    /// The first mark of a new device: there is nothing to compare the wall clock with.
    #[must_use]
    pub fn first(now: &Moment) -> Self {
        Self { licensing: now.wall, boot: now.boot, boot_id: now.boot_id, anchor: Some((now.wall, now.boot)) }
    }

    /// Licensing time now. The base must have been carried into this boot with [`TimeBase::advance`].
    #[must_use]
    pub fn now(&self, now: &Moment) -> Timestamp {
        let elapsed = if now.boot_id == self.boot_id {
            Duration(now.boot.0.saturating_sub(self.boot.0))
        } else {
            now.boot
        };
        let by_boot = self.licensing.after(elapsed);
        if self.trusts_wall(now) { by_boot.max(now.wall) } else { by_boot }
    }

    /// Whether the wall clock is believed now.
    #[must_use]
    pub fn trusts_wall(&self, now: &Moment) -> bool {
        if now.synchronized {
            return true;
        }
        match self.anchor {
            Some((wall, boot)) if now.boot_id == self.boot_id => {
                let expected = wall.0.saturating_add(now.boot.0.saturating_sub(boot.0));
                now.wall.0 <= expected.saturating_add(JUMP.0)
            }
            _ => false,
        }
    }

    /// Sets the mark to now. In a new boot the wall clock is believed up to `max_off` ahead of the mark: that long
    /// the machine may have been switched off.
    #[must_use]
    pub fn advance(&self, now: &Moment, max_off: Duration) -> Self {
        let same_boot = now.boot_id == self.boot_id;
        let plausible = !same_boot
            && now.wall >= self.licensing
            && now.wall.since(self.licensing) <= Duration(max_off.0.saturating_add(now.boot.0));
        let anchor = if now.synchronized || plausible {
            Some((now.wall, now.boot))
        } else if same_boot {
            self.anchor
        } else {
            None
        };
        let carried = Self { anchor, ..*self };
        let licensing =
            if !same_boot && anchor.is_some() { carried.now(now).max(now.wall) } else { carried.now(now) };
        Self { licensing, boot: now.boot, boot_id: now.boot_id, anchor }
    }

    /// Takes a newer signed authority time: it corrects the mark, also downwards. The wall clock is believed from
    /// here if it agrees.
    #[must_use]
    pub fn certify(&self, issued_at: Timestamp, now: &Moment) -> Self {
        let agrees = now.wall.0.abs_diff(issued_at.0) <= JUMP.0;
        let anchor = if agrees {
            Some((now.wall, now.boot))
        } else if now.boot_id == self.boot_id {
            self.anchor
        } else {
            None
        };
        let corrected = Self { licensing: issued_at, boot: now.boot, boot_id: now.boot_id, anchor };
        Self { licensing: corrected.now(now), ..corrected }
    }
}
