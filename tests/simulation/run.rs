//! Runs plans: one, many, and ever shorter ones until a failure is as plain as it gets.

use crate::simulation::coverage::Coverage;
use crate::simulation::fault::Fault;
use crate::simulation::plan::{Action, Plan, Step};
use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;
use landfast_protocol::Timestamp;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What one run, or many, came to.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Runs.
    pub seeds: u64,
    /// Actions that were tried.
    pub steps: u64,
    /// What was exercised.
    pub coverage: Coverage,
}

impl Figures {
    /// One line for the end of a run.
    #[must_use]
    pub fn line(&self) -> String {
        let count = |what| self.coverage.all(what);
        format!(
            "simulation: {} seeds, {} steps, {} exchanges, {} crashes, {} imports, no rule broken",
            self.seeds,
            self.steps,
            count("answer"),
            self.coverage.of("device", "crashed") + self.coverage.of("device", "lost power"),
            self.coverage.of("response", "newer grant") + self.coverage.of("response", "older grant"),
        )
    }
}

/// A failure that can be replayed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was broken.
    pub violation: Violation,
    /// A shorter run that breaks the same rule, line by line.
    pub trace: Vec<String>,
}

impl Failure {
    /// For the person who reads it.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = format!("seed {} breaks {}\n", self.seed, self.violation);
        for line in &self.trace {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(
            text,
            "replay: LANDFAST_SIM_SEED={} cargo test -p landfast-tests --test simulation -- --nocapture seeds",
            self.seed
        );
        let _ = write!(text, "keep it: add the line `{}` to tests/simulation/regressions.txt", self.seed);
        text
    }
}

/// Runs the plan of a seed.
pub fn run_seed(seed: u64, fault: Option<Fault>) -> Result<Figures, Box<Failure>> {
    let plan = Plan::of(seed);
    run(&plan, fault, false).map_err(|stopped| {
        let shortest = shorten(plan, fault, stopped.violation.rule);
        let again = run(&shortest, fault, true);
        let (violation, trace) = match again {
            Err(stopped) => (stopped.violation, stopped.trace),
            Ok(_) => (stopped.violation, stopped.trace),
        };
        Box::new(Failure { seed, violation, trace })
    })
}

/// Runs many seeds on every processor. The first failure by seed wins, so that the result does not depend on
/// which thread was faster.
pub fn run_seeds(seeds: &[u64], fault: Option<Fault>) -> Result<Figures, Box<Failure>> {
    let next = AtomicUsize::new(0);
    let found: Mutex<(Figures, Option<Box<Failure>>)> = Mutex::default();
    let work = || {
        let mut own = Figures::default();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            match run_seed(*seed, fault) {
                Ok(figures) => own.add(&figures),
                Err(failure) => {
                    next.store(seeds.len(), Ordering::Relaxed);
                    let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if found.1.as_ref().is_none_or(|known| failure.seed < known.seed) {
                        found.1 = Some(failure);
                    }
                }
            }
        }
        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0.add(&own);
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (figures, failure) = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failure.map_or(Ok(figures), Err)
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.coverage.merge(&other.coverage);
    }
}

/// A run that ended early.
struct Stopped {
    violation: Violation,
    trace: Vec<String>,
}

fn run(plan: &Plan, fault: Option<Fault>, traced: bool) -> Result<Figures, Stopped> {
    let stopped = |violation, world: &World| Stopped {
        violation,
        trace: if traced { world.trace().iter().cloned().chain(world.state()).collect() } else { Vec::new() },
    };
    let mut world = match World::new(&plan.setup, plan.seed, fault) {
        Ok(world) => world,
        Err(violation) => return Err(Stopped { violation, trace: Vec::new() }),
    };
    if traced {
        world.keep_trace();
        world.say(|_| format!("{} devices; issuers sell {:?}", plan.setup.devices, plan.setup.issuers));
    }
    for step in &plan.steps {
        world.apply(*step).map_err(|violation| stopped(violation, &world))?;
    }
    world.settle(2).map_err(|violation| stopped(violation, &world))?;
    Ok(Figures { seeds: 1, steps: plan.steps.len() as u64, coverage: world.coverage })
}

/// Leaves steps out, many at a time and then one by one, as long as the same rule is broken.
fn shorten(mut plan: Plan, fault: Option<Fault>, rule: Rule) -> Plan {
    let breaks = |plan: &Plan| run(plan, fault, false).is_err_and(|stopped| stopped.violation.rule == rule);
    let mut size = plan.steps.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < plan.steps.len() {
            let mut shorter = plan.clone();
            shorter.steps.drain(at..(at + size).min(plan.steps.len()));
            if breaks(&shorter) {
                plan = shorter;
            } else {
                at += size;
            }
        }
        if size == 1 {
            return plan;
        }
        size /= 2;
    }
}

