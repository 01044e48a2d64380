//! Carries out effects, in the order in which the machine gave them.

use super::hardware::Asker;
use super::shown::Shown;
use crate::adapters::{Alarm, Clock};
use crate::desk::Answer;
use crate::faultpoint::{Boundary, pass};
use crate::transport::{Route, Today};
use landfast_core::effect::{Effect, Signal, Ticket};
use landfast_core::event::TransportFailure;
use landfast_protocol::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};
use tokio::task::AbortHandle;

/// What became of a request that was sent.
pub(super) struct Delivered {
    pub issuer: usize,
    /// Which of all attempts this was.
    attempt: u64,
    pub counter: u64,
    pub result: Result<Vec<u8>, TransportFailure>,
}

/// The hands of the loop.
pub(super) struct Interpreter {
    pub shown: Shown,
    pub alarm: Alarm,
    clock: Arc<Clock>,
    signals: broadcast::Sender<(usize, Signal)>,
    delivered: mpsc::Sender<Delivered>,
    routes: Vec<Arc<Route>>,
    sending: Vec<Option<(u64, AbortHandle)>>,
    attempts: u64,
    callers: HashMap<Ticket, Asker>,
    tickets: u64,
    wakes: Vec<Option<Duration>>,
    alarm_at: Option<Duration>,
    stopping: bool,
}

impl Interpreter {
    pub fn new(
        shown: Shown,
        alarm: Alarm,
        clock: Arc<Clock>,
        signals: broadcast::Sender<(usize, Signal)>,
        delivered: mpsc::Sender<Delivered>,
        routes: Vec<Arc<Route>>,
    ) -> Self {
        let issuers = routes.len();
        Self {
            shown,
            alarm,
            clock,
            signals,
            delivered,
            routes,
            sending: (0..issuers).map(|_| None).collect(),
            attempts: 0,
            callers: HashMap::new(),
            tickets: 0,
            wakes: vec![None; issuers],
            alarm_at: None,
            stopping: false,
        }
    }

    /// A name for a caller who waits.
    pub fn ticket(&mut self, caller: Asker) -> Ticket {
        // Who went away is not waited for.
        self.callers.retain(|_, caller| !caller.is_closed());
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.callers.insert(ticket, caller);
        ticket
    }

    /// Carries out effects.
    pub fn carry_out(&mut self, effects: Vec<(usize, Effect)>) -> std::io::Result<()> {
        for (issuer, effect) in effects {
            match effect {
                Effect::Publish(view) => {
                    pass(Boundary::PublishBefore);
                    self.shown.publish(issuer, view);
                    pass(Boundary::PublishAfter);
                }
                Effect::Send { counter, request, time } => {
                    let today = Today { time, certain: self.clock.now().synchronized };
                    self.send(issuer, counter, request, today);
                }
                Effect::Reply(ticket, reply) => {
                    pass(Boundary::ReplyBefore);
                    if let Some(caller) = self.callers.remove(&ticket) {
                        let _ = caller.send(reply.map(Answer::Done));
                    }
                    pass(Boundary::ReplyAfter);
                }
                Effect::Signal(signal) => {
                    log_signal(&signal);
                    // Nobody listens: nobody misses it.
                    let _ = self.signals.send((issuer, signal));
                }
                Effect::WakeAt(at) => {
                    if let Some(wake) = self.wakes.get_mut(issuer) {
                        *wake = at;
                    }
                }
            }
        }
        self.set_alarm()
    }

    /// Which issuers asked to be woken by now; each once.
    pub fn due(&mut self) -> std::io::Result<Vec<usize>> {
        let now = self.clock.now().boot;
        let mut due = Vec::new();
        for (issuer, wake) in self.wakes.iter_mut().enumerate() {
            if wake.is_some_and(|at| at <= now) {
                *wake = None;
                due.push(issuer);
            }
        }
        self.alarm_at = None;
        self.set_alarm()?;
        Ok(due)
    }

    /// Whether a delivery is still wanted. A request that was replaced has no answer any more.
    pub fn is_wanted(&mut self, delivered: &Delivered) -> bool {
        let Some(place) = self.sending.get_mut(delivered.issuer) else { return false };
        let wanted = place.as_ref().is_some_and(|(attempt, _)| *attempt == delivered.attempt);
        if wanted {
            *place = None;
        }
        wanted
    }

    /// From now on nothing is sent, and whoever still waits is told that the agent stops.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.callers.clear();
        for (_, task) in self.sending.iter_mut().filter_map(Option::take) {
            task.abort();
        }
    }

    fn send(&mut self, issuer: usize, counter: u64, request: Arc<[u8]>, today: Today) {
        let (Some(route), Some(place)) = (self.routes.get(issuer), self.sending.get_mut(issuer)) else {
            return;
        };
        if self.stopping {
            return;
        }
        pass(Boundary::SendBefore);
        self.attempts += 1;
        let attempt = self.attempts;
        let (route, delivered) = (Arc::clone(route), self.delivered.clone());
        let task = tokio::spawn(async move {
            let result = route.exchange(request, today).await;
            // The loop is gone only when the agent stops; the request is kept.
            let _ = delivered.send(Delivered { issuer, attempt, counter, result }).await;
        });
        if let Some((_, earlier)) = place.replace((attempt, task.abort_handle())) {
            earlier.abort();
        }
        pass(Boundary::SendAfter);
    }

    fn set_alarm(&mut self) -> std::io::Result<()> {
        let next = self.wakes.iter().flatten().min().copied();
        if next == self.alarm_at {
            return Ok(());
        }
        // What is due already rings in a second: whoever asks for the past all the time must not stop the rest.
        let soonest = Duration(self.clock.now().boot.0.saturating_add(1));
        self.alarm.set(next.map(|at| at.max(soonest)))?;
        self.alarm_at = next;
        Ok(())
    }
}

fn log_signal(signal: &Signal) {
    match signal {
        Signal::BindingChanged { from, to } => {
            tracing::info!(from = from.name(), to = to.name(), "the binding to the hardware changed");
        }
        Signal::EntitlementsChanged | Signal::LicensesChanged | Signal::OperationsChanged => {
            tracing::debug!(?signal, "told to listeners");
        }
    }
}
