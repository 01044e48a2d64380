//! What checks read: the views of all issuers, with what only the shell knows.

use arc_swap::ArcSwap;
use landfast_core::Snapshot;
use landfast_core::view::{Alert, IssuerView};
use std::sync::Arc;

/// The published snapshot and what it is made of.
pub(super) struct Shown {
    snapshot: Arc<ArcSwap<Snapshot>>,
    views: Vec<Arc<IssuerView>>,
    /// What happened to the store since the start, by issuer.
    incidents: Vec<Vec<Alert>>,
    /// The store does not take changes now.
    trouble: Option<String>,
    /// Changes of the hardware are not heard of now.
    deaf: Option<String>,
}

impl Shown {
    pub fn new(views: Vec<Arc<IssuerView>>, incidents: Vec<Vec<Alert>>) -> Self {
        let shown = Self { snapshot: Arc::default(), views, incidents, trouble: None, deaf: None };
        shown.publish_all();
        shown
    }

    pub fn snapshot(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.snapshot)
    }

    /// How many issuers there are.
    pub fn issuers(&self) -> usize {
        self.views.len()
    }

    /// Replaces what is shown of one issuer.
    pub fn publish(&mut self, issuer: usize, view: Arc<IssuerView>) {
        let Some(place) = self.views.get_mut(issuer) else { return };
        log_new_alerts(place, &view);
        *place = view;
        let mut snapshot = Snapshot::clone(&self.snapshot.load());
        if let Some(place) = snapshot.issuers.get_mut(issuer) {
            *place = self.decorated(issuer);
        }
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Shows what happened to the store from now on.
    pub fn happened(&mut self, alerts: Vec<Vec<Alert>>) {
        if alerts.iter().all(Vec::is_empty) {
            return;
        }
        for (shown, new) in self.incidents.iter_mut().zip(alerts) {
            // What keeps happening is shown as it was last.
            shown.retain(|alert| !new.iter().any(|new| new.code == alert.code));
            shown.extend(new);
        }
        self.publish_all();
    }

    /// Shows trouble with the store as long as it lasts.
    pub fn trouble(&mut self, trouble: Option<String>) {
        if self.trouble != trouble {
            self.trouble = trouble;
            self.publish_all();
        }
    }

    /// Shows that changes of the hardware are not heard of, as long as that lasts.
    pub fn deaf(&mut self, reason: Option<String>) {
        if self.deaf != reason {
            self.deaf = reason;
            self.publish_all();
        }
    }

    /// A line for the service manager.
    pub fn status(&self) -> String {
        let licenses: usize = self.views.iter().map(|view| view.licenses.len()).sum();
        let issuers: Vec<String> =
            self.views.iter().map(|view| format!("{} {}", view.name, view.binding.state.name())).collect();
        match issuers.is_empty() {
            true => "no issuer configured".to_owned(),
            false => format!("{licenses} licenses; {}", issuers.join(", ")),
        }
    }

    fn publish_all(&self) {
        let issuers = (0..self.views.len()).map(|issuer| self.decorated(issuer)).collect();
        self.snapshot.store(Arc::new(Snapshot { issuers }));
    }

    fn decorated(&self, issuer: usize) -> Arc<IssuerView> {
        let view = &self.views[issuer];
        let incidents = self.incidents.get(issuer).map(Vec::as_slice).unwrap_or_default();
        if incidents.is_empty() && self.trouble.is_none() && self.deaf.is_none() {
            return Arc::clone(view);
        }
        let trouble = self.trouble.as_ref().map(|reason| Alert {
            code: "store_unwritable",
            message: format!("{reason}; licenses stay granted, but nothing can be changed until then"),
        });
        // One entry is enough for a store that was not writable at the start, and is not now.
        let incidents =
            incidents.iter().filter(|alert| alert.code != "store_unwritable" || trouble.is_none());
        let deaf = self.deaf.as_ref().map(|reason| Alert {
            code: "hardware_unheard",
            message: format!(
                "{reason}; changes are noticed within five minutes; if that lasts, restart landfastd"
            ),
        });
        let mut view = IssuerView::clone(view);
        view.alerts.extend(incidents.cloned().chain(trouble.clone()).chain(deaf));
        Arc::new(view)
    }
}

fn log_new_alerts(before: &IssuerView, after: &IssuerView) {
    let is_new = |alert: &&Alert| before.alerts.iter().all(|known| known.code != alert.code);
    for alert in after.alerts.iter().filter(is_new) {
        tracing::warn!(issuer = after.name, code = alert.code, "{}", alert.message);
    }
}
