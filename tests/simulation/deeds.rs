//! What administrators, carriers and bad luck do to a field server.

use crate::simulation::agent::Fate;
use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;
use landfast_core::event::{Carrier, Delivery, Selection, TransportFailure};
use landfast_core::{Event, Refusal};
use landfast_protocol::operation::Action;
use landfast_protocol::{ActivationId, Duration};

/// What an administrator asks for. Licenses are numbered as in the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One license, with the units to hold; none for its usual share.
    Activate(usize, Option<u32>),
    /// Every license of the issuer, in one request.
    ActivateAll,
    /// An activation id that nobody issued.
    ActivateUnknown,
    /// One license, with the units to give back; none for all.
    Return(usize, Option<u32>),
    /// Everything held or still being activated.
    ReturnAll,
    /// The latest license information.
    Reclaim,
    /// A window for a swap of hardware, in days.
    PlanChange(u64),
}

/// By whose hand a response reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The agent's own connection.
    Agent,
    /// Somebody imports it, and is told what came of it.
    Hand,
}

impl World {
    /// An administrator asks. Gives the number of the request, if one left the device.
    pub fn command(
        &mut self,
        device: usize,
        issuer: usize,
        what: What,
        delivery: Delivery,
        fate: Fate,
    ) -> Result<Option<usize>, Violation> {
        let ticket = self.ticket();
        let authority = &self.authorities[issuer];
        let known = |license: usize| authority.activation(license % authority.licenses.len());
        let id = |license: usize| authority.licenses[license % authority.licenses.len()];
        let event = match what {
            What::Activate(license, units) => {
                let licenses = known(license).map(|id| (id, units)).into_iter().collect();
                Event::Activate { ticket, licenses, delivery }
            }
            What::ActivateAll => {
                let licenses = (0..authority.licenses.len()).filter_map(known).map(|id| (id, None)).collect();
                Event::Activate { ticket, licenses, delivery }
            }
            What::ActivateUnknown => {
                let licenses = vec![(ActivationId::from_bytes([0xee; 16]), None)];
                Event::Activate { ticket, licenses, delivery }
            }
            What::Return(license, units) => {
                let selection = Selection::Licenses(vec![(id(license), units)]);
                Event::Return { ticket, selection, delivery }
            }
            What::ReturnAll => Event::Return { ticket, selection: Selection::All, delivery },
            What::Reclaim => Event::Reclaim { ticket, delivery },
            What::PlanChange(days) => Event::PlanChange { ticket, window: Duration::days(days), delivery },
        };
        let cancels = matches!(what, What::Return(license, None) if self.is_pending(device, issuer, license));
        self.say(|_| format!("device {device} at issuer-{issuer}: {what:?}, {delivery:?}, {fate:?}"));
        let was_up = self.servers[device].is_up();
        let (done, letter) = self.event(device, issuer, event, None, fate)?;
        self.coverage.add("command", name_of(what, cancels), u64::from(done.committed));
        let way = if delivery == Delivery::File { "file" } else { "online" };
        self.coverage.add("delivery", way, u64::from(was_up));
        let no_address = done.replies.iter().any(|r| matches!(r, Err(Refusal::NotReached { .. })));
        self.coverage.add("refused", "no address", u64::from(no_address));
        self.check()?;
        Ok(letter)
    }

    /// Being activated, and nothing of it held yet.
    fn is_pending(&self, device: usize, issuer: usize, license: usize) -> bool {
        let authority = &self.authorities[issuer];
        let id = authority.licenses[license % authority.licenses.len()];
        let shadow = &self.servers[device].agents[issuer].shadow;
        let activates =
            |action: &Action| matches!(action, Action::Activate { license, .. } if *license == id);
        shadow.held(id) == 0 && shadow.pending().iter().any(|operation| activates(&operation.action))
    }

    /// A response reaches the device that it is for. Gives the request that left in answer to it, if one did.
    pub fn import(
        &mut self,
        device: usize,
        issuer: usize,
        answer: usize,
        by: By,
        fate: Fate,
    ) -> Result<Option<usize>, Violation> {
        let Some(found) = self.answer(issuer, answer) else { return Ok(None) };
        let (bytes, unsolicited, results) =
            (found.bytes.clone(), found.response.answers.is_none(), !found.response.results.is_empty());
        let again = found.imported > 0;
        self.say(|world| {
            format!("device {device} imports {}, {fate:?}", world.name_of_answer(issuer, answer))
        });
        let waited = self.servers[device].agents[issuer].shadow.pending().len();
        let event = self.response(bytes, by);
        let (done, letter) = self.event(device, issuer, event, Some(answer), fate)?;
        if done.committed {
            self.authorities[issuer].answers[answer].imported += 1;
            if done.accepted {
                self.cleanse(device, issuer, answer);
            }
            let ended = self.servers[device].agents[issuer].shadow.pending().len() < waited;
            self.coverage.note("response", if done.newer { "newer grant" } else { "older grant" });
            let late = !done.newer && results && ended;
            self.coverage.add("response", "older grant with results", u64::from(late));
            self.coverage.add("response", "unsolicited", u64::from(unsolicited));
            self.coverage.add("response", "again", u64::from(again));
            let masked = done.newer && self.is_masked(device, issuer);
            self.coverage.add("response", "masked by a tombstone", u64::from(masked));
            let hand = if by == By::Hand { "with a caller" } else { "by the agent" };
            self.coverage.note("response", hand);
        }
        self.check()?;
        Ok(letter)
    }

