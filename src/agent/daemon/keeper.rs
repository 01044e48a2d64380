//! The machines and their store: everything that an event may have to wait for a disk for.

use crate::adapters::{self, Clock};
use crate::config::Settings as Config;
use crate::store::{Held, Store, StoreError};
use landfast_core::state::StateError;
use landfast_core::step::HistoryEntry;
use landfast_core::view::IssuerView;
use landfast_core::{Effect, Event, Machine, Settings};
use landfast_protocol::certificate::Trust;
use landfast_protocol::request::SystemDescription;
use landfast_protocol::{IssuerId, Timestamp};
use std::io;
use std::sync::Arc;

/// Why the machines cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The state is of a newer release.
    #[error("issuer {name}: {source}")]
    State {
        /// The issuer's configured name.
        name: String,
        /// What is wrong.
        source: StateError,
    },
    /// The operating system gives no random numbers.
    #[error("cannot draw random numbers: {0}; look at the kernel's log")]
    Entropy(#[from] io::Error),
}

/// Runs machines on the store, one event at a time.
pub struct Keeper {
    machines: Vec<Machine>,
    issuers: Vec<IssuerId>,
    store: Store,
    clock: Arc<Clock>,
}

impl Keeper {
    /// A machine for each configured issuer, from what is stored.
    pub fn new(
        config: &Config,
        mut store: Store,
        clock: Arc<Clock>,
        system: &SystemDescription,
    ) -> Result<Self, KeeperError> {
        let mut machines = Vec::new();
        let now = clock.now();
        for issuer in &config.issuers {
            let settings = Settings {
                name: issuer.name.clone(),
                trust: Trust::new(issuer.id, issuer.roots.clone()),
                label: config.label.clone(),
                online: !issuer.addresses.is_empty(),
                system: system.clone(),
            };
            machines.push(match store.take(issuer.id, now.wall) {
                Held::Nothing => Machine::create(settings, &now, adapters::draw()?),
                Held::State(state) => Machine::restore(settings, &state)
                    .map_err(|source| KeeperError::State { name: issuer.name.clone(), source })?,
                Held::Lost { since, grant } => Machine::lost(settings, grant, since, &now),
            });
        }
        let issuers = config.issuers.iter().map(|issuer| issuer.id).collect();
        let mut keeper = Self { machines, issuers, store, clock };
        keeper.report_incidents();
        Ok(keeper)
    }

    /// How many machines there are.
    pub fn count(&self) -> usize {
        self.machines.len()
    }

    /// What each machine shows now.
    pub fn views(&self) -> Vec<Arc<IssuerView>> {
        let now = self.clock.now();
        self.machines.iter().map(|machine| machine.view(&now)).collect()
    }

    /// Lets an event happen: stored first, then its effects, in order.
    pub fn handle(&mut self, at: usize, event: Event) -> Vec<Effect> {
        let (Some(machine), Some(issuer)) = (self.machines.get_mut(at), self.issuers.get(at)) else {
            return Vec::new();
        };
        let entropy = match adapters::draw() {
            Ok(entropy) => entropy,
            Err(error) => {
                tracing::error!(%error, "no random numbers; an event is left undone");
                return Vec::new();
            }
        };
        let before = machine.view(&self.clock.now()).grant.clone();
        let step = machine.handle(event, &self.clock.now(), entropy);
        let mut store = self.store.of(*issuer);
        let effects = step.commit(&mut store);
        if let Some(failure) = store.failure.take() {
            tracing::error!(issuer = machine.name(), "{failure}");
        }
        if machine.view(&self.clock.now()).grant != before {
            let kept = machine.grant_frame().map_or(Ok(()), |frame| self.store.keep_grant(*issuer, frame));
            if let Err(error) = kept {
                tracing::warn!(%error, "no copy of the grant is kept beside the store");
            }
        }
        self.report_incidents();
        effects
    }

    /// The newest lines of one issuer's history.
    pub fn history(
        &mut self,
        at: usize,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let Some(issuer) = self.issuers.get(at) else { return Ok(Vec::new()) };
        self.store.history(*issuer, since, limit)
    }

    /// What happened to the store goes into the log, and into the history of whom it concerns.
    fn report_incidents(&mut self) {
        for incident in self.store.incidents() {
            tracing::warn!(code = incident.code, "{}", incident.message);
            let at = self.clock.now().wall;
            let concerned = self.issuers.clone();
            for issuer in concerned.into_iter().filter(|id| incident.issuer.is_none_or(|of| of == *id)) {
                let line =
                    HistoryEntry { at, code: incident.code.to_owned(), message: incident.message.clone() };
                if let Err(error) = self.store.note(issuer, line) {
                    tracing::warn!(%error, "this is not in the history");
                }
            }
        }
    }
}
