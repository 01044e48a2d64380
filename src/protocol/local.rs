//! The JSON of the agent's local HTTP interface, as agent and client both see it.
//!
//! Readers ignore members that they do not know, and take a missing one for null, false, zero or empty, so that an
//! old client reads a new agent and the other way round. Words from closed lists travel as text for the same reason.
//! `docs/http.md` has the routes, who may call them, and examples.

mod outlook;
mod planned;
mod rfc3339;

pub use outlook::{Prospect, ProspectGroup, Prospects, Runway, Runways};
pub use planned::PlannedChange;
pub use rfc3339::{NotATime, Rfc3339};

use crate::ids::{DeviceId, IssuerId, LicenseId, OperationId};
use serde::{Deserialize, Serialize};

/// Where the agent listens unless it is configured otherwise.
pub const SOCKET: &str = "/run/landfast/agent.sock";

/// The answer to a check of one feature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// The feature that was asked for.
    pub feature: String,
    /// Use it, or not.
    pub granted: bool,
    /// How much of the feature is usable now.
    pub quantity: u32,
    /// Who grants it, or would; null when no issuer knows the feature.
    pub issuer: Option<String>,
    /// A license that carries the feature.
    pub license: Option<LicenseId>,
    /// `licensed`, `trial`, `grace`, `expired` or `none`.
    pub state: String,
    /// Why: `licensed`, `grace`, `advisory`, `returned`, `quantity_exceeded`, `version_exceeded`, `not_started`,
    /// `expired`, `binding_broken`, `lease_ended`, `on_hold`, `store_lost` or `not_licensed`.
    pub reason: String,
    /// Until when it stays granted if nothing changes; null for ever, or when denied.
    pub until: Option<Rfc3339>,
    /// The next step; null when there is nothing to do.
    pub advice: Option<String>,
}

/// `GET /v1/entitlements`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entitlements {
    /// Every feature that an issuer knows here, each checked for a quantity of one.
    pub entitlements: Vec<Check>,
}

/// `GET /v1/binding`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bindings {
    /// One verdict per issuer, in order of configuration.
    pub issuers: Vec<Binding>,
}

/// The verdict on the hardware, as one issuer's grant judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Binding {
    /// The issuer's configured name.
    pub issuer: String,
    /// `unbound`, `bound`, `drifted`, `broken` or `indeterminate`.
    pub state: String,
    /// Matched over readable weight, in thousandths.
    pub score_permille: u32,
    /// From this score on, bound.
    pub bound_permille: u16,
    /// From this score on, drifted.
    pub drifted_permille: u16,
    /// When the binding broke.
    pub broken_since: Option<Rfc3339>,
    /// Until when a broken binding stays granted.
    pub grace_until: Option<Rfc3339>,
    /// A swap of hardware that was announced; null while none is.
    pub planned_change: Option<PlannedChange>,
    /// Each group of evidence.
    pub groups: Vec<Group>,
    /// What it means and what to do.
    pub advice: String,
}

/// One group of evidence in a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// `board`, `tpm`, `soc`, `virtual`, `disks`, `network`, `cpu`, `chassis` or `machine_id`.
    pub group: String,
    /// `match`, `partial`, `changed`, `unreadable` or `not_enrolled`.
    pub state: String,
    /// What it counts.
    pub weight: u32,
    /// What of it was matched, in thousandths of a point.
    pub matched_milli: u32,
    /// What would make it match again; empty where it does.
    pub advice: String,
    /// Its factors as read now.
    pub factors: Vec<Factor>,
}

/// One factor as read now. Values are masked: the interface never shows a whole serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Factor {
    /// `product_uuid`, `board_serial`, `disk`, `network_card` and so on.
    pub factor: String,
    /// Where it was read: `eth0`, `sda`.
    pub source: String,
    /// `present`, `absent`, `unreadable` or `placeholder`.
    pub state: String,
    /// The value with its middle left out.
    pub masked: Option<String>,
    /// Why it does not count, where it does not.
    pub note: Option<String>,
}

