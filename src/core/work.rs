//! One event being thought through: a copy of the machine that is changed, and the effects gathered on the way.

use crate::clock::{Entropy, Moment};
use crate::effect::{Effect, Refusal, Reply, Signal, Ticket};
use crate::event::Event;
use crate::machine::{Inner, Settings};
use crate::step::{HistoryEntry, Record};
use crate::view::IssuerView;
use landfast_protocol::{Duration, Timestamp};
use std::sync::Arc;

/// Without another reason, the mark of licensing time is stored this often.
pub(crate) const MARK_EVERY: Duration = Duration::hours(1);

pub(crate) struct Work<'a> {
    pub settings: &'a Settings,
    pub inner: Box<Inner>,
    pub now: Moment,
    pub entropy: Entropy,
    /// Something durable changed.
    pub durable: bool,
    pub send: bool,
    pub stopping: bool,
    /// The hardware was looked at, or it is time: nobody waits for this event's request.
    pub may_take_over: bool,
    pub history: Vec<HistoryEntry>,
    pub replies: Vec<(Ticket, Result<Reply, Refusal>)>,
    /// Who caused this event.
    pub caller: Option<Ticket>,
}

pub(crate) struct Done {
    pub inner: Box<Inner>,
    /// An error when the state cannot be encoded: then nothing happens.
    pub record: Result<Option<Record>, String>,
    pub effects: Vec<Effect>,
    pub caller: Option<Ticket>,
}

impl<'a> Work<'a> {
    pub fn new(settings: &'a Settings, inner: Box<Inner>, now: Moment, entropy: Entropy) -> Self {
        Self {
            settings,
            inner,
            now,
            entropy,
            durable: false,
            send: false,
            stopping: false,
            may_take_over: false,
            history: Vec::new(),
            replies: Vec::new(),
            caller: None,
        }
    }

    /// Licensing time of this event.
    pub fn time(&self) -> Timestamp {
        self.inner.state.time.now(&self.now)
    }

    pub fn note(&mut self, code: &str, message: String) {
        let at = self.time();
        self.history.push(HistoryEntry { at, code: code.to_owned(), message });
        self.durable = true;
    }

    pub fn reply(&mut self, ticket: Ticket, answer: Result<Reply, Refusal>) {
        self.replies.push((ticket, answer));
    }

    pub fn run(&mut self, event: Event) {
        self.caller = event.ticket();
        self.may_take_over = matches!(event, Event::Evidence(_) | Event::Wake);
        match event {
            Event::Start => self.start(),
            Event::Evidence(reading) => {
                self.inner.reading = Some(Arc::new(reading));
                self.unlock();
            }
            Event::Activate { ticket, licenses, delivery } => {
                self.command(ticket, |work| work.activate(ticket, &licenses, delivery));
            }
            Event::Return { ticket, selection, delivery } => {
                self.command(ticket, |work| work.give_back(ticket, &selection, delivery));
            }
            Event::Reclaim { ticket, delivery } => {
                self.command(ticket, |work| work.reclaim(ticket, delivery));
            }
            Event::PlanChange { ticket, window, delivery } => {
                self.command(ticket, |work| work.plan_change(ticket, window, delivery));
            }
            Event::Response { ticket, bytes, carrier } => self.response(ticket, &bytes, carrier),
            Event::SendFailed { counter, failure } => self.send_failed(counter, failure),
            Event::Wake => self.wake(),
            Event::Shutdown => {
                self.stopping = true;
                self.durable = true;
            }
        }
    }

    /// A command is carried out as a whole, or nothing of it.
    fn command(&mut self, ticket: Ticket, carry_out: impl FnOnce(&mut Self) -> Result<(), Refusal>) {
        let before = self.inner.clone();
        if let Err(refusal) = carry_out(self) {
            self.inner = before;
            self.history.clear();
            self.durable = false;
            self.send = false;
            self.reply(ticket, Err(refusal));
        }
    }

    fn start(&mut self) {
        self.inner.pass(&self.now);
        self.inner.started = true;
        self.inner.contact.asked = self.now.boot;
        self.durable = true;
        let waits = self.inner.state.outstanding.as_ref().is_some_and(|request| request.online);
        self.send = waits && self.settings.online;
    }

    pub fn finish(mut self) -> Done {
        self.judge();
        self.lock_up();
        self.refresh_if_due();
        if let Some(owed) = self.inner.owed.take() {
            self.history.splice(..0, owed);
            self.durable = true;
        }
        if self.inner.lost_since.is_some() {
            self.durable = false;
            self.send = false;
        }
        let unsaved = Duration(self.now.boot.0.saturating_sub(self.inner.mark_saved.0));
        let mut record = None;
        if self.durable || (self.inner.started && self.inner.lost_since.is_none() && unsaved >= MARK_EVERY) {
            self.inner.pass(&self.now);
            self.inner.mark_saved = self.now.boot;
            let history = std::mem::take(&mut self.history);
            record = Some(self.inner.encode(&mut self.entropy).map(|state| Record { state, history }));
        }
        let before = self.inner.view.take();
        let view = Arc::new(crate::show::view(self.settings, &self.inner, &self.now));
        let mut effects = vec![Effect::Publish(Arc::clone(&view))];
        if let Some(request) = self.inner.state.outstanding.as_ref().filter(|_| self.send) {
            let (counter, request) = (request.name.counter, Arc::from(request.bytes.as_slice()));
            effects.push(Effect::Send { counter, request, time: self.time() });
        }
        effects.extend(std::mem::take(&mut self.replies).into_iter().map(|(t, r)| Effect::Reply(t, r)));
        effects.extend(signals(before.as_deref(), &view, &self.now).into_iter().map(Effect::Signal));
        effects.push(Effect::WakeAt(self.next_wake(&view)));
        self.inner.view = Some(view);
        Done { inner: self.inner, record: record.transpose(), effects, caller: self.caller }
    }
}

pub(crate) fn signals(before: Option<&IssuerView>, after: &IssuerView, now: &Moment) -> Vec<Signal> {
    let Some(before) = before else { return Vec::new() };
    let mut signals = Vec::new();
    if before.binding.state != after.binding.state {
        signals.push(Signal::BindingChanged { from: before.binding.state, to: after.binding.state });
    }
    if before.features != after.features
        || after.features.passed_between(before.shown_at, after.time.now(now))
    {
        signals.push(Signal::EntitlementsChanged);
    }
    if before.licenses != after.licenses {
        signals.push(Signal::LicensesChanged);
    }
    if before.pending != after.pending {
        signals.push(Signal::OperationsChanged);
    }
    signals
}
