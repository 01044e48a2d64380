//! What the faces of the agent share with its loop: a snapshot to read, a queue to ask, a channel to listen.

use arc_swap::ArcSwap;
use landfast_core::effect::{Refusal, Reply, Signal};
use landfast_core::event::Selection;
use landfast_core::step::HistoryEntry;
use landfast_core::{Moment, Snapshot};
use landfast_protocol::{ActivationId, Duration, Timestamp};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};

/// A cheap handle that every face clones.
#[derive(Clone)]
pub struct Desk {
    /// What checks read. Replaced as a whole by the loop; never locked.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// Reads all clocks; cheap enough for the check path.
    pub clock: Arc<dyn Fn() -> Moment + Send + Sync>,
    /// Commands wait here, bounded; a full queue is a polite refusal (`busy`).
    pub commands: mpsc::Sender<Ask>,
    /// Signals of every issuer. A listener that lags is told to read afresh.
    pub signals: broadcast::Sender<(usize, Signal)>,
    /// How far the installation is trusted: `production` or `development`.
    pub trust: &'static str,
}

/// One command with its way back.
pub struct Ask {
    /// What is asked.
    pub command: Command,
    /// Which issuer, as an index into the snapshot; the face has resolved the name.
    pub issuer: usize,
    /// Where the answer goes. A caller that went away is no error.
    pub answer: oneshot::Sender<Result<Answer, Refusal>>,
}

/// What a face can ask of the loop.
pub enum Command {
    /// Take licenses.
    Activate {
        /// Ids and units.
        licenses: Vec<(ActivationId, Option<u32>)>,
        /// The request is carried by hand.
        by_file: bool,
    },
    /// Give licenses back.
    Return {
        /// Which.
        selection: Selection,
        /// The request is carried by hand.
        by_file: bool,
    },
    /// Get the latest.
    Reclaim {
        /// The request is carried by hand.
        by_file: bool,
    },
    /// Announce a swap of hardware.
    PlanChange {
        /// How long it may take until the swap.
        window: Duration,
        /// The request is carried by hand.
        by_file: bool,
    },
    /// Apply a response that was carried by hand.
    Import(Vec<u8>),
    /// Look at the hardware now.
    Rescan,
    /// Read the history.
    History {
        /// Only entries from here on.
        since: Option<Timestamp>,
        /// At most so many, the newest.
        limit: usize,
    },
}

/// What the loop answers.
#[derive(Clone)]
pub enum Answer {
    /// To Activate, Return, Reclaim, PlanChange, Import.
    Done(Reply),
    /// To Rescan.
    Rescanned,
    /// To History, oldest first.
    History(Vec<HistoryEntry>),
}
