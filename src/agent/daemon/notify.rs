//! What systemd is told. Elsewhere nobody listens, and nothing happens.

use sd_notify::NotifyState;
use std::time::Duration;

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear that the agent is alive, with room to be late.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|within| within / 2)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}
