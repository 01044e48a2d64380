//! One issuer's machine inside a simulated agent: the shell around the real core, without I/O.
//!
//! Effects are carried out one by one, so that the agent can die, or be overtaken by others, between any two.

use crate::simulation::coverage::Coverage;
use crate::simulation::disk::Disk;
use crate::simulation::fault::{Fault, without_tombstones};
use crate::simulation::image::Restored;
use crate::simulation::shadow::Shadow;
use crate::simulation::violation::{Rule, Violation, demand, works};
use landfast_core::view::IssuerView;
use landfast_core::{Effect, Entropy, Event, Machine, Moment, Refusal, Reply, Settings, Ticket};
use landfast_protocol::grant::Grant;
use landfast_protocol::response::Response;
use landfast_protocol::{DeviceId, Duration};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// What becomes of an event on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is committed, and its effects are carried out at once.
    Whole,
    /// It is committed; its effects are carried out one by one, and others act in between.
    Slow,
    /// It is thought through; the agent dies before the commit.
    Uncommitted,
    /// It is committed; the agent dies after so many effects.
    Cut(usize),
}

/// An event with what the world knows of it.
pub(crate) struct Happening<'a> {
    pub event: Event,
    pub now: Moment,
    pub entropy: Entropy,
    /// The content of a response that is meant for this device and undamaged.
    pub genuine: Option<(&'a Response, &'a Grant)>,
}

/// What came of it so far.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Requests that left the device.
    pub left: Vec<Arc<[u8]>>,
    pub replies: Vec<Result<Reply, Refusal>>,
    pub died: bool,
    pub committed: bool,
    /// A response was taken.
    pub accepted: bool,
    /// A grant was applied.
    pub newer: bool,
}

#[derive(Debug)]
pub(crate) struct Agent {
    settings: Settings,
    pub disk: Disk,
    pub shadow: Shadow,
    pub device: Option<DeviceId>,
    /// Its store was put back from an image.
    pub restored: Option<Restored>,
    life: Option<Life>,
    fault: Option<Fault>,
}

/// What a crash takes away.
#[derive(Debug)]
struct Life {
    machine: Machine,
    /// What checks read.
    shown: Option<Arc<IssuerView>>,
    queue: VecDeque<Effect>,
    /// What the queue is from.
    doing: &'static str,
    wake_at: Option<Duration>,
    sent: Option<u64>,
    callers: BTreeSet<Ticket>,
}

impl Agent {
    pub fn new(settings: Settings, fault: Option<Fault>) -> Self {
        let skips_every = (fault == Some(Fault::PersistSkipped)).then_some(5);
        let disk = Disk { skips_every, ..Disk::default() };
        Self { settings, disk, shadow: Shadow::default(), device: None, restored: None, life: None, fault }
    }

    pub fn is_up(&self) -> bool {
        self.life.is_some()
    }

    /// Effects wait to be carried out.
    pub fn is_busy(&self) -> bool {
        self.life.as_ref().is_some_and(|life| !life.queue.is_empty())
    }

    /// What checks read now; nothing while the agent is down, as a snapshot ends with its daemon.
    pub fn shown(&self) -> Option<&Arc<IssuerView>> {
        self.life.as_ref().and_then(|life| life.shown.as_ref())
    }

    pub fn wake_at(&self) -> Option<Duration> {
        self.life.as_ref().and_then(|life| life.wake_at)
    }

    /// The counter of the request that is being delivered.
    pub fn sent(&self) -> Option<u64> {
        self.life.as_ref().and_then(|life| life.sent)
    }

    /// Callers that still wait.
    pub fn callers(&self) -> usize {
        self.life.as_ref().map_or(0, |life| life.callers.len())
    }

    pub fn view(&self, now: &Moment) -> Option<Arc<IssuerView>> {
        self.life.as_ref().map(|life| life.machine.view(now))
    }

    /// The signed grant in force.
    pub fn grant_frame(&self) -> Option<Vec<u8>> {
        self.life.as_ref().and_then(|life| life.machine.grant_frame()).map(<[u8]>::to_vec)
    }

    /// The process is gone: with it everything that was not stored.
    pub fn die(&mut self, count: &mut Coverage) {
        if let Some(life) = self.life.take().filter(|life| !life.queue.is_empty()) {
            count.note(life.doing, killed_before(life.queue.front()));
        }
    }

