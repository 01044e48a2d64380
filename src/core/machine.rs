//! One issuer's machine: what it knows, and how an event becomes a step.

use crate::binding::CHANGED;
use crate::clock::{Entropy, Moment, TimeBase};
use crate::effect::{Effect, Refusal, Ticket};
use crate::event::Event;
use crate::planned::Settling;
use crate::schedule::Contact;
use crate::sealing::Stretch;
use crate::state::{DeviceState, StateError};
use crate::step::{HistoryEntry, Step};
use crate::vault::{self, Restored, Vault};
use crate::view::{BindingState, IssuerView};
use crate::work::{Work, signals};
use landfast_protocol::binding::Comparison;
use landfast_protocol::certificate::Trust;
use landfast_protocol::grant::Grant;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::SystemDescription;
use landfast_protocol::{DeviceId, Duration, OperationId, Text, Timestamp};
use std::sync::Arc;

/// A store that took nothing is tried again after this.
const RETRY_STORE: Duration = Duration(60);
/// Of lines of history that could not be stored the newest so many are kept.
const OWED_LINES: usize = 64;

/// What the administrator configured for one issuer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer's name.
    pub name: String,
    /// Pinned id and roots.
    pub trust: Trust,
    /// A name for this device that is sent along, if the administrator wants it.
    pub label: Option<Text<64>>,
    /// An address is configured, so the agent delivers requests by itself.
    pub online: bool,
    /// What kind of system this is.
    pub system: SystemDescription,
    /// Key and counter are sealed to the machine, and so dear is a guess; none to keep them in clear.
    pub sealing: Option<Stretch>,
}

/// The state machine of one issuer.
#[derive(Debug)]
pub struct Machine {
    pub(crate) settings: Settings,
    pub(crate) inner: Box<Inner>,
}

/// Everything that an event may change.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub state: DeviceState,
    pub vault: Vault,
    pub device: DeviceId,
    pub trust: Trust,
    /// The grant in `state`, verified.
    pub grant: Option<Arc<Grant>>,
    /// The grant in `state` did not verify, and why.
    pub grant_trouble: Option<String>,
    pub reading: Option<Arc<HardwareReading>>,
    pub binding: BindingState,
    pub comparison: Option<Comparison>,
    pub drifted_since: Option<Timestamp>,
    pub settling: Option<Settling>,
    pub contact: Contact,
    pub waiting: Vec<Waiting>,
    /// When the mark was last made durable, by the boot clock.
    pub mark_saved: Duration,
    /// Set when counter and tombstones are gone: since when, in licensing time.
    pub lost_since: Option<Timestamp>,
    /// The store did not take what was seen last: it is stored with the next event, after these lines of history.
    pub owed: Option<Vec<HistoryEntry>>,
    pub view: Option<Arc<IssuerView>>,
    pub started: bool,
}

/// A caller, and what it waits for.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub ticket: Ticket,
    pub operations: Vec<OperationId>,
    /// Answered, at the latest, with the answer to this request or a newer one.
    pub counter: u64,
    pub results: Vec<crate::view::ResultView>,
}

impl Machine {
    /// A device that this issuer has never seen, with a new key. It is durable with the first step.
    #[must_use]
    pub fn create(settings: Settings, now: &Moment, mut entropy: Entropy) -> Self {
        let state = DeviceState::new(settings.trust.issuer, entropy.bytes(), TimeBase::first(now));
        Self::in_clear(settings, state)
    }

    /// A device as it was stored in [`crate::Record::state`].
    pub fn restore(settings: Settings, state: &[u8]) -> Result<Self, StateError> {
        let restored = vault::decode(state, settings.trust.issuer)?;
        Ok(Self::with_state(settings, restored))
    }

    /// A device whose store is lost. It answers checks from its last grant, if that is still there, until the
    /// grace of its binding has passed since `lost_since`; commands are refused, and nothing is ever stored.
    #[must_use]
    pub fn lost(settings: Settings, grant: Option<Vec<u8>>, lost_since: Timestamp, now: &Moment) -> Self {
        let mut state = DeviceState::new(settings.trust.issuer, [0; 32], TimeBase::first(now));
        state.grant = grant;
        let mut machine = Self::in_clear(settings, state);
        machine.inner.lost_since = Some(lost_since);
        if let Some(grant) = &machine.inner.grant {
            machine.inner.device = grant.device;
        }
        machine
    }