/// `GET /v1/licenses`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Licenses {
    /// Every license held, less what was given back.
    pub licenses: Vec<License>,
}

/// One license held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct License {
    /// The issuer's configured name.
    pub issuer: String,
    /// Which license. It is derived from the activation id, which it does not reveal.
    pub license: LicenseId,
    /// The product.
    #[serde(default)]
    pub product: String,
    /// `perpetual`, `subscription` or `trial`.
    #[serde(default)]
    pub model: String,
    /// Units held here.
    #[serde(default)]
    pub quantity: u32,
    /// Start of the right.
    #[serde(default)]
    pub not_before: Rfc3339,
    /// End of the right; null for ever.
    #[serde(default)]
    pub not_after: Option<Rfc3339>,
    /// Until when the vendor supports it. Informs; ends no right.
    #[serde(default)]
    pub support_until: Option<Rfc3339>,
    /// What it grants.
    #[serde(default)]
    pub features: Vec<Feature>,
}

/// One feature of a license held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Feature {
    /// The name that applications check.
    pub name: String,
    /// How much of it, for all units held.
    pub quantity: u32,
    /// The newest version it may be used with: `2` admits every 2.x.
    pub version_limit: Option<String>,
    /// Never switched off.
    pub advisory: bool,
}

/// `GET /v1/history`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Oldest first.
    pub entries: Vec<HistoryEntry>,
}

/// One line of the device's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// The issuer's configured name.
    pub issuer: String,
    /// When, in licensing time.
    pub at: Rfc3339,
    /// A stable code such as `license_activated`.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// `GET /v1/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Release of the agent.
    pub version: String,
    /// `production`, or `development` where the issuer files are not guarded by root.
    pub trust: String,
    /// One entry per issuer, in order of configuration.
    pub issuers: Vec<IssuerStatus>,
}

/// How it stands with one issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerStatus {
    /// The issuer's configured name.
    pub name: String,
    /// The issuer's pinned id.
    pub id: IssuerId,
    /// This device at this issuer.
    pub device: DeviceId,
    /// The newest counter.
    #[serde(default)]
    pub counter: u64,
    /// Licensing time now.
    #[serde(default)]
    pub licensing_time: Rfc3339,
    /// The grant in force; null before the first.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// The verdict in short; `GET /v1/binding` explains it.
    #[serde(default)]
    pub binding: BindingSummary,
    /// A swap of hardware that was announced; null while none is.
    #[serde(default)]
    pub planned_change: Option<PlannedChange>,
    /// How many licenses are held.
    #[serde(default)]
    pub licenses: usize,
    /// How many operations have no final result yet.
    #[serde(default)]
    pub pending: usize,
    /// How it stands with the authority.
    #[serde(default)]
    pub contact: Contact,
    /// What needs a person.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

/// The grant in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// Rises when the authority's database was set back.
    pub epoch: u32,
    /// Rises with every executed request and every update.
    pub sequence: u64,
    /// When it was signed.
    pub issued_at: Rfc3339,
    /// When it ends unless reclaimed; null unless leased.
    pub lease_until: Option<Rfc3339>,
    /// Set while two copies of this device exist.
    pub hold: Option<Hold>,
}

/// A history that forked: two copies of this device exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hold {
    /// The case to resolve.
    pub case: String,
    /// Until when licenses stay granted.
    pub until: Rfc3339,
}

/// The verdict on the hardware in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindingSummary {
    /// `unbound`, `bound`, `drifted`, `broken` or `indeterminate`.
    pub state: String,
    /// Matched over readable weight, in thousandths.
    pub score_permille: u32,
    /// Until when a broken binding stays granted.
    pub grace_until: Option<Rfc3339>,
}

/// How it stands with the authority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// When the last response was applied.
    pub last_answer: Option<Rfc3339>,
    /// A request waits for its answer.
    pub waiting: bool,
    /// Attempts at it so far that failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// Its stable code.
    pub last_failure_code: Option<String>,
}

/// Something that needs a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alert {
    /// A stable code.
    pub code: String,
    /// What it is and what to do.
    pub message: String,
}

