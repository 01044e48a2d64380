//! io.landfast.Entitlements1: may a feature be used? For everyone.
//!
//! Nothing waits on this way, so calls are answered in the order they come, without a task for each.

use crate::dbus::error::Trouble;
use crate::desk::Desk;
use crate::front::{Fault, shapes};
use landfast_core::entitlement::evaluate;
use landfast_core::runway::Runway;
use landfast_core::{Decision, Query};
use landfast_protocol::Duration;
use zbus::object_server::SignalEmitter;

/// The object.
pub struct Entitlements {
    pub desk: Desk,
}

/// From a closed list, or a fixed sentence.
type Word = &'static str;
/// granted, quantity, issuer, license, state, reason, until (seconds since 1970, 0 for none), advice.
type Answer = (bool, u32, String, String, Word, Word, i64, Word);
/// feature, issuer, seconds left (-1 without an end), reason of the end.
type Outlook = (String, String, i64, Word);
/// The feature, then the answer.
type Entry = (String, bool, u32, String, String, Word, Word, i64, Word);

#[zbus::interface(name = "io.landfast.Entitlements1", spawn = false, introspection_docs = false)]
impl Entitlements {
    /// May `quantity` of `feature` be used by `version`? An empty version or issuer stands for any, a quantity of 0
    /// for 1. A denial is an answer, not an error.
    #[expect(
        clippy::type_complexity,
        reason = "the names of the results go with a tuple that is written out"
    )]
    #[zbus(out_args("granted", "quantity", "issuer", "license", "state", "reason", "until", "advice"))]
    fn check(
        &self,
        feature: &str,
        quantity: u32,
        version: &str,
        issuer: &str,
    ) -> Result<(bool, u32, String, String, Word, Word, i64, Word), Trouble> {
        let given = |text: &'_ str| !text.is_empty();
        let version = given(version).then(|| version.parse()).transpose();
        let version = version.map_err(|wrong: &str| Fault::BadInput(wrong.to_owned()))?;
        let issuer = given(issuer).then_some(issuer);
        let snapshot = self.desk.snapshot.load();
        let query = Query { feature, quantity: quantity.max(1), version, issuer };
        Ok(answer(&evaluate(&snapshot, &query, &(self.desk.clock)())))
    }

    /// Every feature, in order, each checked for one unit.
    #[zbus(out_args("entitlements"))]
    fn list(&self) -> Vec<Entry> {
        let snapshot = self.desk.snapshot.load();
        let decisions = shapes::decisions(&snapshot, &(self.desk.clock)());
        let entry = |(feature, decision): (&str, Decision<'_>)| {
            let (granted, quantity, issuer, license, state, reason, until, advice) = answer(&decision);
            (feature.to_owned(), granted, quantity, issuer, license, state, reason, until, advice)
        };
        decisions.into_iter().map(entry).collect()
    }

    /// Every feature, in order: how long one unit stays granted if nothing changes. Read it afresh after `Changed`.
    #[zbus(property(emits_changed_signal = "false"))]
    fn runway(&self) -> Vec<Outlook> {
        let snapshot = self.desk.snapshot.load();
        let seconds = |left: Duration| i64::try_from(left.0).unwrap_or(i64::MAX);
        let outlook = |(feature, runway): (&str, Runway<'_>)| {
            let left = runway.left.map_or(-1, seconds);
            (feature.to_owned(), runway.issuer.to_owned(), left, runway.reason.code())
        };
        shapes::runways(&snapshot, &(self.desk.clock)()).into_iter().map(outlook).collect()
    }

    /// What Check and List answer may have changed.
    #[zbus(signal)]
    pub async fn changed(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

fn answer(decision: &Decision<'_>) -> Answer {
    let license = decision.license.map(|license| license.to_string()).unwrap_or_default();
    let until = decision.until.map_or(0, |at| i64::try_from(at.0).unwrap_or(i64::MAX));
    let reason = decision.reason.code();
    let issuer = decision.issuer.to_owned();
    (decision.granted, decision.quantity, issuer, license, decision.state, reason, until, decision.advice)
}