    /// Thinks an event through. It happens when the step is committed.
    pub fn handle(&mut self, event: Event, now: &Moment, entropy: Entropy) -> Step<'_> {
        let mut work = Work::new(&self.settings, self.inner.clone(), *now, entropy);
        work.run(event);
        let done = work.finish();
        Step {
            machine: self,
            next: done.inner,
            record: done.record,
            effects: done.effects,
            caller: done.caller,
            now: *now,
        }
    }

    /// What the faces show now.
    #[must_use]
    pub fn view(&self, now: &Moment) -> Arc<IssuerView> {
        match &self.inner.view {
            Some(view) => Arc::clone(view),
            None => Arc::new(crate::show::view(&self.settings, &self.inner, now)),
        }
    }

    /// The issuer's configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The frame of the grant in force: worth a copy outside the store, since it speaks for itself.
    #[must_use]
    pub fn grant_frame(&self) -> Option<&[u8]> {
        self.inner.state.grant.as_deref()
    }

    fn in_clear(settings: Settings, state: DeviceState) -> Self {
        let device = state.key().public().device();
        Self::with_state(settings, Restored { state, vault: Vault::Clear { refused: None }, device })
    }

    fn with_state(settings: Settings, restored: Restored) -> Self {
        let Restored { state, vault, device } = restored;
        let mut trust = settings.trust.clone();
        if let Some(frame) = &state.revocations {
            // It was verified when it was stored; a root that is no longer pinned may not revoke any more.
            let _ = trust.revoke(frame);
        }
        let (grant, grant_trouble) = match state.grant.as_deref().map(|frame| trust.open::<Grant>(frame)) {
            None => (None, None),
            Some(Ok(grant)) => (Some(Arc::new(grant)), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let mut inner = Inner {
            mark_saved: Duration(0),
            state,
            vault,
            device,
            trust,
            grant,
            grant_trouble,
            reading: None,
            binding: BindingState::Unbound,
            comparison: None,
            drifted_since: None,
            settling: None,
            contact: Contact::default(),
            waiting: Vec::new(),
            lost_since: None,
            owed: None,
            view: None,
            started: false,
        };
        inner.binding = crate::binding::unread(&inner);
        Self { settings, inner: Box::new(inner) }
    }

    /// The store did not take the record of an event. What the event decided did not happen, and its caller is told.
    /// What was seen is as true as before: that the agent runs, the time, and the hardware. It counts from now on, as
    /// far as it restricts.
    pub(crate) fn store_failed(&mut self, event: Unstored<'_>) -> Vec<Effect> {
        let Unstored { next, caller, reason, now } = event;
        let inner = &mut self.inner;
        let retry_at = Duration(now.boot.0.saturating_add(RETRY_STORE.0));
        if inner.state.outstanding.is_some() {
            inner.contact.next_try = Some(retry_at);
        }
        inner.started = next.started;
        inner.reading.clone_from(&next.reading);
        inner.pass(now);
        let at = inner.state.time.now(now);
        let line = inner.judge_unstored(at);
        let owed = inner.owed.get_or_insert_default();
        owed.extend(line.map(|message| HistoryEntry { at, code: CHANGED.to_owned(), message }));
        owed.drain(..owed.len().saturating_sub(OWED_LINES));
        let before = inner.view.take();
        let view = Arc::new(crate::show::view(&self.settings, inner, now));
        inner.view = Some(Arc::clone(&view));
        let signals = signals(before.as_deref(), &view, now);
        let refused = caller.map(|ticket| Effect::Reply(ticket, Err(Refusal::Store(reason))));
        let mut effects = vec![Effect::Publish(view)];
        effects.extend(refused);
        effects.extend(signals.into_iter().map(Effect::Signal));
        effects.push(Effect::WakeAt(Some(retry_at)));
        effects
    }
}

/// An event whose record the store did not take.
pub(crate) struct Unstored<'a> {
    /// What would be.
    pub next: &'a Inner,
    pub caller: Option<Ticket>,
    pub reason: String,
    pub now: &'a Moment,
}

impl Inner {
    /// Sets the mark of licensing time to now.
    pub fn pass(&mut self, now: &Moment) {
        let max_off = self.grant.as_ref().map_or(Duration::days(180), |grant| grant.max_off);
        self.state.time = self.state.time.advance(now, max_off);
    }
}
