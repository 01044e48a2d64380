//! Faults that are planted on purpose, in the harness and never in the product: each is one repair of the design
//! taken away again, and the simulation has to find it.

use landfast_protocol::operation::Operation;
use landfast_protocol::request::Previous;
use landfast_protocol::{CaseId, IssuerId, LicenseId, OperationId, Timestamp};
use serde::{Deserialize, Serialize};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store says that a record is durable and has not written it.
    PersistSkipped,
    /// The shell sends a request, and answers callers, before it replaces what checks read.
    PublishedAfterSend,
    /// Tombstones are not there any more after a restart.
    TombstonesLostAtRestart,
    /// A newer grant ends tombstones.
    GrantEndsTombstones,
    /// The authority does not look into its archive first.
    ArchiveNotAsked,
    /// The authority executes an operation whenever it appears.
    ResultsForgotten,
    /// The authority commits, and dies before the answer is signed and kept.
    AnswerNotKept,
    /// Two instances of the authority decide on what they read before the other one's commit.
    NotSerialized,
    /// An activation may take a license back that was reset before its device knew.
    StaleRuleMissing,
    /// The authority does not compare a request with those that were made before it.
    ForksNotSought,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::PersistSkipped,
        Self::PublishedAfterSend,
        Self::TombstonesLostAtRestart,
        Self::GrantEndsTombstones,
        Self::ArchiveNotAsked,
        Self::ResultsForgotten,
        Self::AnswerNotKept,
        Self::NotSerialized,
        Self::StaleRuleMissing,
        Self::ForksNotSought,
    ];
}

/// The front of a stored state, as far as the tombstones. What follows is kept as it is.
#[derive(Serialize, Deserialize)]
struct Front {
    format: u8,
    issuer: IssuerId,
    seed: [u8; 32],
    counter: u64,
    grant: Option<Vec<u8>>,
    previous: Option<Previous>,
    revocations: Option<Vec<u8>>,
    pending: Vec<(Operation, Timestamp, Option<CaseId>)>,
    tombstones: Vec<(OperationId, LicenseId, Option<u32>)>,
}

/// A stored state without its tombstones.
pub(crate) fn without_tombstones(state: &[u8]) -> Result<Vec<u8>, postcard::Error> {
    let (mut front, rest): (Front, &[u8]) = postcard::take_from_bytes(state)?;
    front.tombstones.clear();
    let mut changed = postcard::to_stdvec(&front)?;
    changed.extend_from_slice(rest);
    Ok(changed)
}
