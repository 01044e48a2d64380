//! What all connections share: the desk, the limits, the counters.

use crate::desk::Desk;
use crate::http::route::{COUNT, ROUTES};
use hyper::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// How much and how long a caller may.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the head of a request, and for an idle connection until its next request; at most twice as long.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// How long a caller may leave an answer unread before it is dropped.
    pub stall: Duration,
    /// How long open calls may go on when the agent stops.
    pub farewell: Duration,
    /// Between comments on a silent event stream: rare, because each wakes the machine.
    pub keep_alive: Duration,
    /// The largest head of a request, in bytes; also the read buffer of a connection.
    pub head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            farewell: Duration::from_secs(3),
            keep_alive: Duration::from_secs(120),
            head_bytes: 16 * 1024,
        }
    }
}

/// The shared part.
pub struct Face {
    /// The way to the loop.
    pub desk: Desk,
    /// Limits in force.
    pub limits: Limits,
    /// How many event streams may be open: half of all connections, so that listeners leave room for checks.
    pub max_streams: usize,
    /// Open event streams.
    pub streams: Arc<AtomicUsize>,
    /// Becomes true when the agent stops.
    pub shutdown: watch::Receiver<bool>,
    requests: [Counts; COUNT + 1],
}

/// Answers of one route, by the first digit of the status: success, the caller's fault, ours.
#[derive(Default)]
struct Counts([AtomicU64; 3]);

impl Face {
    /// Nothing counted yet.
    pub fn new(desk: Desk, limits: Limits, max_connections: usize, shutdown: watch::Receiver<bool>) -> Self {
        Self {
            desk,
            limits,
            max_streams: (max_connections / 2).max(1),
            streams: Arc::default(),
            shutdown,
            requests: std::array::from_fn(|_| Counts::default()),
        }
    }

    /// Counts an answer; without a route, where none was found.
    pub fn count(&self, route: Option<usize>, status: StatusCode) {
        let class = match status.as_u16() {
            ..400 => 0,
            400..500 => 1,
            _ => 2,
        };
        let counts = self.requests.get(route.unwrap_or(COUNT));
        if let Some(count) = counts.and_then(|counts| counts.0.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Route path, method, class of status and count of everything that was answered so far.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, &str, &'static str, u64)> {
        let names =
            ROUTES.iter().map(|route| (route.path, route.method.as_str())).chain([("other", "other")]);
        names.zip(&self.requests).flat_map(|((path, method), counts)| {
            let classes = ["2xx", "4xx", "5xx"].into_iter().zip(&counts.0);
            classes.map(move |(class, count)| (path, method, class, count.load(Ordering::Relaxed)))
        })
    }
}
