//! The seeded simulation: honest runs break no rule, and every planted fault is found.
//!
//! `LANDFAST_SIM_SEEDS=10000` is the long mode, `LANDFAST_SIM_SEED=42` replays one seed and tells its story.
#![expect(clippy::expect_used, clippy::panic, reason = "a failure here is a failed test")]

use landfast_core::event::Delivery;
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::authority::AuthorityFate;
use landfast_tests::simulation::deeds::What;
use landfast_tests::simulation::fault::Fault;
use landfast_tests::simulation::run::{Figures, broken_by, run_seeds, story};
use landfast_tests::simulation::setup::{Setup, Sold};
use landfast_tests::simulation::violation::Rule;
use landfast_tests::simulation::world::World;

/// Enough for every kind of thing to happen many times.
const SEEDS: u64 = 300;
/// Fewer seeds than this may miss something rare by chance.
const ENOUGH: u64 = 150;
/// A planted fault has to be found within so many seeds.
const BOUND: u64 = 200;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a seed, or a number of seeds"))
}

/// Seeds that failed once.
fn regressions() -> Vec<u64> {
    let lines = include_str!("simulation/regressions.txt").lines();
    let seeds = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    seeds.map(|line| line.trim().parse().expect("a seed in regressions.txt")).collect()
}

fn all_hold(seeds: &[u64]) -> Figures {
    match run_seeds(seeds, None) {
        Ok(figures) => figures,
        Err(failure) => panic!("{}", failure.report()),
    }
}

#[test]
fn b15_seeds_break_no_rule() {
    if let Some(seed) = number("LANDFAST_SIM_SEED") {
        let figures = all_hold(&[seed]);
        println!("{}\n{}", story(seed).join("\n"), figures.line());
        return;
    }
    let count = number("LANDFAST_SIM_SEEDS").unwrap_or(SEEDS);
    let seeds: Vec<u64> = (1..=count).collect();
    let figures = all_hold(&seeds);
    println!("{}\n{}", figures.coverage, figures.line());
    if count >= ENOUGH {
        assert_eq!(figures.coverage.missing(), Vec::<String>::new(), "never exercised");
    }
}

#[test]
fn b15_seeds_that_failed_once_hold() {
    let figures = all_hold(&regressions());
    println!("regressions: {}", figures.line());
}

#[test]
fn a_seed_tells_the_same_story_every_time() {
    for seed in [1, 2, 3] {
        let told = story(seed);
        assert!(told.len() > 20);
        assert_eq!(told, story(seed));
    }
    assert_ne!(story(1), story(2));
}

#[test]
fn b16_every_planted_fault_is_found() {
    let mut missed = Vec::new();
    for fault in Fault::ALL {
        let found = (1..=BOUND).find_map(|seed| broken_by(seed, Some(fault)).map(|broken| (seed, broken)));
        match found {
            Some((seed, broken)) => println!("{fault:?} is found by seed {seed}: {broken}"),
            None => missed.push(fault),
        }
    }
    assert_eq!(missed, [], "not found within {BOUND} seeds");
}

/// The shortest run that shows a fault which needs others to act between two effects of one agent.
#[test]
fn a23_published_after_send_breaks_its_trace() {
    let mut world = World::new(&Setup::of(2, &[Sold::ONE]), 1, Some(Fault::PublishedAfterSend)).unwrap();
    world.exchange(0, 0, What::Activate(0, None)).unwrap();
    world.command(0, 0, What::Return(0, None), Delivery::Online, Fate::Slow).unwrap();
    let sent = world.carry_out(0, 0, 1).unwrap().unwrap();
    world.take(0, sent, AuthorityFate::Answers).unwrap();
    let broken = world.exchange(1, 0, What::Activate(0, None)).unwrap_err();
    assert_eq!(broken.rule, Rule::NeverMoreThanSold, "{broken}");
}
