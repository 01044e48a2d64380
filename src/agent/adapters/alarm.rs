//! Waking at an instant of the boot clock, also after suspend, and noticing that the wall clock was set.

use super::readable::Readable;
use landfast_protocol::Duration;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;

/// Rings once, at an instant of the boot clock.
#[derive(Debug)]
pub struct Alarm {
    timer: Readable,
}

impl Alarm {
    /// Not set yet. Needs the runtime's context.
    pub fn new() -> io::Result<Self> {
        Ok(Self { timer: timer(TimerfdClockId::Boottime)? })
    }

    /// Rings at `at`, or never; replaces what was set before.
    pub fn set(&self, at: Option<Duration>) -> io::Result<()> {
        let seconds = at.map_or(0, |at| i64::try_from(at.0.max(1)).unwrap_or(i64::MAX));
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: seconds, tv_nsec: 0 },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &value)?;
        Ok(())
    }

    /// Waits until it rings.
    pub async fn rung(&self) -> io::Result<()> {
        self.timer.expired().await
    }
}

/// The wall clock was set, or the machine was asleep: either may have moved it against the boot clock.
#[derive(Debug)]
pub struct ClockSteps {
    timer: Readable,
}

impl ClockSteps {
    /// Begins to watch. Needs the runtime's context.
    pub fn watch() -> io::Result<Self> {
        let steps = Self { timer: timer(TimerfdClockId::Realtime)? };
        steps.arm()?;
        Ok(steps)
    }

    /// Waits for the next step.
    pub async fn stepped(&self) -> io::Result<()> {
        self.timer.expired().await?;
        self.arm()
    }

    /// A timer that is cancelled when the wall clock is set, far in the future, tells of nothing else.
    fn arm(&self) -> io::Result<()> {
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: i64::from(i32::MAX) * 4, tv_nsec: 0 },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&self.timer, flags, &value)?;
        Ok(())
    }
}

fn timer(clock: TimerfdClockId) -> io::Result<Readable> {
    Readable::watch(timerfd_create(clock, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::Clock;

    #[tokio::test(flavor = "current_thread")]
    async fn an_instant_that_has_passed_rings_at_once_and_one_to_come_rings_on_time() {
        let clock = Clock::new().unwrap();
        let alarm = Alarm::new().unwrap();
        alarm.set(Some(Duration(1))).unwrap();
        alarm.rung().await.unwrap();
        let at = Duration(clock.now().boot.0 + 1);
        alarm.set(Some(at)).unwrap();
        alarm.rung().await.unwrap();
        assert!(clock.now().boot >= at);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_alarm_that_was_taken_back_does_not_ring() {
        let alarm = Alarm::new().unwrap();
        alarm.set(Some(Duration(1))).unwrap();
        alarm.set(None).unwrap();
        let mut rung = std::pin::pin!(alarm.rung());
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::future::Future::poll(rung.as_mut(), context).is_pending())
        });
        assert!(pending.await);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn watching_for_clock_steps_begins_quietly() {
        let steps = ClockSteps::watch().unwrap();
        let mut stepped = std::pin::pin!(steps.stepped());
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(std::future::Future::poll(stepped.as_mut(), context).is_pending())
        });
        assert!(pending.await);
    }
}
