//! Carrying out what a machine wants done, in the order it says.

use super::notify;
use crate::config::Settings;
use crate::desk::{Answer, Desk};
use crate::faultpoint::{self, Boundary};
use crate::transport::Route;
use landfast_core::effect::{Refusal, Reply, Ticket};
use landfast_core::{Effect, Signal, Snapshot, TransportFailure};
use landfast_protocol::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

type Caller = oneshot::Sender<Result<Answer, Refusal>>;

/// What came of sending a request.
pub struct Delivered {
    /// Which machine's.
    pub at: usize,
    /// The request's counter.
    pub counter: u64,
    /// The bytes that came back.
    pub answer: Result<Vec<u8>, TransportFailure>,
}

/// What one machine has under way.
#[derive(Default)]
struct UnderWay {
    sending: Option<AbortHandle>,
    wake_at: Option<Duration>,
}

/// Callers that wait, requests that travel, times to wake.
pub struct Effects {
    desk: Desk,
    routes: Vec<Route>,
    under_way: Vec<UnderWay>,
    callers: HashMap<Ticket, Caller>,
    tickets: u64,
    deliveries: JoinSet<Delivered>,
}

impl Effects {
    pub fn new(settings: &Settings, desk: Desk) -> Self {
        let routes: Vec<_> = settings.issuers.iter().map(|i| Route::new(i, &settings.online)).collect();
        let under_way = routes.iter().map(|_| UnderWay::default()).collect();
        let (callers, deliveries) = (HashMap::new(), JoinSet::new());
        Self { desk, routes, under_way, callers, tickets: 0, deliveries }
    }

    /// A ticket for a caller that waits.
    pub fn expect(&mut self, caller: Caller) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.callers.insert(ticket, caller);
        ticket
    }

    /// The earliest time at which a machine wants to be woken, by the boot clock.
    pub fn wake_at(&self) -> Option<Duration> {
        self.under_way.iter().filter_map(|machine| machine.wake_at).min()
    }

    /// The machines whose time has come.
    pub fn due(&self, boot: Duration) -> Vec<usize> {
        let due = |machine: &UnderWay| machine.wake_at.is_some_and(|at| boot >= at);
        self.under_way.iter().enumerate().filter(|(_, machine)| due(machine)).map(|(at, _)| at).collect()
    }

    /// The next request that was answered or could not be delivered. Waits for ever while none travels.
    pub async fn delivered(&mut self) -> Delivered {
        loop {
            match self.deliveries.join_next().await {
                Some(Ok(delivered)) => return delivered,
                // It was replaced by a newer request.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }

    /// Carries out the effects of one step.
    pub fn carry_out(&mut self, at: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish(view) => {
                    faultpoint::pass(Boundary::PublishBefore);
                    let mut issuers = self.desk.snapshot.load().issuers.clone();
                    if let Some(place) = issuers.get_mut(at) {
                        *place = view;
                    }
                    self.desk.snapshot.store(Arc::new(Snapshot { issuers }));
                    faultpoint::pass(Boundary::PublishAfter);
                }
                Effect::Send { counter, request } => {
                    faultpoint::pass(Boundary::SendBefore);
                    self.send(at, counter, request);
                    faultpoint::pass(Boundary::SendAfter);
                }
                Effect::Reply(ticket, answer) => {
                    faultpoint::pass(Boundary::ReplyBefore);
                    self.reply(ticket, answer);
                    faultpoint::pass(Boundary::ReplyAfter);
                }
                Effect::Signal(signal) => self.signal(at, signal),
                Effect::WakeAt(when) => {
                    if let Some(machine) = self.under_way.get_mut(at) {
                        machine.wake_at = when;
                    }
                }
            }
        }
    }

    fn send(&mut self, at: usize, counter: u64, request: Arc<[u8]>) {
        let (Some(route), Some(machine)) = (self.routes.get(at), self.under_way.get_mut(at)) else { return };
        if let Some(earlier) = machine.sending.take() {
            earlier.abort();
        }
        let route = route.clone();
        let delivery = async move { Delivered { at, counter, answer: route.exchange(request).await } };
        machine.sending = Some(self.deliveries.spawn(delivery));
    }

    fn reply(&mut self, ticket: Ticket, answer: Result<Reply, Refusal>) {
        if let Some(caller) = self.callers.remove(&ticket) {
            // A caller that has gone is no error: what it asked for is stored.
            let _ = caller.send(answer.map(Answer::Done));
        }
    }

    fn signal(&self, at: usize, signal: Signal) {
        if let Signal::BindingChanged { from, to } = &signal {
            let snapshot = self.desk.snapshot.load();
            let name = snapshot.issuers.get(at).map_or("", |view| view.name.as_str());
            tracing::info!(issuer = name, "binding {} -> {}", from.name(), to.name());
            notify::status(&format!("binding of {name}: {}", to.name()));
        }
        // Nobody listening is no error.
        let _ = self.desk.signals.send((at, signal));
    }
}
