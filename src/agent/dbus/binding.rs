//! io.landfast.Binding1: how the hardware compares with the one that was licensed. For everyone; values are masked.

use crate::desk::Desk;
use landfast_core::view::{BindingState, BindingView, GroupView, IssuerView};
use std::sync::Arc;
use zbus::object_server::SignalEmitter;

/// The object. With several issuers its state, score and threshold are those of the worst verdict; the factors are
/// listed for each.
pub struct Binding {
    pub desk: Desk,
}

/// issuer, group, state, weight, matched thousandths of a point, advice, and its factors as read now: factor,
/// source, state, masked value, note.
type Group = (String, &'static str, &'static str, u32, u32, String, Vec<Factor>);
type Factor = (&'static str, String, &'static str, String, String);

#[zbus::interface(name = "io.landfast.Binding1", introspection_docs = false)]
impl Binding {
    /// `unbound`, `bound`, `drifted`, `broken` or `indeterminate`.
    #[zbus(property)]
    fn state(&self) -> &'static str {
        self.worst(|worst| worst.state).unwrap_or(BindingState::Unbound).name()
    }

    /// Matched over readable weight, in thousandths.
    #[zbus(property(emits_changed_signal = "false"))]
    fn score(&self) -> u32 {
        self.worst(|worst| worst.score_permille).unwrap_or(0)
    }

    /// From this score on, in thousandths, the machine is the same.
    #[zbus(property(emits_changed_signal = "false"))]
    fn threshold(&self) -> u32 {
        self.worst(|worst| worst.bound_permille.into()).unwrap_or(0)
    }

    /// Each group of evidence, for each issuer.
    #[zbus(property(emits_changed_signal = "false"))]
    fn factors(&self) -> Vec<Group> {
        let snapshot = self.desk.snapshot.load();
        let groups = |view: &Arc<IssuerView>| {
            let issuer = view.name.clone();
            let of = view.binding.groups.iter().map(move |view| group(&issuer, view));
            of.collect::<Vec<_>>()
        };
        snapshot.issuers.iter().flat_map(groups).collect()
    }

    /// The state changed.
    #[zbus(signal)]
    pub async fn changed(emitter: &SignalEmitter<'_>, from: &str, to: &str) -> zbus::Result<()>;
}

impl Binding {
    fn worst<T>(&self, of: impl FnOnce(&BindingView) -> T) -> Option<T> {
        let snapshot = self.desk.snapshot.load();
        let bindings = snapshot.issuers.iter().map(|view| &view.binding);
        let worst = bindings.max_by_key(|binding| (rank(binding.state), u32::MAX - binding.score_permille));
        worst.map(of)
    }
}

/// How much a state needs attention.
pub fn rank(state: BindingState) -> u8 {
    match state {
        BindingState::Unbound => 0,
        BindingState::Bound => 1,
        BindingState::Indeterminate => 2,
        BindingState::Drifted => 3,
        BindingState::Broken => 4,
    }
}

fn group(issuer: &str, view: &GroupView) -> Group {
    let factors = view.factors.iter().map(|factor| {
        let (masked, note) =
            (factor.masked.clone().unwrap_or_default(), factor.note.clone().unwrap_or_default());
        (factor.factor, factor.source.clone(), factor.state, masked, note)
    });
    let (group, state) = (view.group.name(), view.state.name());
    (issuer.to_owned(), group, state, view.weight, view.matched_milli, view.advice.clone(), factors.collect())
}
