//! The agent is killed at every boundary that activate, reclaim and return pass, and started again.
//!
//! The boundaries are not listed here: a first run of each story writes down those that it passes, and then each of
//! them is hit in turn. A boundary that was not hit fails the test. The abort is that of a crash; what a power cut
//! does to the files is shown by the store's own tests, which rebuild the images that a disk may hold.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale, fault_binary, wait_for};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What an administrator does, on an agent that may hold a license already.
#[derive(Clone, Copy, Debug)]
enum Story {
    Activate,
    Reclaim,
    Return,
}

impl Story {
    fn begins_licensed(self) -> bool {
        !matches!(self, Self::Activate)
    }

    fn command(self, id: &str) -> Vec<&str> {
        match self {
            Self::Activate => vec!["activate", id],
            Self::Reclaim => vec!["reclaim"],
            Self::Return => vec!["return", "--all", "--yes"],
        }
    }

    /// Whether the license is held once the story has been told to its end.
    fn ends_licensed(self) -> bool {
        !matches!(self, Self::Return)
    }
}

#[test]
fn p8_activate_survives_a_crash_at_every_boundary() {
    survive(Story::Activate);
}

#[test]
fn p8_reclaim_survives_a_crash_at_every_boundary() {
    survive(Story::Reclaim);
}

#[test]
fn p8_return_survives_a_crash_at_every_boundary() {
    survive(Story::Return);
}

fn survive(story: Story) {
    let directory = tempfile::tempdir().unwrap();
    let mut authority = Authority::start(directory.path(), "acme").unwrap();
    let points = boundaries(story, directory.path(), &authority);
    // Each of the three has a record to store, a snapshot to publish, a request to send and a caller to answer.
    for kind in ["persist.", "publish.", "send.", "reply."] {
        assert!(
            points.iter().any(|(name, _)| name.starts_with(kind)),
            "{story:?} never passes {kind}*: {points:?}"
        );
    }
    println!("{story:?}: {} boundaries", points.len());
    let mut before = Progress::NotBegun;
    for (at, point) in points.iter().enumerate() {
        let progress = crash_at(story, point, directory.path(), &mut authority, at);
        assert!(
            before <= progress,
            "{story:?} {point:?}: {progress:?} after {before:?} one boundary earlier"
        );
        before = progress;
    }
    assert_eq!(before, Progress::Done, "{story:?}: the caller was answered");
}

/// How far a story had come when the agent was killed. I4: there is nothing between these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    NotBegun,
    /// The request is kept, its answer is not. What is given back is out of use from here on.
    Asked,
    Done,
}

impl Progress {
    /// As an agent shows it that cannot ask anyone; `before` is where it stood when the story began.
    fn of(story: Story, agent: &Agent, before: Position) -> Self {
        let now = Position::of(agent);
        let moved = (now.counter - before.counter, now.sequence - before.sequence);
        match (story, moved, agent.granted("points").unwrap()) {
            (Story::Activate, (0, 0), false) | (Story::Reclaim | Story::Return, (0, 0), true) => {
                Self::NotBegun
            }
            (Story::Activate | Story::Return, (1, 0), false) | (Story::Reclaim, (1, 0), true) => Self::Asked,
            (Story::Activate | Story::Reclaim, (1, 1), true) | (Story::Return, (1, 1), false) => Self::Done,
            between => panic!("between two states: {between:?}\n{}", agent.log()),
        }
    }
}

/// Of an agent: the request that it made last, and the grant that it holds.
#[derive(Clone, Copy, Debug)]
struct Position {
    counter: u64,
    sequence: u64,
}

impl Position {
    fn of(agent: &Agent) -> Self {
        let status = agent.landfast(&["status", "--json"]).unwrap().json().unwrap();
        let issuer = &status["issuers"][0];
        let sequence = issuer["grant"]["sequence"].as_u64().unwrap_or_default();
        Self { counter: issuer["counter"].as_u64().unwrap(), sequence }
    }
}

type Point = (String, usize);

/// The boundaries that a story passes, each with its number among those of its name since the agent started.
fn boundaries(story: Story, directory: &Path, authority: &Authority) -> Vec<Point> {
    let (mut agent, id, _) = prepared(story, directory, authority, "traced");
    let trace = directory.join("trace");
    agent.options().environment = vec![("LANDFAST_FAULT_TRACE".to_owned(), trace.display().to_string())];
    agent.run().unwrap();
    let read = || std::fs::read_to_string(&trace).unwrap_or_default();
    let passed_before = read().lines().count();
    agent.landfast(&story.command(&id)).unwrap().ok().unwrap();
    // The reply is the last effect but for signals; its boundary follows within the same step.
    wait_for("the last boundary", || read().ends_with("reply.after\n").then_some(())).unwrap();
    agent.stop().unwrap();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    let trace = read();
    let last = trace.lines().collect::<Vec<_>>().iter().rposition(|line| *line == "reply.after").unwrap();
    for (at, name) in trace.lines().enumerate().take(last + 1) {
        let number = numbers.entry(name.to_owned()).or_default();
        *number += 1;
        if at >= passed_before {
            points.push((name.to_owned(), *number));
        }
    }
    points
}

