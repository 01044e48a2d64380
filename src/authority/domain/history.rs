//! What happened, for ever: each entry carries the hash of the one before it.

use crate::domain::catalog::Name;
use crate::domain::fork::Fork;
use landfast_protocol::binding::Verdict;
use landfast_protocol::grant::{Model, Position};
use landfast_protocol::operation::DenialReason;
use landfast_protocol::{CaseId, DeviceId, Digest, IssuerId, LicenseId, OperationId, Text, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Something worth remembering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[expect(missing_docs, reason = "the fields are what their names and types say; each event has its sentence")]
pub enum Event {
    /// The authority was set up.
    Initialized { issuer: IssuerId, name: Name },
    /// A customer was created.
    OrganizationAdded { organization: Name },
    /// A product was created.
    ProductAdded { product: Name },
    /// A license was created.
    LicenseAdded {
        license: LicenseId,
        organization: Name,
        product: Name,
        model: Model,
        quantity: u32,
        devices: u32,
    },
    /// The terms of a license changed.
    LicenseChanged {
        license: LicenseId,
        quantity: u32,
        devices: u32,
        not_after: Option<Timestamp>,
        support_until: Option<Timestamp>,
    },
    /// The first request of a device arrived.
    DeviceAdded { device: DeviceId },
    /// A device's tokens are bound to its hardware.
    Enrolled { device: DeviceId, weight: u32 },
    /// The binding took over changed hardware of the same machine.
    Rebound { device: DeviceId, verdict: Verdict, score_permille: u32 },
    /// A device's administrator announced a swap of hardware.
    ChangePlanned { device: DeviceId, operation: OperationId, until: Timestamp },
    /// The device took over other hardware by itself, as was planned; how like the old hardware it is.
    ReboundByPlan { device: DeviceId, operation: OperationId, score_permille: u32 },
    /// A device took units of a license.
    Activated { device: DeviceId, license: LicenseId, operation: OperationId, units: u32, held: u32 },
    /// A device took more units of a license that was expanded.
    Expanded { device: DeviceId, license: LicenseId, units: u32, held: u32 },
    /// A device gave units back, proven by its signature.
    Returned {
        device: DeviceId,
        license: LicenseId,
        operation: OperationId,
        units: u32,
        held: u32,
        /// The device no longer matched its binding.
        binding_broken: bool,
    },
    /// An operation was refused.
    Denied {
        device: DeviceId,
        license: Option<LicenseId>,
        operation: OperationId,
        action: Text<16>,
        reason: DenialReason,
    },
    /// An activation did not know that its license had been taken from the device.
    Stale { device: DeviceId, license: LicenseId, operation: OperationId },
    /// A device's history is forked; a case was opened.
    ForkFound { device: DeviceId, case: CaseId, counter: u64, fork: Fork },
    /// A person answered a case: the history goes on.
    CaseResolved { device: DeviceId, case: CaseId },
    /// A device knows a grant that this database does not: was the database set back without a new epoch?
    UnknownGrantReported { device: DeviceId, reported: Position, held: Position },
    /// A license was taken from a device without the device's proof.
    LicenseReset { device: DeviceId, license: LicenseId, units: u32 },
    /// A license can no longer be activated.
    LicenseWithdrawn { license: LicenseId },
    /// A grant was issued unasked.
    UpdateIssued { device: DeviceId, position: Position },
    /// The database was set back, and a new epoch begun.
    EpochRaised { from: u32, to: u32 },
}

/// One entry before it is numbered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who: `device`, or `operator` and a name.
    pub actor: Text<80>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// The hash before the first entry.
pub const FIRST: Digest = Digest([0; 32]);

/// The hash of entry `number`, whose text is `text`, after an entry with hash `before`.
#[must_use]
pub fn link(before: &Digest, number: u64, text: &str) -> Digest {
    let hash = Sha256::new()
        .chain_update(b"landfast/1/history\0")
        .chain_update(before.0)
        .chain_update(number.to_be_bytes())
        .chain_update(text.as_bytes())
        .finalize();
    Digest(hash.into())
}

/// One entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From one, without gaps.
    pub number: u64,
    /// The entry as JSON.
    pub text: String,
    /// [`link`] of this entry.
    pub hash: Digest,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry was removed or put in.
    #[error("entry {expected} is missing, entry {found} stands in its place")]
    Gap {
        /// The number that should follow.
        expected: u64,
        /// The number that does.
        found: u64,
    },
    /// An entry, or one before it, was changed.
    #[error("entry {0} was changed: its hash does not follow from its text and the entry before it")]
    Changed(u64),
}

/// Follows a chain, entry by entry.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// How many entries were followed.
    pub length: u64,
    /// The hash of the last one.
    pub head: Digest,
}

impl Default for Chain {
    fn default() -> Self {
        Self { length: 0, head: FIRST }
    }
}

impl Chain {
    /// Numbers and hashes the next entry.
    pub fn append(&mut self, text: String) -> Link {
        let number = self.length + 1;
        let hash = link(&self.head, number, &text);
        *self = Self { length: number, head: hash };
        Link { number, text, hash }
    }

    /// Checks that `next` follows.
    pub fn follow(&mut self, next: &Link) -> Result<(), Broken> {
        let expected = self.length + 1;
        if next.number != expected {
            return Err(Broken::Gap { expected, found: next.number });
        }
        if link(&self.head, next.number, &next.text) != next.hash {
            return Err(Broken::Changed(next.number));
        }
        *self = Self { length: next.number, head: next.hash };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<Link> {
        let mut chain = Chain::default();
        ["a", "b", "c"].map(|text| chain.append(text.to_owned())).to_vec()
    }

    fn verdict(links: &[Link]) -> Result<(), Broken> {
        let mut chain = Chain::default();
        links.iter().try_for_each(|link| chain.follow(link))
    }

    #[test]
    fn an_untouched_chain_holds() {
        assert_eq!(verdict(&chain()), Ok(()));
    }

    #[test]
    fn every_kind_of_tampering_shows() {
        let mut changed = chain();
        changed[1].text = "x".to_owned();
        assert_eq!(verdict(&changed), Err(Broken::Changed(2)));
        let mut removed = chain();
        removed.remove(1);
        assert_eq!(verdict(&removed), Err(Broken::Gap { expected: 2, found: 3 }));
        let mut rehashed = chain();
        rehashed[1].text = "x".to_owned();
        rehashed[1].hash = link(&rehashed[0].hash, 2, "x");
        assert_eq!(verdict(&rehashed), Err(Broken::Changed(3)));
    }
}
