//! When to look at the hardware: after events have calmed down, after sleep, and when somebody asks. Where no events
//! can be heard, every few minutes.

use super::debounce::Debounce;
use crate::adapters::Readable;
use crate::desk::Answer;
use landfast_core::effect::Refusal;
use landfast_hardware::{ChangeError, ChangeSource, Collector};
use landfast_protocol::reading::HardwareReading;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

/// How long to wait before events are listened for again; twice as long after each failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(300);

/// Somebody who waits for a look.
pub(super) type Asker = oneshot::Sender<Result<Answer, Refusal>>;

/// What one look gave, and who waited for it.
pub(super) struct Look {
    pub reading: HardwareReading,
    pub askers: Vec<Asker>,
}

/// What the loop hears of the hardware.
pub(super) enum News {
    /// Somebody looked.
    Look(Look),
    /// Events cannot be heard, and why; none once they can again.
    Deaf(Option<String>),
}

/// Begins to listen for events.
pub(super) type Listen = Box<dyn Fn() -> Result<Box<dyn ChangeSource>, ChangeError> + Send>;

/// Where events come from.
enum Ears {
    /// Nobody tells.
    None,
    Hearing(Listen, Box<dyn ChangeSource>, Readable),
    /// Listening is tried again after a while.
    Deaf(Listen, Pin<Box<Sleep>>, Duration),
}

/// Watches for changes and looks.
pub(super) struct Watch {
    collector: Arc<Collector>,
    ears: Ears,
    /// The loop has not been told yet.
    untold: Option<Option<String>>,
    debounce: Debounce,
    /// A look that was begun before something happened does not show it: another follows.
    wanted: bool,
    waiting: Vec<Asker>,
    looking: Option<(JoinHandle<HardwareReading>, Vec<Asker>)>,
}

impl Watch {
    /// Needs the runtime's context. Without `listen` nothing is listened for.
    pub fn new(collector: Arc<Collector>, listen: Option<Listen>, quiet: Duration) -> Self {
        let mut watch = Self {
            collector,
            ears: Ears::None,
            untold: None,
            debounce: Debounce::new(quiet),
            wanted: false,
            waiting: Vec::new(),
            looking: None,
        };
        if let Some(listen) = listen {
            watch.listen(listen, FIRST_RETRY);
        }
        watch
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

    /// The next news. Can be given up and waited for again.
    pub async fn news(&mut self) -> News {
        loop {
            if let Some(told) = self.untold.take() {
                return News::Deaf(told);
            }
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
                        Ok(reading) => return News::Look(Look { reading, askers }),
                        Err(error) => tracing::error!(%error, "looking at the hardware failed"),
                    }
                }
                changed = changed(&mut self.ears) => match changed {
                    Ok(true) => self.debounce.touch(),
                    Ok(false) => {}
                    Err(reason) => self.hear_again(reason),
                },
                () = self.debounce.rung() => self.wanted = true,
            }
        }
    }
}

impl Watch {
    /// Listens anew, and looks: nobody knows what was missed.
    fn hear_again(&mut self, reason: Option<String>) {
        self.wanted = true;
        match std::mem::replace(&mut self.ears, Ears::None) {
            Ears::None => {}
            Ears::Deaf(listen, _, waited) => self.listen(listen, waited.saturating_mul(2).min(LAST_RETRY)),
            Ears::Hearing(listen, ..) => {
                self.tell(reason);
                self.ears = Ears::Deaf(listen, Box::pin(sleep(FIRST_RETRY)), FIRST_RETRY);
            }
        }
    }

    fn listen(&mut self, listen: Listen, retry: Duration) {
        let heard = listen().map_err(|error| error.to_string()).and_then(|source| {
            let readable = Readable::watch_duplicate(source.as_fd()).map_err(|error| error.to_string())?;
            Ok((source, readable))
        });
        self.ears = match heard {
            Ok((source, readable)) => {
                self.tell(None);
                Ears::Hearing(listen, source, readable)
            }
            Err(reason) => {
                self.tell(Some(reason));
                Ears::Deaf(listen, Box::pin(sleep(retry)), retry)
            }
        };
    }

    fn tell(&mut self, deaf: Option<String>) {
        if let Some(reason) = &deaf {
            tracing::warn!("{reason}");
        }
        self.untold = Some(deaf);
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

/// Whether the next news is a reason to look. An error is a reason to listen anew; it says why if that is news.
async fn changed(ears: &mut Ears) -> Result<bool, Option<String>> {
    let (source, readable) = match ears {
        Ears::None => return std::future::pending().await,
        Ears::Deaf(_, again, _) => {
            again.await;
            return Err(None);
        }
        Ears::Hearing(_, source, readable) => (source, readable),
    };
    let mut ready = readable.readable().await.map_err(|error| Some(error.to_string()))?;
    let news = source.drain().map_err(|error| Some(error.to_string()))?;
    ready.clear_ready();
    for event in &news.events {
        tracing::debug!(action = %event.action, device = %event.device, "hardware event");
    }
    Ok(news.rescan)
}