    /// Makes the machine from its record. Nothing is handled yet.
    pub fn load(&mut self, now: &Moment, entropy: Entropy) -> Result<(), Violation> {
        let settings = self.settings.clone();
        if self.fault == Some(Fault::TombstonesLostAtRestart) {
            self.drop_tombstones()?;
        }
        let machine = match &self.disk.state {
            Some(state) => works(Machine::restore(settings, state), "a stored state is not read")?,
            None => Machine::create(settings, now, entropy),
        };
        self.device = Some(machine.view(now).device);
        self.life = Some(Life {
            machine,
            shown: None,
            queue: VecDeque::new(),
            doing: "idle",
            wake_at: None,
            sent: None,
            callers: BTreeSet::new(),
        });
        Ok(())
    }

    /// Ends what is under way, then handles an event.
    pub fn handle(
        &mut self,
        happening: Happening<'_>,
        fate: Fate,
        count: &mut Coverage,
    ) -> Result<Done, Violation> {
        let mut done = Done::default();
        self.carry_out(usize::MAX, &mut done)?;
        let Some(life) = &mut self.life else { return Ok(done) };
        let Happening { event, now, entropy, genuine } = happening;
        let (doing, caller) = (name_of(&event), event.ticket());
        life.doing = doing;
        life.callers.extend(caller);
        self.disk.refused = false;
        let step = life.machine.handle(event, &now, entropy);
        if fate == Fate::Uncommitted {
            drop(step);
            self.life = None;
            count.note(doing, "killed before commit");
            done.died = true;
            return Ok(done);
        }
        let mut effects = step.commit(&mut self.disk);
        if self.disk.refused {
            count.note("refused", "store full");
        } else {
            done.committed = true;
            let outlived = genuine.is_some_and(|(_, grant)| self.shadow.outlived(grant));
            count.add("refused", "of a history that the authority lost", u64::from(outlived));
            let unknown = genuine.is_some_and(|(response, _)| !self.shadow.asked(response));
            count.add("refused", "of a history that the device lost", u64::from(unknown));
            let genuine = genuine.filter(|_| !outlived && !unknown);
            done.newer = self.learn(&effects, genuine)?;
            ordered(&effects)?;
            judged(&effects, caller, genuine.is_some(), doing)?;
            done.accepted = genuine.is_some();
            self.break_something(&mut effects, done.newer)?;
        }
        let Some(life) = &mut self.life else { return Ok(done) };
        let view = life.machine.view(&now);
        self.shadow.compare(&view)?;
        if let Some(plan) = &view.planned_change {
            count.note("planned change", if plan.used_at.is_some() { "used" } else { "open" });
        }
        life.queue = effects.into();
        self.end(fate, count, &mut done)?;
        Ok(done)
    }

    /// Carries out so many effects of those that wait.
    pub fn carry_out(&mut self, most: usize, done: &mut Done) -> Result<(), Violation> {
        let Some(life) = &mut self.life else { return Ok(()) };
        for _ in 0..most {
            match life.queue.pop_front() {
                None => break,
                Some(Effect::Publish(view)) => life.shown = Some(view),
                Some(Effect::Send { counter, request, .. }) => {
                    life.sent = Some(counter);
                    done.left.push(request);
                }
                Some(Effect::Reply(ticket, reply)) => {
                    demand(life.callers.remove(&ticket), Rule::AnsweredOnce, || {
                        format!("{ticket:?} was answered without having asked")
                    })?;
                    done.left.extend(reply.iter().filter_map(|reply| reply.request.clone()));
                    done.replies.push(reply);
                }
                Some(Effect::Signal(_)) => {}
                Some(Effect::WakeAt(at)) => life.wake_at = at,
            }
        }
        Ok(())
    }

    fn end(&mut self, fate: Fate, count: &mut Coverage, done: &mut Done) -> Result<(), Violation> {
        match fate {
            Fate::Whole => return self.carry_out(usize::MAX, done),
            Fate::Slow | Fate::Uncommitted => return Ok(()),
            Fate::Cut(effects) => self.carry_out(effects, done)?,
        }
        if let Some(life) = self.life.take() {
            count.note(life.doing, killed_before(life.queue.front()));
            count.add(life.doing, "killed after send", u64::from(!done.left.is_empty()));
            count.add(life.doing, "killed after reply", u64::from(!done.replies.is_empty()));
            done.died = true;
        }
        Ok(())
    }

