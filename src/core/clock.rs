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
/// freezes while the machine runs, and runs backwards only when signed authority time proves that it was ahead.
/// `docs/adr/0005-licensing-time.md` has the rules and their reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeBase {
    /// Licensing time when the mark was set.
    licensing: Timestamp,
    /// Boot clock when the mark was set.
    boot: Duration,
    /// The boot in which the mark was set.
    boot_id: BootId,
    /// Wall clock when the mark was set, right or wrong.
    wall: Timestamp,
    /// Wall and boot clock at an instant of this boot when the wall clock was believed; none while no instant of
    /// this boot could be believed.
    anchor: Option<(Timestamp, Duration)>,
}

/// Time that the authority signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTime {
    /// When the authority signed its answer.
    pub issued_at: Timestamp,
    /// Licensing time when this device asked for it; none where it did not ask, or does not know any more.
    pub asked_at: Option<Timestamp>,
}

impl TimeBase {
    /// The first mark of a new device: there is nothing to compare the wall clock with.
    #[must_use]
    pub fn first(now: &Moment) -> Self {
        let anchor = Some((now.wall, now.boot));
        Self { licensing: now.wall, boot: now.boot, boot_id: now.boot_id, wall: now.wall, anchor }
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
        now.synchronized || self.expected(now).is_some_and(|expected| now.wall <= expected.after(JUMP))
    }

    /// Sets the mark to now. In a new boot the wall clock tells for how long the machine was switched off.
    #[must_use]
    pub fn advance(&self, now: &Moment, max_off: Duration) -> Self {
        let carried = if now.boot_id == self.boot_id { *self } else { self.boot_anew(now, max_off) };
        let anchor = if now.synchronized { Some((now.wall, now.boot)) } else { carried.anchor };
        let carried = Self { anchor, ..carried };
        Self { licensing: carried.now(now), boot: now.boot, boot_id: now.boot_id, wall: now.wall, anchor }
    }

    /// Takes a newer signed authority time. Nothing is earlier than what was signed. Licensing time is corrected
    /// downwards if the answer was signed before it was asked for: then it was ahead when it was asked for, and so
    /// was a wall clock that it followed.
    #[must_use]
    pub fn certify(&self, signed: SignedTime, now: &Moment) -> Self {
        let SignedTime { issued_at, asked_at } = signed;
        let time = self.now(now);
        let ahead = asked_at.is_some_and(|asked| asked > issued_at.after(JUMP));
        // It was signed after it was asked for, so no more time has passed since.
        let latest = asked_at.map(|asked| issued_at.after(time.since(asked)));
        let possible = |clock: Timestamp| {
            clock.after(JUMP) >= issued_at && latest.is_none_or(|latest| clock <= latest.after(JUMP))
        };
        let agrees = now.wall.0.abs_diff(issued_at.0) <= JUMP.0;
        let refuted = self.trusts_wall(now) && latest.is_some_and(|latest| now.wall > latest.after(JUMP));
        let anchor = match self.anchor {
            _ if now.synchronized || agrees => Some((now.wall, now.boot)),
            anchor if !refuted && self.expected(now).is_some_and(possible) => anchor,
            _ => None,
        };
        let licensing = if ahead { issued_at } else { time.max(issued_at) };
        let certified = Self { licensing, boot: now.boot, boot_id: now.boot_id, wall: now.wall, anchor };
        Self { licensing: certified.now(now), ..certified }
    }

    /// What the wall clock shows now if nobody has set it since it was believed.
    fn expected(&self, now: &Moment) -> Option<Timestamp> {
        let (wall, boot) = self.anchor.filter(|_| now.boot_id == self.boot_id)?;
        Some(wall.after(Duration(now.boot.0.saturating_sub(boot.0))))
    }

    /// The mark at the beginning of this boot. The machine was off for as long as the wall clock is ahead of the
    /// mark, or of itself at the mark if it was wrong and nobody has corrected it: the shorter of what is possible.
    fn boot_anew(&self, now: &Moment, max_off: Duration) -> Self {
        let longest = max_off.0.saturating_add(now.boot.0);
        let since = |mark: Timestamp| now.wall.0.checked_sub(mark.0).filter(|off| *off <= longest);
        let right = since(self.licensing);
        let off = [right, since(self.wall)].into_iter().flatten().min().unwrap_or(0);
        let licensing = self.licensing.after(Duration(off.max(now.boot.0)));
        let believed = right.is_some() && now.wall <= licensing.after(JUMP);
        let anchor = believed.then_some((now.wall, now.boot));
        Self { licensing, boot: now.boot, boot_id: now.boot_id, wall: now.wall, anchor }
    }
}
