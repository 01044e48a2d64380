//! The stream of events of one listener. It buffers nothing of its own: what it has not read waits in the desk's
//! bounded channel, and a listener that falls behind is told to read afresh.

use crate::desk::Desk;
use crate::front::stopped;
use crate::http::face::Face;
use futures_util::Stream;
use hyper::body::Bytes;
use landfast_core::effect::Signal;
use landfast_protocol::local::{BindingChanged, Changed};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Opens a stream of events; none when there are too many already.
pub fn open(face: &Face) -> Option<impl Stream<Item = Bytes> + Send + 'static> {
    let place = Place::take(&face.streams, face.max_streams)?;
    let listener = Listener {
        signals: face.desk.signals.subscribe(),
        desk: face.desk.clone(),
        shutdown: face.shutdown.clone(),
        keep_alive: face.limits.keep_alive,
        greeted: false,
        _place: place,
    };
    Some(futures_util::stream::unfold(listener, |mut listener| async move {
        let bytes = listener.next().await?;
        Some((bytes, listener))
    }))
}

struct Listener {
    signals: Receiver<(usize, Signal)>,
    desk: Desk,
    shutdown: watch::Receiver<bool>,
    keep_alive: Duration,
    greeted: bool,
    _place: Place,
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(Bytes::from_static(b"retry: 2000\n\n"));
        }
        tokio::select! {
            signal = self.signals.recv() => match signal {
                Ok((issuer, signal)) => Some(describe(&self.desk, issuer, &signal)),
                Err(RecvError::Lagged(_)) => Some(event("resync", &Changed::default())),
                Err(RecvError::Closed) => None,
            },
            () = tokio::time::sleep(self.keep_alive) => Some(Bytes::from_static(b":\n\n")),
            () = stopped(&mut self.shutdown) => None,
        }
    }
}

fn describe(desk: &Desk, issuer: usize, signal: &Signal) -> Bytes {
    let issuer = desk.snapshot.load().issuers.get(issuer).map(|view| view.name.clone());
    match signal {
        Signal::EntitlementsChanged => event("entitlements", &Changed { issuer }),
        Signal::LicensesChanged => event("licenses", &Changed { issuer }),
        Signal::OperationsChanged => event("operations", &Changed { issuer }),
        Signal::BindingChanged { from, to } => {
            let (from, to) = (from.name().to_owned(), to.name().to_owned());
            event("binding", &BindingChanged { issuer: issuer.unwrap_or_default(), from, to })
        }
    }
}

/// One event as the stream format has it. JSON has no line breaks, so one `data` line holds it.
fn event<T: Serialize>(name: &str, data: &T) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// A place among the open streams, given back when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let taken = open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| (open < limit).then_some(open + 1));
        taken.ok().map(|_| Self(Arc::clone(open)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