    /// The grant applied last states more than the device counts.
    fn is_masked(&self, device: usize, issuer: usize) -> bool {
        let shadow = &self.servers[device].agents[issuer].shadow;
        self.authorities[issuer]
            .licenses
            .iter()
            .any(|license| shadow.held(*license) < shadow.granted(*license))
    }

    fn response(&mut self, bytes: Vec<u8>, by: By) -> Event {
        let (ticket, carrier) = match by {
            By::Agent => (None, Carrier::Online),
            By::Hand => (Some(self.ticket()), Carrier::File),
        };
        if by == By::Hand {
            self.coverage.note("response", "carried by hand");
        }
        Event::Response { ticket, bytes, carrier }
    }

    /// A response that is for another device, or of another issuer, or damaged, is given to a device.
    pub(crate) fn give_foreign(
        &mut self,
        device: usize,
        issuer: usize,
        bytes: Vec<u8>,
        by: By,
        kind: &'static str,
    ) -> Result<(), Violation> {
        if !self.servers[device].is_up() {
            return Ok(());
        }
        self.say(|_| format!("device {device} is given {kind} response at issuer-{issuer}"));
        let event = self.response(bytes, by);
        let (done, _) = self.event(device, issuer, event, None, Fate::Whole)?;
        demand(!done.newer, Rule::RefusesForeign, || format!("{kind} response was applied"))?;
        self.coverage.note("refused", kind);
        self.check()
    }

    /// The agent could not deliver what it is sending.
    pub(crate) fn send_failed(&mut self, device: usize, issuer: usize, fate: Fate) -> Result<(), Violation> {
        let Some(counter) = self.servers[device].agents[issuer].sent() else { return Ok(()) };
        self.say(|_| format!("device {device} cannot reach issuer-{issuer} with request {counter}"));
        let failure = TransportFailure::Unreachable("connection refused".to_owned());
        self.event(device, issuer, Event::SendFailed { counter, failure }, None, fate)?;
        self.coverage.note("device", "send failed");
        self.check()
    }

    /// Time passes until the agent wants to be woken, and it is.
    pub(crate) fn wake(
        &mut self,
        device: usize,
        issuer: usize,
        fate: Fate,
    ) -> Result<Option<usize>, Violation> {
        let Some(at) = self.servers[device].agents[issuer].wake_at() else { return Ok(None) };
        let boot = self.moment(device).boot;
        self.now += at.0.saturating_sub(boot.0);
        self.say(|world| format!("device {device} wakes for issuer-{issuer} at {}", world.now));
        let (_, letter) = self.event(device, issuer, Event::Wake, None, fate)?;
        self.coverage.note("device", "woken");
        self.check()?;
        Ok(letter)
    }

    /// The agent is told to stop, and stops.
    pub(crate) fn stop(&mut self, device: usize) -> Result<(), Violation> {
        if !self.servers[device].is_up() {
            return Ok(());
        }
        self.say(|_| format!("device {device} is stopped"));
        for issuer in 0..self.authorities.len() {
            self.event(device, issuer, Event::Shutdown, None, Fate::Whole)?;
        }
        self.kill(device);
        self.coverage.note("device", "stopped");
        self.check()
    }

    /// The agent dies, or the whole machine loses power.
    pub fn crash(&mut self, device: usize, power: bool) {
        if !self.servers[device].is_up() {
            return;
        }
        self.say(|_| format!("device {device} {}", if power { "loses power" } else { "crashes" }));
        self.kill(device);
        self.coverage.note("device", if power { "lost power" } else { "crashed" });
        if power {
            let now = self.now;
            self.servers[device].clock.reboot(now);
        }
    }

    /// An agent that is down starts again from its record.
    pub fn restart(&mut self, device: usize, fate: Fate) -> Result<(), Violation> {
        if self.servers[device].is_up() {
            return Ok(());
        }
        self.say(|_| format!("device {device} starts again, {fate:?}"));
        self.start(device, fate)?;
        self.coverage.add("device", "restarted", u64::from(self.servers[device].is_up()));
        self.check()
    }

    /// The store of a device takes no more records, or takes them again.
    pub(crate) fn fill(&mut self, device: usize, full: bool) {
        self.say(|_| format!("the disk of device {device} {}", if full { "is full" } else { "has room" }));
        self.servers[device].agents.iter_mut().for_each(|agent| agent.disk.full = full);
        self.coverage.add("device", "disk full", u64::from(full));
    }
}

fn name_of(what: What, cancels: bool) -> &'static str {
    match what {
        What::Activate(..) => "activate",
        What::ActivateAll => "activate all",
        What::ActivateUnknown => "unknown id",
        What::Return(..) if cancels => "cancel",
        What::Return(_, Some(_)) => "return part",
        What::Return(..) => "return",
        What::ReturnAll => "return all",
        What::Reclaim => "reclaim",
        What::PlanChange(_) => "plan change",
    }
}