/// An installed agent, stopped, with the license that the story begins with.
fn prepared(story: Story, directory: &Path, authority: &Authority, name: &str) -> (Agent, String, Position) {
    let id = authority.sell(&Sale::perpetual("control", 3)).unwrap();
    let options = AgentOptions { program: Some(fault_binary().unwrap()), ..AgentOptions::default() };
    let mut agent = Agent::start(directory, name, &[authority], options).unwrap();
    if story.begins_licensed() {
        agent.activate(&id).unwrap();
    }
    let position = Position::of(&agent);
    agent.stop().unwrap();
    (agent, id, position)
}

fn crash_at(story: Story, point: &Point, directory: &Path, authority: &mut Authority, at: usize) -> Progress {
    let (mut agent, id, position) = prepared(story, directory, authority, &format!("crash-{at}"));
    let fault = format!("{}:{}", point.0, point.1);
    agent.options().environment = vec![("LANDFAST_FAULT".to_owned(), fault.clone())];
    agent.run().unwrap();
    let told = agent.landfast(&story.command(&id)).unwrap();
    let process = agent.process().unwrap();
    wait_for("the agent to be killed", || process.ended())
        .unwrap_or_else(|error| panic!("{story:?} did not pass {fault}: {error}; {told:?}"));

    // Alone it shows what it kept.
    authority.stop().unwrap();
    agent.options().environment.clear();
    agent.run().unwrap_or_else(|error| panic!("after {fault}: {error}"));
    let progress = Progress::of(story, &agent, position);
    // A caller who was told that it is done can rely on it.
    assert!(told.code != Some(0) || progress == Progress::Done, "{story:?} {fault}: {progress:?} {told:?}");

    authority.serve().unwrap();
    let log = agent.log();
    agent.landfast(&["reclaim"]).unwrap().ok().unwrap();
    let again = agent.landfast(&story.command(&id)).unwrap();
    let nothing_left = matches!(story, Story::Return) && again.code == Some(1);
    assert!(again.code == Some(0) || nothing_left, "{story:?} {fault}: {again:?} {log}");
    assert_eq!(agent.granted("points").unwrap(), story.ends_licensed(), "{story:?} {fault}: {log}");
    let pending = agent.landfast(&["pending", "--json"]).unwrap().json().unwrap();
    assert_eq!(pending["pending"].as_array().map(Vec::len), Some(0), "{story:?} {fault}: {pending}");
    once_each(authority);
    // I1 and I2: the authority counts exactly what the device holds.
    let counted = units(authority, &id);
    assert_eq!(counted, if story.ends_licensed() { 3 } else { 0 }, "{story:?} {fault}");
    // Usable from every state: it can be given back, and no unit is left behind.
    if story.ends_licensed() {
        agent.landfast(&["return", "--all", "--yes"]).unwrap().ok().unwrap();
        assert_eq!(units(authority, &id), 0, "{story:?} {fault}");
    }
    agent.stop().unwrap();
    progress
}

/// I3: whatever was sent again, each operation acted once.
fn once_each(authority: &Authority) {
    let history = authority.command(&["history", "--last", "1000", "--json"]).unwrap().json().unwrap();
    let mut acted = BTreeSet::new();
    for entry in history.as_array().unwrap() {
        if let Some(operation) = entry["operation"].as_str() {
            assert!(acted.insert(operation), "operation {operation} acted twice: {history}");
        }
    }
    assert!(!acted.is_empty(), "{history}");
}

fn units(authority: &Authority, id: &str) -> u64 {
    let shown = authority.command(&["license", "list", "--json"]).unwrap().json().unwrap();
    let issuer: toml::Table = std::fs::read_to_string(authority.issuer_file()).unwrap().parse().unwrap();
    let issuer = issuer["id"].as_str().unwrap().parse().unwrap();
    let license = id.parse::<landfast_protocol::ActivationId>().unwrap().license(&issuer).to_string();
    let found = shown.as_array().unwrap().iter().find(|row| row["license"] == license.as_str()).unwrap();
    found["units_in_use"].as_u64().unwrap()
}
