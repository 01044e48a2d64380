//! Runs plans: one, many, and ever shorter ones until a failure is as plain as it gets.

use crate::simulation::coverage::Coverage;
use crate::simulation::fault::Fault;
use crate::simulation::plan::Plan;
use crate::simulation::violation::{Rule, Violation};
use crate::simulation::world::World;
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

/// What the plan of a seed breaks, if it breaks anything.
#[must_use]
pub fn broken_by(seed: u64, fault: Option<Fault>) -> Option<Violation> {
    run(&Plan::of(seed), fault).err().map(|stopped| stopped.violation)
}

/// Plays the plan of a seed, and gives each device so many exchanges to settle with.
pub fn settles_within(seed: u64, rounds: usize) -> Result<(), Violation> {
    let plan = Plan::of(seed);
    let mut world = World::new(&plan.setup, plan.seed, None)?;
    for step in &plan.steps {
        world.apply(*step)?;
    }
    world.settle(rounds)
}

/// Every line of what happens in the plan of a seed.
#[must_use]
pub fn story(seed: u64) -> Vec<String> {
    run_traced(&Plan::of(seed), None).unwrap_or_else(|stopped| stopped.trace)
}

/// Runs the plan of a seed.
pub fn run_seed(seed: u64, fault: Option<Fault>) -> Result<Figures, Box<Failure>> {
    let plan = Plan::of(seed);
    run(&plan, fault).map_err(|stopped| {
        let shortest = shorten(plan, fault, stopped.violation.rule);
        let stopped = run_traced(&shortest, fault).err().unwrap_or(stopped);
        Box::new(Failure { seed, violation: stopped.violation, trace: stopped.trace })
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

impl Stopped {
    fn at_once(violation: Violation) -> Self {
        Self { violation, trace: Vec::new() }
    }
}

fn run(plan: &Plan, fault: Option<Fault>) -> Result<Figures, Stopped> {
    let mut world = World::new(&plan.setup, plan.seed, fault).map_err(Stopped::at_once)?;
    play(plan, &mut world).map_err(Stopped::at_once)?;
    Ok(Figures { seeds: 1, steps: plan.steps.len() as u64, coverage: world.coverage })
}

/// The same, with every line of the story.
fn run_traced(plan: &Plan, fault: Option<Fault>) -> Result<Vec<String>, Stopped> {
    let mut world = World::new(&plan.setup, plan.seed, fault).map_err(Stopped::at_once)?;
    world.keep_trace();
    world.say(|_| format!("{} devices", plan.setup.devices));
    for (issuer, sells) in plan.setup.issuers.iter().enumerate() {
        for (license, sold) in sells.iter().enumerate() {
            world.say(|_| format!("issuer-{issuer} sells license {license}: {sold}"));
        }
    }
    let played = play(plan, &mut world);
    let trace: Vec<_> = world.trace().iter().cloned().chain(world.state()).collect();
    match played {
        Ok(()) => Ok(trace),
        Err(violation) => Err(Stopped { violation, trace }),
    }
}

fn play(plan: &Plan, world: &mut World) -> Result<(), Violation> {
    for step in &plan.steps {
        world.apply(*step)?;
    }
    world.settle(2)
}

/// Leaves steps out, many at a time and then one by one, as long as the same rule is broken.
fn shorten(mut plan: Plan, fault: Option<Fault>, rule: Rule) -> Plan {
    let breaks = |plan: &Plan| run(plan, fault).is_err_and(|stopped| stopped.violation.rule == rule);
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
