//! When to look at the hardware: after events have calmed down, after sleep, and when somebody asks.

use super::debounce::Debounce;
use crate::adapters::Readable;
use crate::desk::Answer;
use landfast_core::effect::Refusal;
use landfast_hardware::{ChangeSource, Collector};
use landfast_protocol::reading::HardwareReading;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Somebody who waits for a look.
pub(super) type Asker = oneshot::Sender<Result<Answer, Refusal>>;

/// What one look gave, and who waited for it.
pub(super) struct Look {
    pub reading: HardwareReading,
    pub askers: Vec<Asker>,
}

/// Watches for changes and looks.
pub(super) struct Watch {
    collector: Arc<Collector>,
    changes: Option<(Box<dyn ChangeSource>, Readable)>,
    debounce: Debounce,
    /// A look that was begun before something happened does not show it: another follows.
    wanted: bool,
    waiting: Vec<Asker>,
    looking: Option<(JoinHandle<HardwareReading>, Vec<Asker>)>,
}

impl Watch {
    /// Needs the runtime's context.
    pub fn new(
        collector: Arc<Collector>,
        changes: Option<Box<dyn ChangeSource>>,
        quiet: Duration,
    ) -> io::Result<Self> {
        let changes = match changes {
            None => None,
            Some(source) => {
                let readable = Readable::watch_duplicate(source.as_fd())?;
                Some((source, readable))
            }
        };
        Ok(Self {
            collector,
            changes,
            debounce: Debounce::new(quiet),
            wanted: false,
            waiting: Vec::new(),
            looking: None,
        })
    }

    /// Something may have changed.
    pub fn touch(&mut self) {
        self.debounce.touch();
    }

    /// Somebody asks; that is not debounced.
    pub fn ask(&mut self, asker: Option<Asker>) {
        self.waiting.extend(asker);
        self.wanted = true;
    }

    /// The next look. Can be given up and waited for again.
    pub async fn look(&mut self) -> Look {
        loop {
            if self.wanted && self.looking.is_none() {
                self.wanted = false;
                let collector = Arc::clone(&self.collector);
                let looking = tokio::task::spawn_blocking(move || collector.collect());
                self.looking = Some((looking, std::mem::take(&mut self.waiting)));
            }
            tokio::select! {
                looked = looked(&mut self.looking) => {
                    let askers = self.looking.take().map(|(_, askers)| askers).unwrap_or_default();
                    match looked {
                        Ok(reading) => return Look { reading, askers },
                        Err(error) => tracing::error!(%error, "looking at the hardware failed"),
                    }
                }
                changed = changed(self.changes.as_ref()) => match changed {
                    Ok(true) => self.debounce.touch(),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!("{error}");
                        self.changes = None;
                    }
                },
                () = self.debounce.rung() => self.wanted = true,
            }
        }
    }
}

async fn looked(
    looking: &mut Option<(JoinHandle<HardwareReading>, Vec<Asker>)>,
) -> Result<HardwareReading, tokio::task::JoinError> {
    match looking {
        Some((handle, _)) => handle.await,
        None => std::future::pending().await,
    }
}

/// Whether the next news is a reason to look.
async fn changed(changes: Option<&(Box<dyn ChangeSource>, Readable)>) -> Result<bool, String> {
    let Some((source, readable)) = changes else { return std::future::pending().await };
    let mut ready = readable.readable().await.map_err(|error| error.to_string())?;
    let news = source.drain().map_err(|error| error.to_string())?;
    ready.clear_ready();
    for event in &news.events {
        tracing::debug!(action = %event.action, device = %event.device, "hardware event");
    }
    Ok(news.rescan)
}
