//! The machines and their store: they think and write off the loop, one job at a time, so that checks never wait.

use super::error::DaemonError;
use crate::adapters::{Clock, draw};
use crate::desk::Answer;
use crate::store::{Held, Medium, Store};
use landfast_core::effect::{Effect, Refusal};
use landfast_core::event::Event;
use landfast_core::machine::Settings;
use landfast_core::step::HistoryEntry;
use landfast_core::view::{Alert, IssuerView};
use landfast_core::{Machine, Moment};
use landfast_protocol::frame::Frame;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::{Digest, IssuerId, Timestamp};
use std::io;
use std::sync::Arc;
use tokio::sync::oneshot;

/// One thing to do.
pub(super) enum Job {
    /// Something happened to one issuer's device.
    Event { issuer: usize, event: Event },
    /// The hardware was looked at.
    Evidence(HardwareReading),
    /// These asked to be woken.
    Wake(Vec<usize>),
    /// Somebody reads the history.
    History {
        issuer: usize,
        since: Option<Timestamp>,
        limit: usize,
        answer: oneshot::Sender<Result<Answer, Refusal>>,
    },
    /// The newest grants are copied beside the store.
    KeepGrants,
    /// The agent stops.
    Stop,
}

/// What has to be done now, in order, and how the store is.
pub(super) struct Done {
    pub effects: Vec<(usize, Effect)>,
    /// Why the last write failed; none once one has succeeded.
    pub trouble: Option<String>,
    /// Why something of this job was not stored.
    pub refused: Option<String>,
    /// A newer grant was applied.
    pub grants: bool,
    /// What happened to the store meanwhile, by issuer.
    pub alerts: Vec<Vec<Alert>>,
}

/// Everything that a job may change.
pub(super) struct Worker<M: Medium> {
    store: Store<M>,
    seats: Vec<Seat>,
    clock: Arc<Clock>,
    trouble: Option<String>,
    refused: Option<String>,
}

struct Seat {
    issuer: IssuerId,
    machine: Machine,
    lost: bool,
    /// Of the grant beside the store.
    kept: Option<Digest>,
    /// What was found when it was brought back.
    alerts: Vec<Alert>,
}

impl<M: Medium> Worker<M> {
    /// Brings every machine back as it was stored, or makes a new one where there never was one.
    pub fn new(mut store: Store<M>, settings: Vec<Settings>, clock: Arc<Clock>) -> Result<Self, DaemonError> {
        let now = clock.now();
        let mut seats = Vec::new();
        for settings in settings {
            let issuer = settings.trust.issuer;
            let mut alerts = Vec::new();
            let (machine, lost) = match store.take(issuer, now.wall) {
                Held::Nothing => {
                    let entropy = draw().map_err(DaemonError::system("draw random numbers"))?;
                    (Machine::create(settings, &now, entropy), false)
                }
                Held::State(state) => match Machine::restore(settings.clone(), &state) {
                    Ok(machine) => (machine, false),
                    // The state is whole, and stays as it is for whoever can read it.
                    Err(error) => {
                        tracing::error!(issuer = settings.name, "{error}");
                        let message =
                            format!("{error}; licenses stay granted through the grace of their binding");
                        alerts.push(Alert { code: "state_unreadable", message });
                        (Machine::lost(settings, intact(store.grant(issuer)), now.wall, &now), true)
                    }
                },
                Held::Lost { since, grant } => (Machine::lost(settings, intact(grant), since, &now), true),
            };
            let kept = store.grant(issuer).map(|frame| Digest::of(&frame));
            seats.push(Seat { issuer, machine, lost, kept, alerts });
        }
        Ok(Self { store, seats, clock, trouble: None, refused: None })
    }

    /// The views as they are.
    pub fn views(&self) -> Vec<Arc<IssuerView>> {
        let now = self.clock.now();
        self.seats.iter().map(|seat| seat.machine.view(&now)).collect()
    }

