//! What the authority knows of one device, which is one key.

use landfast_protocol::binding::Verdict;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::{PlannedChange, Position, RequestName};
use landfast_protocol::keys::PublicKey;
use landfast_protocol::request::SystemDescription;
use landfast_protocol::{CaseId, DeviceId, LicenseId, Text, Timestamp};

/// A fork that no person has answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// Its number.
    pub id: CaseId,
    /// The tokens stay granted until then. Fixed when the case is opened.
    pub until: Timestamp,
}

/// The authority's record of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Its key.
    pub key: PublicKey,
    /// When its first request arrived.
    pub first_seen: Timestamp,
    /// When its newest request arrived.
    pub last_seen: Timestamp,
    /// The name that its administrator chose to send.
    pub label: Option<Text<64>>,
    /// What its newest request said about the system.
    pub system: SystemDescription,
    /// Where its newest grant stands, signed or not.
    pub position: Position,
    /// The newest executed request; after a case was resolved, the newest known one.
    pub seen: Option<RequestName>,
    /// The known request with the highest counter.
    pub highest: Option<RequestName>,
    /// Requests that know no grant from here on execute nothing: they were made before a case was resolved.
    pub cut: Position,
    /// The key is no longer used.
    pub retired: bool,
    /// Set while its history is forked.
    pub case: Option<OpenCase>,
    /// What its tokens are bound to.
    pub binding: Option<Evidence>,
    /// A swap of hardware that its administrator announced, until the device used it.
    pub planned: Option<PlannedChange>,
    /// How the newest executed request compared with the binding.
    pub verdict: Option<Verdict>,
    /// When a leased grant ends.
    pub lease_until: Option<Timestamp>,
    /// Where the newest signed grant stands; another than `position` when one has to be signed.
    pub granted: Option<Position>,
}

impl DeviceRecord {
    /// A device that was never heard of.
    #[must_use]
    pub fn new(key: PublicKey, epoch: u32, now: Timestamp) -> Self {
        Self {
            key,
            first_seen: now,
            last_seen: now,
            label: None,
            system: SystemDescription::default(),
            position: Position { epoch, sequence: 0 },
            seen: None,
            highest: None,
            cut: Position::default(),
            retired: false,
            case: None,
            binding: None,
            planned: None,
            verdict: None,
            lease_until: None,
            granted: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.key.device()
    }

    /// The counter of the newest executed request; zero before the first.
    #[must_use]
    pub fn seen_counter(&self) -> u64 {
        self.seen.map_or(0, |name| name.counter)
    }

    /// The next grant stands above all that were issued.
    pub fn advance(&mut self) {
        self.position.sequence += 1;
    }

    /// After the database was set back, everything stands in the new epoch.
    pub fn enter_epoch(&mut self, epoch: u32) {
        if self.position.epoch < epoch {
            self.position.epoch = epoch;
            self.advance();
        }
    }
}

/// What one device holds of one license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The device.
    pub device: DeviceId,
    /// The license.
    pub license: LicenseId,
    /// Units held; zero is kept for the sake of `taken_at`.
    pub units: u32,
    /// It took its share, whatever that is, and follows it when the license is expanded.
    pub by_share: bool,
    /// The first grant without it, after it was taken without the device's proof.
    pub taken_at: Option<Position>,
}
