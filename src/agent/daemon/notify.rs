//! What the service manager is told (sd_notify(3)); without one, nothing.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The conversation with the service manager.
pub(super) struct Manager {
    watchdog: Option<Interval>,
    status: String,
}

impl Manager {
    /// Needs the runtime's context.
    pub fn new() -> Self {
        // Half the time that it waits, so that one late beat is no alarm.
        let watchdog = sd_notify::watchdog_enabled().map(|limit| limit / 2);
        let watchdog = watchdog.filter(|every| *every > Duration::ZERO).map(|every| {
            let mut beats = interval(every);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beats
        });
        Self { watchdog, status: String::new() }
    }

    /// Applications can connect.
    pub fn ready(&mut self, status: String) {
        tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
        self.status = status;
    }

    /// A line for `systemctl status`.
    pub fn status(&mut self, status: String) {
        if status != self.status {
            tell(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }

    /// The agent stops.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// The next beat of the watchdog; never without one. The loop that waits for it is what it watches.
    pub async fn beat(&mut self) {
        match &mut self.watchdog {
            Some(beats) => drop(beats.tick().await),
            None => std::future::pending().await,
        }
    }

    /// The loop is alive.
    pub fn alive(&self) {
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager was not told");
    }
}