    /// What is durable now, whether or not its effects are ever carried out.
    fn learn(&mut self, effects: &[Effect], genuine: Option<(&Response, &Grant)>) -> Result<bool, Violation> {
        let newer = genuine.is_some_and(|(response, grant)| self.shadow.took(response, grant));
        for effect in effects {
            match effect {
                Effect::Send { request, .. } => self.shadow.made(request)?,
                Effect::Reply(_, Ok(Reply { request: Some(request), .. })) => self.shadow.made(request)?,
                _ => {}
            }
        }
        Ok(newer)
    }

    fn break_something(&mut self, effects: &mut [Effect], newer: bool) -> Result<(), Violation> {
        match self.fault {
            Some(Fault::PublishedAfterSend) => effects.sort_by_key(|effect| match effect {
                Effect::Send { .. } => 0,
                Effect::Reply(..) => 1,
                Effect::Publish(_) => 2,
                _ => 3,
            }),
            Some(Fault::GrantEndsTombstones) if newer => self.drop_tombstones()?,
            _ => {}
        }
        Ok(())
    }

    fn drop_tombstones(&mut self) -> Result<(), Violation> {
        if let Some(state) = &mut self.disk.state {
            *state = works(without_tombstones(state), "the planted fault does not know the stored state")?;
        }
        Ok(())
    }
}

/// Publish comes before everything that leaves the device.
fn ordered(effects: &[Effect]) -> Result<(), Violation> {
    let publish = effects.iter().position(|effect| matches!(effect, Effect::Publish(_)));
    let leaves = effects.iter().position(|effect| matches!(effect, Effect::Send { .. } | Effect::Reply(..)));
    let first = match (publish, leaves) {
        (Some(publish), Some(leaves)) => publish < leaves,
        (publish, _) => publish.is_some(),
    };
    demand(first, Rule::PublishFirst, || {
        format!("the effects are {:?}", effects.iter().map(label).collect::<Vec<_>>())
    })
}

/// A caller with a response in hand is told at once, and told right.
fn judged(
    effects: &[Effect],
    caller: Option<Ticket>,
    genuine: bool,
    doing: &'static str,
) -> Result<(), Violation> {
    let Some(caller) = caller.filter(|_| doing == "import") else { return Ok(()) };
    let reply = effects.iter().find_map(|effect| match effect {
        Effect::Reply(ticket, reply) if *ticket == caller => Some(reply),
        _ => None,
    });
    let Some(reply) = reply else {
        return Err(Violation::of(Rule::AnsweredOnce, "who imports a response is not told what came of it"));
    };
    demand(reply.is_ok() == genuine, Rule::RefusesForeign, || {
        format!("genuine {genuine}, and told {reply:?}")
    })
}

fn killed_before(next: Option<&Effect>) -> &'static str {
    match next {
        Some(Effect::Publish(_)) => "killed before publish",
        Some(Effect::Send { .. }) => "killed before send",
        Some(Effect::Reply(..)) => "killed before reply",
        Some(Effect::Signal(_)) => "killed before signal",
        Some(Effect::WakeAt(_)) => "killed before timer",
        None => "killed after all effects",
    }
}

fn label(effect: &Effect) -> &'static str {
    match effect {
        Effect::Publish(_) => "publish",
        Effect::Send { .. } => "send",
        Effect::Reply(..) => "reply",
        Effect::Signal(_) => "signal",
        Effect::WakeAt(_) => "timer",
    }
}

fn name_of(event: &Event) -> &'static str {
    match event {
        Event::Start => "start",
        Event::Evidence(_) => "evidence",
        Event::Activate { .. } => "activate",
        Event::Return { .. } => "return",
        Event::Reclaim { .. } => "reclaim",
        Event::PlanChange { .. } => "plan change",
        Event::Response { .. } => "import",
        Event::SendFailed { .. } => "send failed",
        Event::Wake => "wake",
        Event::Shutdown => "shutdown",
    }
}
