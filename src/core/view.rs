//! What the faces of the agent show of one issuer. Made by the machine, never changed, shared by reference.

use crate::clock::TimeBase;
use crate::entitlement::Features;
use crate::what_if::Bench;
use landfast_protocol::binding::GroupState;
use landfast_protocol::evidence::Group;
use landfast_protocol::grant::Position;
use landfast_protocol::{DeviceId, IssuerId, LicenseId, OperationId, Timestamp};
use serde::Serialize;

/// Everything about one issuer.
#[derive(Clone, Debug)]
pub struct IssuerView {
    /// The issuer's configured name.
    pub name: String,
    /// The issuer's pinned id.
    pub issuer: IssuerId,
    /// This device at this issuer.
    pub device: DeviceId,
    /// How licensing time runs on from here.
    pub time: TimeBase,
    /// Licensing time when this view was made.
    pub shown_at: Timestamp,
    /// Whether the wall clock was believed then.
    pub clock_trusted: bool,
    /// The last grant applied.
    pub grant: Option<GrantView>,
    /// The newest counter.
    pub counter: u64,
    /// The verdict on the hardware.
    pub binding: BindingView,
    /// A swap of hardware that was announced: open, or used and not yet known to the authority.
    pub planned_change: Option<PlanView>,
    /// For trying changes of the hardware out.
    pub bench: Bench,
    /// Licenses held, less those given back.
    pub licenses: Vec<LicenseView>,
    /// Operations without a final result.
    pub pending: Vec<PendingView>,
    /// The last attempt to reach the authority.
    pub contact: ContactView,
    /// What checks read.
    pub features: Features,
    /// Set when something needs a person: a stable code and a sentence with the next step.
    pub alerts: Vec<Alert>,
}

/// The grant in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantView {
    /// Epoch and sequence.
    #[serde(flatten)]
    pub position: Position,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// When it ends unless reclaimed; none unless leased.
    pub lease_until: Option<Timestamp>,
    /// The case that holds operations, and until when tokens stay granted.
    pub hold: Option<HoldView>,
}

/// A swap of hardware that was announced. The device takes the hardware over by itself, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// The operation that planned it.
    pub operation: OperationId,
    /// When the window closes.
    pub until: Timestamp,
    /// When the hardware was taken over; the plan is used up then.
    pub used_at: Option<Timestamp>,
}

/// A history that forked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// The case to resolve.
    pub case: String,
    /// End of the grace period.
    pub until: Timestamp,
}

/// The verdict on the hardware, with history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BindingState {
    /// Nothing is held, so nothing is bound.
    Unbound,
    /// The same machine.
    Bound,
    /// The same machine with parts replaced: granted; the next exchange re-binds.
    Drifted,
    /// Another machine: granted until the grace ends, then denied.
    Broken,
    /// Too little can be read to say.
    Indeterminate,
}

impl BindingState {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Bound => "bound",
            Self::Drifted => "drifted",
            Self::Broken => "broken",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// The verdict with everything that explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BindingView {
    /// The verdict.
    pub state: BindingState,
    /// Matched over readable weight, in thousandths.
    pub score_permille: u32,
    /// From here on, bound.
    pub bound_permille: u16,
    /// From here on, drifted.
    pub drifted_permille: u16,
    /// When the binding broke, in licensing time.
    pub broken_since: Option<Timestamp>,
    /// Until when a broken binding stays granted.
    pub grace_until: Option<Timestamp>,
    /// Each group.
    pub groups: Vec<GroupView>,
    /// In a sentence: what it means and what to do.
    pub advice: String,
}

/// One group of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupView {
    /// Which group.
    pub group: Group,
    /// How it compares.
    pub state: GroupState,
    /// What it counts.
    pub weight: u32,
    /// What of it was matched, in thousandths of a point.
    pub matched_milli: u32,
    /// What would make it match again; empty where it does.
    pub advice: String,
    /// The factors of the group as read now.
    pub factors: Vec<FactorView>,
}

/// One factor as read now, masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactorView {
    /// The factor's stable name.
    pub factor: &'static str,
    /// Where it was read: `eth0`, `sda`.
    pub source: String,
    /// `present`, `absent`, `unreadable` or `placeholder`.
    pub state: &'static str,
    /// The value with its middle left out.
    pub masked: Option<String>,
    /// Why it does not count, where it does not.
    pub note: Option<String>,
}

/// One license held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LicenseView {
    /// Which license.
    pub license: LicenseId,
    /// The product.
    pub product: String,
    /// `perpetual`, `subscription` or `trial`.
    pub model: &'static str,
    /// Units held here.
    pub quantity: u32,
    /// Start of the right.
    pub not_before: Timestamp,
    /// End of the right.
    pub not_after: Option<Timestamp>,
    /// End of support.
    pub support_until: Option<Timestamp>,
    /// Features with quantities and version limits.
    pub features: Vec<FeatureView>,
}

/// One feature of a license held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureView {
    /// The name.
    pub name: String,
    /// How much.
    pub quantity: u32,
    /// The newest version.
    pub version_limit: Option<String>,
    /// Never switched off.
    pub advisory: bool,
}

/// One operation on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingView {
    /// Which operation.
    pub operation: OperationId,
    /// `activate`, `return` or `plan_change`.
    pub action: &'static str,
    /// Which license; none where it is about none.
    pub license: Option<LicenseId>,
    /// Units; none for the usual share or for all.
    pub quantity: Option<u32>,
    /// When it was made, in licensing time.
    pub since: Timestamp,
    /// The case that decides it, once the authority said so.
    pub case: Option<String>,
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultView {
    /// Which operation; none for the effect of an import as a whole.
    pub operation: Option<OperationId>,
    /// `activate`, `return` or `plan_change`.
    pub action: &'static str,
    /// Which license.
    pub license: Option<LicenseId>,
    /// `done`, `denied`, `stale` or `pending`.
    pub outcome: &'static str,
    /// The stable code of a denial; the case of a pending one.
    pub reason: Option<String>,
    /// The evidence, in a sentence.
    pub detail: Option<String>,
    /// The next step.
    pub advice: Option<String>,
}

/// How it stands with the authority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContactView {
    /// When the last response was applied, in licensing time.
    pub last_answer: Option<Timestamp>,
    /// A request waits for its answer.
    pub waiting: bool,
    /// Attempts at it so far that failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// Its stable code.
    pub last_failure_code: Option<&'static str>,
}

/// Something that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// A stable code.
    pub code: &'static str,
    /// What it is and what to do.
    pub message: String,
}