impl World {
    /// Lets one step of a plan happen.
    pub fn apply(&mut self, step: Step) -> Result<(), Violation> {
        let Step { device, issuer, action } = step;
        match action {
            Action::Command(what, delivery, fate) => {
                if self.servers[device].is_up() {
                    self.command(device, issuer, what, delivery, fate)?;
                }
            }
            Action::CarryOut => {
                self.carry_out(device, issuer, 1)?;
            }
            Action::Deliver(back, fate) => {
                if let Some(letter) = nth_back(back, self.authorities[issuer].letters.len(), |at| {
                    self.authorities[issuer].letters[at].device == device
                }) {
                    self.take(issuer, letter, fate)?;
                }
            }
            Action::Import(back, by, fate) => {
                let answer = nth_back(back, self.authorities[issuer].answers.len(), |at| {
                    self.authorities[issuer].answers[at].device == device
                });
                if let Some(answer) = answer.filter(|_| self.servers[device].is_up()) {
                    self.import(device, issuer, answer, by, fate)?;
                }
            }
            Action::SendFailed(fate) => self.send_failed(device, issuer, fate)?,
            Action::Wake(fate) => {
                self.wake(device, issuer, fate)?;
            }
            Action::Wait(seconds) => {
                self.now += seconds;
                self.say(|_| format!("{seconds} seconds pass"));
            }
            Action::Hardware(change, fate) => {
                self.say(|_| format!("hardware of device {device}: {change:?}, {fate:?}"));
                self.change(device, change, fate)?;
            }
            Action::Crash(power) => self.crash(device, power),
            Action::Stop => self.stop(device)?,
            Action::Restart(fate) => self.restart_one(device, fate)?,
            Action::Fill(full) => self.fill(device, full),
            Action::Reset(license) => {
                self.reset(issuer, license, device)?;
            }
            Action::Update => {
                self.update(issuer, device)?;
            }
            Action::SetClock(_) | Action::CorrectClock => self.set_clock(device, action),
            Action::RestartAuthority => {
                self.authorities[issuer].restart();
                self.coverage.note("authority", "restarted");
            }
            Action::Misdeliver(..) | Action::DamageAnswer(..) | Action::DamageRequest(..) => {
                self.mislead(device, issuer, action)?;
            }
        }
        self.check()
    }

    /// The first device from this one on that is down.
    fn restart_one(&mut self, device: usize, fate: crate::simulation::agent::Fate) -> Result<(), Violation> {
        let count = self.servers.len();
        let down = (device..device + count).map(|at| at % count).find(|at| !self.servers[*at].is_up());
        down.map_or(Ok(()), |device| self.restart(device, fate))
    }

    fn set_clock(&mut self, device: usize, action: Action) {
        self.say(|_| format!("device {device}: {action:?}"));
        match action {
            Action::SetClock(shift) => self.servers[device].clock.set(shift),
            _ => self.servers[device].clock.correct(),
        }
        self.coverage.note("device", "clock set");
    }

    fn mislead(&mut self, device: usize, issuer: usize, action: Action) -> Result<(), Violation> {
        match action {
            Action::Misdeliver(which, by) => {
                let others = self.authorities.iter().enumerate().flat_map(|(from, authority)| {
                    let foreign = move |device_of: usize| from != issuer || device_of != device;
                    let answers = authority.answers.iter().filter(move |answer| foreign(answer.device));
                    answers.map(move |answer| (from, answer.bytes.clone()))
                });
                let others: Vec<_> = others.collect();
                if let Some((from, bytes)) = others.get(which % others.len().max(1)).cloned() {
                    let kind = if from == issuer { "another device's" } else { "another issuer's" };
                    self.give_foreign(device, issuer, bytes, by, kind)?;
                }
            }
            Action::DamageAnswer(back, bit, by) => {
                let answers = &self.authorities[issuer].answers;
                if let Some(at) = nth_back(back, answers.len(), |at| answers[at].device == device) {
                    let bytes = damaged(&answers[at].bytes, bit);
                    self.give_foreign(device, issuer, bytes, by, "damaged")?;
                }
            }
            Action::DamageRequest(back, bit) => {
                let letters = &self.authorities[issuer].letters;
                if let Some(at) = nth_back(back, letters.len(), |at| letters[at].device == device) {
                    let bytes = damaged(&letters[at].bytes, bit);
                    let refused = self.authorities[issuer].refuses(bytes, Timestamp(self.now));
                    demand(refused, Rule::RefusesForeign, || "a damaged request was answered".to_owned())?;
                    self.coverage.note("refused", "damaged request");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Of the entries that fit, the one that `back` newer ones follow; around again where there are fewer.
fn nth_back(back: usize, count: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let fitting: Vec<_> = (0..count).rev().filter(|at| fits(*at)).collect();
    fitting.get(back % fitting.len().max(1)).copied()
}

fn damaged(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bit / 8 % bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
    bytes
}
