//! What a device sends: everything it still wants, and enough of its history to be told from a copy.

use crate::bounded::{List, Text};
use crate::codec::Body;
use crate::evidence::Evidence;
use crate::frame::{Frame, FrameError, Kind};
use crate::grant::{Position, RequestName};
use crate::ids::{Digest, IssuerId, Nonce, OperationId};
use crate::keys::PublicKey;
use crate::operation::{Operation, distinct};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How many operations one request carries at most.
pub const MAX_OPERATIONS: usize = 512;
/// How many of its own earlier requests a request lists.
pub const MAX_LISTED: usize = 16;

/// The last grant that the device applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Previous {
    /// Its position.
    pub position: Position,
    /// SHA-256 of its frame.
    pub digest: Digest,
    /// The counter of the executed request that it names; zero for none.
    pub executed: u64,
}

/// What the device's clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClockReport {
    /// The wall clock.
    pub wall: Timestamp,
    /// Licensing time.
    pub licensing: Timestamp,
    /// Whether the wall clock is trusted now.
    pub trusted: bool,
}

/// What kind of system asks. It identifies nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SystemDescription {
    /// Release of the agent.
    pub agent: Text<32>,
    /// Operating system and version.
    pub os: Text<64>,
    /// Kernel release.
    pub kernel: Text<64>,
    /// Machine architecture.
    pub architecture: Text<16>,
    /// Number of CPUs.
    pub cpus: u16,
    /// Memory in MiB.
    pub memory_mib: u32,
}

/// How much of a feature the product needs here, as it reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Need {
    /// The feature.
    pub feature: Text<64>,
    /// How much of it.
    pub quantity: u32,
}

/// The device took over changed hardware by itself, as its grant allowed it to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanUsed {
    /// The operation that planned it.
    pub operation: OperationId,
    /// The hardware that was taken over. What changed since is judged against it.
    pub evidence: Evidence,
}

/// A device's request. The device's key is the signer of its frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// For which issuer.
    pub issuer: IssuerId,
    /// Names one sequence of bytes for ever; strictly increasing, gaps allowed.
    pub counter: u64,
    /// Makes the requests of two copies of one store different.
    pub nonce: Nonce,
    /// The last grant applied; none before the first.
    pub previous: Option<Previous>,
    /// Own requests from the one that the previous grant names up to this one, in order, without this one.
    /// When more were made, the newest [`MAX_LISTED`].
    pub listed: List<RequestName, MAX_LISTED>,
    /// The device's clocks.
    pub clock: ClockReport,
    /// What kind of system this is.
    pub system: SystemDescription,
    /// What the products on it need.
    pub needs: List<Need, 64>,
    /// A name for the device that its administrator chose to send.
    pub label: Option<Text<64>>,
    /// The hardware as it is now.
    pub evidence: Evidence,
    /// Set from the moment at which the device used a planned change until a grant knows of it.
    pub planned_change_used: Option<PlanUsed>,
    /// All operations without a final result, in the order they were made.
    pub operations: List<Operation, MAX_OPERATIONS>,
}

impl Body for Request {
    const KIND: Kind = Kind::Request;
    const MAX_BYTES: usize = 64 * 1024;
    fn check(&self) -> Result<(), &'static str> {
        self.evidence.check()?;
        if let Some(used) = &self.planned_change_used {
            used.evidence.check()?;
        }
        if self.counter == 0 {
            return Err("its counter is zero");
        }
        let in_order = self.listed.windows(2).all(|pair| pair[0].counter < pair[1].counter);
        if !in_order || self.listed.last().is_some_and(|last| last.counter >= self.counter) {
            return Err("the requests it lists are not in order");
        }
        if !distinct(self.operations.iter().map(|operation| operation.id)) {
            return Err("it carries an operation twice");
        }
        self.operations.iter().try_for_each(|operation| operation.action.check())
    }
}

/// A request whose signature holds, with its maker and its name.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The device's key.
    pub key: PublicKey,
    /// Counter and digest of the bytes.
    pub name: RequestName,
    /// The content.
    pub request: Request,
}

impl Request {
    /// Verifies and reads a request frame. It proves only that the holder of the key made it.
    pub fn open(bytes: &[u8]) -> Result<Opened, FrameError> {
        let frame = Frame::parse(bytes)?;
        frame.expect::<Self>()?;
        if !frame.chain().is_empty() {
            return Err(FrameError::Untrusted("a request carries no certificate".to_owned()));
        }
        let request: Self = frame.open()?;
        let name = RequestName { counter: request.counter, digest: Digest::of(bytes) };
        Ok(Opened { key: frame.signer(), name, request })
    }
}
