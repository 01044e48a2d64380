//! io.landfast.Entitlements1: may a feature be used?

use crate::Timestamp;
use landfast_protocol::local::{Check, Rfc3339};

/// granted, quantity, issuer, license, state, reason, until (seconds since 1970, 0 for none), advice.
pub type Answer = (bool, u32, String, String, String, String, i64, String);
/// feature, issuer, seconds left (-1 without an end), reason of the end.
pub type Outlook = (String, String, i64, String);
/// The feature, then the answer.
pub type Entry = (String, bool, u32, String, String, String, String, i64, String);

/// io.landfast.Entitlements1
#[zbus::proxy(
    interface = "io.landfast.Entitlements1",
    default_service = "io.landfast.Agent1",
    default_path = "/io/landfast/Agent1",
    async_name = "EntitlementsProxy"
)]
pub trait Entitlements {
    /// May `quantity` of `feature` be used by `version`? An empty version or issuer stands for any, a quantity of 0
    /// for 1.
    fn check(&self, feature: &str, quantity: u32, version: &str, issuer: &str) -> zbus::Result<Answer>;

    /// Every feature, in order, each checked for one unit.
    fn list(&self) -> zbus::Result<Vec<Entry>>;

    /// Every feature, in order: how long one unit stays granted if nothing changes.
    #[zbus(property(emits_changed_signal = "false"))]
    fn runway(&self) -> zbus::Result<Vec<Outlook>>;

    /// What `Check` and `List` answer may have changed.
    #[zbus(signal)]
    fn changed(&self) -> zbus::Result<()>;
}

pub(super) fn entry(entry: Entry) -> Check {
    let (feature, granted, quantity, issuer, license, state, reason, until, advice) = entry;
    check(&feature, (granted, quantity, issuer, license, state, reason, until, advice))
}

/// The answer in the shape that the HTTP interface gives it.
pub(super) fn check(feature: &str, answer: Answer) -> Check {
    let (granted, quantity, issuer, license, state, reason, until, advice) = answer;
    Check {
        feature: feature.to_owned(),
        granted,
        quantity,
        issuer: given(issuer),
        license: license.parse().ok(),
        state,
        reason,
        until: time(until),
        advice: given(advice),
    }
}

/// D-Bus has no null: an empty text stands for it.
pub(super) fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// D-Bus has no null: 0 stands for it.
pub(super) fn time(seconds: i64) -> Option<Rfc3339> {
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(|seconds| Rfc3339(Timestamp(seconds)))
}