    /// What happened to the store since the last call, for the issuers concerned; it is written into their history.
    pub fn incidents(&mut self) -> Vec<Vec<Alert>> {
        let now = self.clock.now();
        let mut alerts: Vec<_> = self.seats.iter_mut().map(|seat| std::mem::take(&mut seat.alerts)).collect();
        for incident in self.store.incidents() {
            tracing::warn!(code = incident.code, "{}", incident.message);
            for (seat, alerts) in self.seats.iter().zip(&mut alerts) {
                let concerned = incident.issuer.is_none_or(|issuer| issuer == seat.issuer);
                if !concerned {
                    continue;
                }
                // The machine itself says that its store is lost.
                if incident.code != "store_lost" {
                    alerts.push(Alert { code: incident.code, message: incident.message.clone() });
                }
                let at = seat.machine.view(&now).time.now(&now);
                let line =
                    HistoryEntry { at, code: incident.code.to_owned(), message: incident.message.clone() };
                if let Err(error) = self.store.note(seat.issuer, line) {
                    tracing::warn!(%error, "the history does not show it");
                }
            }
        }
        alerts
    }

    /// Does one thing. An error ends the agent: it could not even think.
    pub fn run(&mut self, job: Job) -> io::Result<Done> {
        let now = self.clock.now();
        let mut effects = Vec::new();
        self.refused = None;
        match job {
            Job::Event { issuer, event } => self.handle(issuer, event, &now, &mut effects)?,
            Job::Evidence(reading) => {
                for issuer in 0..self.seats.len() {
                    self.handle(issuer, Event::Evidence(reading.clone()), &now, &mut effects)?;
                }
            }
            Job::Wake(issuers) => {
                for issuer in issuers {
                    self.handle(issuer, Event::Wake, &now, &mut effects)?;
                }
            }
            Job::History { issuer, since, limit, answer } => {
                let lines = match self.seats.get(issuer) {
                    None => Err(Refusal::BadCommand("there is no such issuer")),
                    Some(seat) => self
                        .store
                        .history(seat.issuer, since, limit)
                        .map(Answer::History)
                        .map_err(|error| Refusal::Store(error.to_string())),
                };
                let _ = answer.send(lines);
            }
            Job::KeepGrants => self.keep_grants(),
            Job::Stop => {
                for issuer in 0..self.seats.len() {
                    self.handle(issuer, Event::Shutdown, &now, &mut effects)?;
                }
            }
        }
        let grants = self.seats.iter().any(|seat| seat.has_new_grant());
        let (trouble, refused) = (self.trouble.clone(), self.refused.take());
        Ok(Done { effects, trouble, refused, grants, alerts: self.incidents() })
    }

    fn handle(
        &mut self,
        issuer: usize,
        event: Event,
        now: &Moment,
        effects: &mut Vec<(usize, Effect)>,
    ) -> io::Result<()> {
        let ticket = event.ticket();
        let Some(seat) = self.seats.get_mut(issuer) else {
            let refusal = Err(Refusal::BadCommand("there is no such issuer"));
            effects.extend(ticket.map(|ticket| (issuer, Effect::Reply(ticket, refusal))));
            return Ok(());
        };
        let mut store = self.store.of(seat.issuer);
        let step = seat.machine.handle(event, now, draw()?);
        let persists = step.record().is_some();
        let done = step.commit(&mut store);
        if persists {
            if let (Some(reason), None) = (&store.failure, &self.trouble) {
                tracing::error!("{reason}");
            }
            self.trouble.clone_from(&store.failure);
            self.refused = store.failure.or(self.refused.take());
        }
        effects.extend(done.into_iter().map(|effect| (issuer, effect)));
        Ok(())
    }

    fn keep_grants(&mut self) {
        for seat in &mut self.seats {
            if !seat.has_new_grant() {
                continue;
            }
            let Some(frame) = seat.machine.grant_frame() else { continue };
            // Kept or not, it is not tried again before the next grant: it informs only.
            if let Err(error) = self.store.keep_grant(seat.issuer, frame) {
                tracing::warn!(%error, "the grant was not copied beside the store");
            }
            seat.kept = Some(Digest::of(frame));
        }
    }
}

impl Seat {
    fn has_new_grant(&self) -> bool {
        let frame = self.machine.grant_frame();
        !self.lost && frame.is_some_and(|frame| Some(Digest::of(frame)) != self.kept)
    }
}

/// A grant that was damaged is none.
fn intact(grant: Option<Vec<u8>>) -> Option<Vec<u8>> {
    grant.filter(|frame| Frame::parse(frame).is_ok())
}
