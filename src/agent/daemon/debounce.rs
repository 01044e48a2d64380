//! Waiting until a storm of events is over.

use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// After so many quiet times it is not waited any longer for quiet.
const PATIENCE: u32 = 10;

/// Rings once events have been quiet for a time, or have not been quiet for ten times as long.
pub(super) struct Debounce {
    quiet: Duration,
    until_quiet: Option<Pin<Box<Sleep>>>,
    at_the_latest: Option<Pin<Box<Sleep>>>,
}

impl Debounce {
    pub fn new(quiet: Duration) -> Self {
        Self { quiet, until_quiet: None, at_the_latest: None }
    }

    /// An event happened.
    pub fn touch(&mut self) {
        self.until_quiet = Some(Box::pin(sleep(self.quiet)));
        self.at_the_latest.get_or_insert_with(|| Box::pin(sleep(self.quiet * PATIENCE)));
    }

    /// Waits for it to ring; for ever while nothing happened. Can be given up and waited for again.
    pub async fn rung(&mut self) {
        match (&mut self.until_quiet, &mut self.at_the_latest) {
            (Some(quiet), Some(latest)) => tokio::select! {
                () = quiet => {}
                () = latest => {}
            },
            _ => std::future::pending().await,
        }
        self.until_quiet = None;
        self.at_the_latest = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_rings_once_after_events_and_never_without() {
        let mut debounce = Debounce::new(Duration::from_millis(1));
        debounce.touch();
        debounce.touch();
        debounce.rung().await;
        let pending = tokio::select! {
            biased;
            () = debounce.rung() => false,
            () = std::future::ready(()) => true,
        };
        assert!(pending);
    }

    #[tokio::test]
    async fn a_storm_does_not_put_it_off_for_ever() {
        let mut debounce = Debounce::new(Duration::from_millis(20));
        loop {
            debounce.touch();
            // Each touch begins the quiet time anew; only the second limit can ring here.
            tokio::select! {
                biased;
                () = debounce.rung() => break,
                () = tokio::task::yield_now() => {}
            }
        }
    }
}
