//! Ends connections whose peer asks nothing, or never gets to the end of its question.
//!
//! One beat for all connections looks whether anything was asked since the beat before, so a peer has between one
//! and two of them. It comes from a timer of the kernel and not of the runtime: while the runtime has a timer, each
//! of its waits has to be given an end, which makes every request measurably slower. Without connections nothing
//! beats.

use crate::adapters::Readable;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A beat that can be stopped.
#[derive(Debug)]
pub struct Beat {
    timer: Readable,
    period: Duration,
    beating: bool,
}

impl Beat {
    /// Stopped. Needs the runtime's context.
    pub fn new(period: Duration) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = Readable::watch(timerfd_create(TimerfdClockId::Monotonic, flags)?)?;
        Ok(Self { timer, period, beating: false })
    }

    /// Starts or stops it.
    pub fn set(&mut self, beating: bool) {
        if beating == self.beating {
            return;
        }
        let seconds = i64::try_from(self.period.as_secs()).unwrap_or(i64::MAX);
        let running = Timespec { tv_sec: seconds, tv_nsec: self.period.subsec_nanos().into() };
        let period = if beating { running } else { Timespec { tv_sec: 0, tv_nsec: 0 } };
        let value = Itimerspec { it_interval: period, it_value: period };
        match timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value) {
            Ok(_) => self.beating = beating,
            Err(error) => tracing::warn!(%error, "idle connections are not ended"),
        }
    }

    /// Waits for the next one.
    pub async fn struck(&self) {
        if let Err(error) = self.timer.expired().await {
            tracing::warn!(%error, "idle connections are not ended any more");
            std::future::pending::<()>().await;
        }
    }
}

/// How a connection gets on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Heads of requests that arrived, and answers that took their time.
    moves: AtomicU64,
    /// An answer is in the making, or never ends: the peer may be silent.
    busy: AtomicBool,
}

impl Progress {
    /// A request arrived, or an answer that took its time is ready.
    pub fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether an answer is in the making.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Called at each beat with what it gave at the beat before: none when the peer has dawdled since.
    pub fn since(&self, before: Option<u64>) -> Option<u64> {
        let moves = self.moves.load(Ordering::Relaxed);
        (before != Some(moves) || self.busy.load(Ordering::Relaxed)).then_some(moves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_or_waits_does_not_dawdle() {
        let progress = Progress::default();
        let fresh = progress.since(None);
        assert_eq!(fresh, Some(0));
        progress.moved();
        let asked = progress.since(fresh);
        assert_eq!(asked, Some(1));
        progress.set_busy(true);
        assert_eq!(progress.since(asked), Some(1));
        progress.set_busy(false);
        assert_eq!(progress.since(asked), None);
    }

    #[tokio::test]
    async fn a_beat_beats_until_it_is_stopped() {
        let mut beat = Beat::new(Duration::from_millis(1)).unwrap();
        beat.set(true);
        beat.struck().await;
        beat.struck().await;
        beat.set(false);
        beat.set(true);
        beat.struck().await;
    }
}
