//! Places where crash tests kill the agent.
//!
//! Only builds with the feature `fault-injection` have them. There, `LANDFAST_FAULT=BOUNDARY:N` aborts the process
//! when it passes the boundary for the N-th time, and `LANDFAST_FAULT_TRACE=FILE` gets the name of each boundary
//! passed, one a line, so that a test can enumerate them and tell when one was not reached.

/// Where the agent can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A record is about to be stored.
    PersistBefore,
    /// Its copy is durable, its transaction is not begun.
    PersistCopied,
    /// Its transaction is durable, its copy has not taken its place.
    PersistCommitted,
    /// It is stored.
    PersistAfter,
    /// A snapshot is about to be published.
    PublishBefore,
    /// It is published.
    PublishAfter,
    /// A request is about to be sent.
    SendBefore,
    /// It is handed to the transport.
    SendAfter,
    /// A caller is about to be answered.
    ReplyBefore,
    /// It is answered.
    ReplyAfter,
}

impl Boundary {
    /// Every boundary.
    pub const ALL: [Self; 10] = [
        Self::PersistBefore,
        Self::PersistCopied,
        Self::PersistCommitted,
        Self::PersistAfter,
        Self::PublishBefore,
        Self::PublishAfter,
        Self::SendBefore,
        Self::SendAfter,
        Self::ReplyBefore,
        Self::ReplyAfter,
    ];

    /// The name in `LANDFAST_FAULT` and in the trace.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PersistBefore => "persist.before",
            Self::PersistCopied => "persist.copied",
            Self::PersistCommitted => "persist.committed",
            Self::PersistAfter => "persist.after",
            Self::PublishBefore => "publish.before",
            Self::PublishAfter => "publish.after",
            Self::SendBefore => "send.before",
            Self::SendAfter => "send.after",
            Self::ReplyBefore => "reply.before",
            Self::ReplyAfter => "reply.after",
        }
    }
}

/// Passes a boundary.
#[cfg(not(feature = "fault-injection"))]
#[inline(always)]
pub fn pass(_: Boundary) {}

/// Passes a boundary: notes it in the trace, and aborts when it is the one that was asked for.
#[cfg(feature = "fault-injection")]
pub fn pass(boundary: Boundary) {
    use std::io::Write;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: [AtomicU64; Boundary::ALL.len()] = [const { AtomicU64::new(0) }; Boundary::ALL.len()];

    let name = boundary.name();
    let times = PASSED[boundary as usize].fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(path) = std::env::var_os("LANDFAST_FAULT_TRACE") {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // A trace that misses a line makes the test that reads it fail, which is what it is for.
        let _ = opened.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
    }
    let asked = std::env::var("LANDFAST_FAULT").ok();
    if asked
        .as_deref()
        .and_then(|asked| asked.split_once(':'))
        .is_some_and(|(which, number)| which == name && number.parse() == Ok(times))
    {
        std::process::abort();
    }
}