/// `GET /v1/requests`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PendingList {
    /// Operations without a final result, oldest first per issuer.
    pub pending: Vec<Pending>,
}

/// One operation on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The issuer's configured name.
    pub issuer: String,
    /// Which operation.
    pub operation: OperationId,
    /// `activate`, `return` or `plan_change`.
    #[serde(default)]
    pub action: String,
    /// Which license.
    #[serde(default)]
    pub license: Option<LicenseId>,
    /// Units; null for the usual share or for all.
    #[serde(default)]
    pub quantity: Option<u32>,
    /// When it was made, in licensing time.
    #[serde(default)]
    pub since: Rfc3339,
    /// The case that decides it, once the authority said so.
    #[serde(default)]
    pub case: Option<String>,
}

/// What `POST /v1/requests` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Take licenses.
    Activate,
    /// Give licenses back.
    Return,
    /// Get the latest license information.
    Reclaim,
    /// Announce a swap of hardware: the device takes it over by itself, once.
    PlanChange,
    /// Look at the hardware now.
    Rescan,
}

/// How a request travels to the authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carriage {
    /// The agent sends it, and tries until it is answered.
    #[default]
    Online,
    /// By hand: the reply holds the request.
    File,
}

/// The body of `POST /v1/requests`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// What to do.
    pub command: Verb,
    /// At which issuer, by its configured name. Null: the only one; with several, every one that is concerned.
    #[serde(default)]
    pub issuer: Option<String>,
    /// For activate and return: which licenses.
    #[serde(default)]
    pub licenses: Vec<LicenseChoice>,
    /// For return: everything that is held or still being activated.
    #[serde(default)]
    pub all: bool,
    /// For return: answer what would be returned, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// For a planned change: how long it may take until the swap, in seconds.
    #[serde(default)]
    pub window_seconds: Option<u64>,
    /// How the request travels.
    #[serde(default)]
    pub delivery: Carriage,
}

/// One license in a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LicenseChoice {
    /// An activation id; to return, also a license id or an unambiguous beginning of it with 8 digits or more.
    pub id: String,
    /// Units; null for the license's usual share, or to return all of them.
    pub quantity: Option<u32>,
}

/// The reply to `POST /v1/requests` and `POST /v1/responses`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandReply {
    /// What became of each operation.
    pub results: Vec<OperationResult>,
    /// Whether anything changed on this device.
    pub changed: bool,
    /// With delivery `file`: the request in armor, to be carried to the authority.
    pub request: Option<String>,
}

/// What became of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationResult {
    /// The issuer's configured name.
    pub issuer: String,
    /// Which operation; null for the effect of a command as a whole.
    pub operation: Option<OperationId>,
    /// `activate`, `return`, `reclaim` or `plan_change`.
    pub action: String,
    /// Which license.
    pub license: Option<LicenseId>,
    /// Units, where they are known: those that a dry run would return.
    pub quantity: Option<u32>,
    /// `done`, `denied`, `stale`, `pending` or, in a dry run, `possible`. Where a command went to several issuers,
    /// also `refused`: this one's refusal, as a problem document would have it.
    pub outcome: String,
    /// The stable code of a denial or refusal; the case of a pending operation.
    pub reason: Option<String>,
    /// The evidence, in a sentence.
    pub detail: Option<String>,
    /// The next step.
    pub advice: Option<String>,
}

/// Why a call failed: an RFC 9457 problem document (`application/problem+json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// `urn:landfast:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, in a sentence.
    pub detail: String,
    /// A stable code for programs.
    pub code: String,
    /// The next step.
    pub advice: String,
}

/// The data of the events `entitlements`, `licenses` and `operations`; `resync` has it without an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Changed {
    /// The issuer concerned; null for all.
    pub issuer: Option<String>,
}

/// The data of the event `binding`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindingChanged {
    /// The issuer concerned.
    pub issuer: String,
    /// The verdict before.
    pub from: String,
    /// The verdict now.
    pub to: String,
}
