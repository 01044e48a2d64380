//! Looking at the hardware, and hearing that it may have changed.

use super::DaemonError;
use crate::adapters::Readable;
use landfast_hardware::{ChangeSource, Collector, KernelChanges, RescanRequests, Root};
use landfast_protocol::Text;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::SystemDescription;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// A device that keeps changing is looked at all the same after so many quiet times.
const PATIENCE: u32 = 10;

pub struct Hardware {
    collector: Arc<Collector>,
    source: Box<dyn ChangeSource>,
    news: Option<Readable>,
    debounce: Duration,
    /// Runs out when it has been quiet after news; kept here so that no news is forgotten when the wait is given up.
    quiet: Option<Pin<Box<Sleep>>>,
    extended: u32,
}

impl Hardware {
    /// This machine, or a recorded one.
    pub fn of(sysroot: Option<&Path>, debounce: Duration) -> Result<Self, DaemonError> {
        let (collector, source): (_, Box<dyn ChangeSource>) = match sysroot {
            Some(root) => (Collector::of_recording(Root::new(root)), Box::new(RescanRequests::new()?)),
            None => {
                let collector = match std::env::var_os("CREDENTIALS_DIRECTORY") {
                    Some(credentials) => Collector::of_this_machine().with_credentials(credentials),
                    None => Collector::of_this_machine(),
                };
                match KernelChanges::listen() {
                    Ok(changes) => (collector, Box::new(changes)),
                    Err(error) => {
                        tracing::warn!("{error}");
                        (collector, Box::new(RescanRequests::new()?))
                    }
                }
            }
        };
        let watching = |source| DaemonError::System { operation: "watch for hardware changes", source };
        let news = Readable::watch_duplicate(source.as_fd()).map_err(watching)?;
        Ok(Self {
            collector: Arc::new(collector),
            source,
            news: Some(news),
            debounce,
            quiet: None,
            extended: 0,
        })
    }

    /// What goes into requests about this system.
    pub fn describe(&self) -> SystemDescription {
        let system = self.collector.describe();
        SystemDescription {
            agent: Text::lossy(env!("CARGO_PKG_VERSION")),
            os: Text::lossy(&system.os),
            kernel: Text::lossy(&system.kernel),
            architecture: Text::lossy(&system.architecture),
            cpus: u16::try_from(system.cpus).unwrap_or(u16::MAX),
            memory_mib: u32::try_from(system.memory_mib).unwrap_or(u32::MAX),
        }
    }

    /// Looks now. Slow disks do not hold up anybody else.
    pub async fn look(&self) -> Option<HardwareReading> {
        let collector = Arc::clone(&self.collector);
        match tokio::task::spawn_blocking(move || collector.collect()).await {
            Ok(reading) => Some(reading),
            Err(error) => {
                tracing::error!(%error, "the hardware could not be looked at");
                None
            }
        }
    }

    /// Waits until there was news of a device that may matter, and then until it is quiet.
    pub async fn changed(&mut self) {
        loop {
            let ran_out = async {
                match &mut self.quiet {
                    Some(quiet) => quiet.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ran_out => {
                    self.quiet = None;
                    return;
                }
                () = arrived(self.news.as_ref()) => {
                    if self.take_news() {
                        self.extend();
                    }
                }
            }
        }
    }

    fn extend(&mut self) {
        self.extended = if self.quiet.is_some() { self.extended + 1 } else { 0 };
        if self.extended < PATIENCE {
            self.quiet = Some(Box::pin(sleep(self.debounce)));
        }
    }

    /// Whether what came is a reason to look.
    fn take_news(&mut self) -> bool {
        match self.source.drain() {
            Ok(changes) => {
                for event in &changes.events {
                    tracing::debug!(?event, "a device changed");
                }
                changes.rescan
            }
            Err(error) => {
                tracing::warn!("{error}");
                self.news = None;
                true
            }
        }
    }
}

async fn arrived(news: Option<&Readable>) {
    let Some(news) = news else { return std::future::pending().await };
    match news.readable().await {
        // It is drained next; if there was nothing after all, the next wait starts afresh.
        Ok(mut ready) => ready.clear_ready(),
        Err(error) => {
            tracing::warn!(%error, "news of hardware changes cannot be waited for");
            std::future::pending().await
        }
    }
}
