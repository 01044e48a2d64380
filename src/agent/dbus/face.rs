//! Keeps the agent on the bus, and tells the bus what changes.

use crate::dbus::admin::Admin;
use crate::dbus::binding::{Binding, rank};
use crate::dbus::bus::{Bus, BusError};
use crate::dbus::entitlements::Entitlements;
use crate::dbus::licenses::Shelf;
use crate::dbus::{NAME, PATH};
use crate::desk::Desk;
use crate::front::stopped;
use landfast_core::Snapshot;
use landfast_core::effect::Signal;
use landfast_core::view::BindingState;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use zbus::Connection;
use zbus::fdo::ObjectManager;
use zbus::object_server::{Interface, SignalEmitter};

/// The first wait before another attempt to get on the bus; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Rare, because each attempt wakes the machine.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How long leaving the bus may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The agent's place on the bus, or its wish for one.
pub struct Face {
    desk: Desk,
    bus: Bus,
    shutdown: watch::Receiver<bool>,
    connected: Result<Link, BusError>,
    pub(super) first_wait: Duration,
}

impl Face {
    pub(super) async fn connect(desk: Desk, bus: Bus, shutdown: watch::Receiver<bool>) -> Self {
        let connected = Link::establish(&desk, &bus).await;
        Self { desk, bus, shutdown, connected, first_wait: FIRST_WAIT }
    }

    /// Why the agent is not on the bus; none when it is.
    #[must_use]
    pub fn problem(&self) -> Option<&BusError> {
        self.connected.as_ref().err()
    }

    /// Serves the bus until shutdown, and gets back onto it when it went away.
    pub async fn run(mut self) {
        let mut wait = self.first_wait;
        loop {
            if let Ok(link) = &mut self.connected {
                wait = self.first_wait;
                tokio::select! {
                    lost = link.attend() => {
                        tracing::warn!(bus = %self.bus, reason = %lost, "the bus went away; D-Bus checks are not answered");
                    }
                    () = stopped(&mut self.shutdown) => {
                        link.leave().await;
                        return;
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopped(&mut self.shutdown) => return,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
            self.connected = Link::establish(&self.desk, &self.bus).await;
            match &self.connected {
                Ok(_) => tracing::info!(bus = %self.bus, "on the bus as {NAME}"),
                Err(error) => tracing::debug!(%error, "not on the bus"),
            }
        }
    }
}

/// A connection with the name, and what its listeners were told last.
pub(super) struct Link {
    connection: Connection,
    desk: Desk,
    signals: Receiver<(usize, Signal)>,
    shelf: Shelf,
    states: Vec<BindingState>,
}

impl Link {
    async fn establish(desk: &Desk, bus: &Bus) -> Result<Self, BusError> {
        let connection = bus.connect().await?;
        let link = Self::offer(desk, connection).await;
        let link = link.map_err(|source| BusError::Offer { bus: bus.clone(), source })?;
        // Last, so that whoever sees the name finds everything behind it.
        bus.take_name(&link.connection).await?;
        Ok(link)
    }

    /// Puts all objects on `connection`.
    pub(super) async fn offer(desk: &Desk, connection: Connection) -> zbus::Result<Self> {
        // Listening begins before the first look, so nothing falls in between.
        let signals = desk.signals.subscribe();
        let server = connection.object_server();
        let uid = rustix::process::geteuid().as_raw();
        server.at(PATH, Entitlements { desk: desk.clone() }).await?;
        server.at(PATH, Binding { desk: desk.clone() }).await?;
        server.at(PATH, Admin { desk: desk.clone(), uid }).await?;
        server.at(PATH, ObjectManager).await?;
        let snapshot = desk.snapshot.load_full();
        let mut shelf = Shelf::default();
        shelf.arrange(&connection, &snapshot).await?;
        let states = states(&snapshot);
        Ok(Self { connection, desk: desk.clone(), signals, shelf, states })
    }

    /// Tells the bus what changes, until it is gone.
    pub(super) async fn attend(&mut self) -> zbus::Error {
        let gone = self.connection.clone();
        loop {
            let heard = tokio::select! {
                heard = self.signals.recv() => heard,
                () = gone.closed() => return zbus::Error::Failure("the connection was closed".to_owned()),
            };
            let told = match heard {
                Ok((issuer, signal)) => self.tell(issuer, &signal).await,
                Err(RecvError::Lagged(_)) => self.tell_everything().await,
                // The loop ended; shutdown follows.
                Err(RecvError::Closed) => {
                    gone.closed().await;
                    Ok(())
                }
            };
            if let Err(error) = told {
                if gone.is_closed() {
                    return error;
                }
                tracing::warn!(%error, "a change could not be told on the bus");
            }
        }
    }

    async fn tell(&mut self, issuer: usize, signal: &Signal) -> zbus::Result<()> {
        match signal {
            Signal::EntitlementsChanged => Entitlements::changed(&self.emitter()?).await,
            Signal::BindingChanged { to, .. } => {
                self.tell_binding(|states| {
                    if let Some(state) = states.get_mut(issuer) {
                        *state = *to;
                    }
                })
                .await
            }
            Signal::LicensesChanged => {
                let snapshot = self.desk.snapshot.load_full();
                self.shelf.arrange(&self.connection, &snapshot).await
            }
            // Pending operations are read with Admin1.Pending.
            Signal::OperationsChanged => Ok(()),
        }
    }

    /// After some signals were missed: everything may have changed.
    async fn tell_everything(&mut self) -> zbus::Result<()> {
        let snapshot = self.desk.snapshot.load_full();
        self.shelf.arrange(&self.connection, &snapshot).await?;
        self.tell_binding(|known| *known = states(&snapshot)).await?;
        Entitlements::changed(&self.emitter()?).await
    }

    async fn tell_binding(&mut self, update: impl FnOnce(&mut Vec<BindingState>)) -> zbus::Result<()> {
        let before = worst(&self.states);
        update(&mut self.states);
        let now = worst(&self.states);
        if before == now {
            return Ok(());
        }
        let emitter = self.emitter()?;
        let news = HashMap::from([("State", now.name().into())]);
        zbus::fdo::Properties::properties_changed(&emitter, Binding::name(), news, [].as_slice().into())
            .await?;
        Binding::changed(&emitter, before.name(), now.name()).await
    }

    fn emitter(&self) -> zbus::Result<SignalEmitter<'static>> {
        SignalEmitter::new(&self.connection, PATH)
    }

    async fn leave(&mut self) {
        let connection = self.connection.clone();
        let leaving = async {
            connection.release_name(NAME).await?;
            connection.close().await
        };
        if let Ok(Err(error)) = tokio::time::timeout(FAREWELL, leaving).await {
            tracing::debug!(%error, "the bus was left without a farewell");
        }
    }
}

fn states(snapshot: &Snapshot) -> Vec<BindingState> {
    snapshot.issuers.iter().map(|view| view.binding.state).collect()
}

fn worst(states: &[BindingState]) -> BindingState {
    states.iter().copied().max_by_key(|state| rank(*state)).unwrap_or(BindingState::Unbound)
}
