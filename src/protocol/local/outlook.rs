//! What lies ahead: how long features stay granted, and what a change of the hardware would mean.

use super::Rfc3339;
use serde::{Deserialize, Serialize};

/// `GET /v1/runway`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runways {
    /// Every feature that an issuer knows here, in order.
    pub features: Vec<Runway>,
}

/// How long one unit of a feature stays granted if nothing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runway {
    /// The feature.
    pub feature: String,
    /// Whose license lasts longest.
    pub issuer: Option<String>,
    /// Seconds left: 0 when it is denied now, null without an end.
    pub seconds: Option<u64>,
    /// The end, in licensing time; null without one, or when it is denied now.
    pub until: Option<Rfc3339>,
    /// Why it is denied then, as in a check; why it is granted, where there is no end.
    pub reason: String,
    /// What to do about the end; null when there is none.
    pub advice: Option<String>,
}

/// `GET /v1/what-if?replace=`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prospects {
    /// One per issuer, in order of configuration.
    pub issuers: Vec<Prospect>,
}

/// What would become of the binding to one issuer's licenses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prospect {
    /// The issuer's configured name.
    pub issuer: String,
    /// The verdict now.
    pub state: String,
    /// Its score, in thousandths.
    pub score_permille: u32,
    /// The verdict that would follow: `unbound`, `bound`, `drifted`, `broken` or `indeterminate`.
    pub would_be: String,
    /// Its score, in thousandths.
    pub would_score_permille: u32,
    /// From this score on, bound.
    pub bound_permille: u16,
    /// From this score on, drifted.
    pub drifted_permille: u16,
    /// How long licenses would stay granted if it were broken, in seconds.
    pub grace_seconds: u64,
    /// Each group that is enrolled, as it would compare.
    pub groups: Vec<ProspectGroup>,
    /// What would be replaced.
    pub replaced: Vec<String>,
    /// Parts that count for nothing, and why.
    pub without_effect: Vec<String>,
    /// What it means and what to do first.
    pub advice: String,
}

/// One group of evidence, as it would compare.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProspectGroup {
    /// As in a verdict.
    pub group: String,
    /// As in a verdict.
    pub state: String,
    /// What it counts.
    pub weight: u32,
    /// What of it would match, in thousandths of a point.
    pub matched_milli: u32,
}
