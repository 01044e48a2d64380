//! The agent is killed at every boundary that activate, reclaim and return pass, and started again.
//!
//! The boundaries are not listed here: a first run of each story writes down those that it passes, and then each of
//! them is hit in turn. A boundary that was not hit fails the test. The abort is that of a crash; what a power cut
//! does to the files is shown by the store's own tests, which rebuild the images that a disk may hold.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale, fault_binary, wait_for};
use std::collections::BTreeMap;
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
    let authority = Authority::start(directory.path(), "acme").unwrap();
    let points = boundaries(story, directory.path(), &authority);
    // Each of the three has a record to store, a snapshot to publish, a request to send and a caller to answer.
    for kind in ["persist.", "publish.", "send.", "reply."] {
        assert!(
            points.iter().any(|(name, _)| name.starts_with(kind)),
            "{story:?} never passes {kind}*: {points:?}"
        );
    }
    println!("{story:?}: {} boundaries", points.len());
    for (at, point) in points.iter().enumerate() {
        crash_at(story, point, directory.path(), &authority, at);
    }
}

type Point = (String, usize);

/// The boundaries that a story passes, each with its number among those of its name since the agent started.
fn boundaries(story: Story, directory: &Path, authority: &Authority) -> Vec<Point> {
    let (mut agent, id) = prepared(story, directory, authority, "traced");
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
fn prepared(story: Story, directory: &Path, authority: &Authority, name: &str) -> (Agent, String) {
    let id = authority.sell(&Sale::perpetual("control", 3)).unwrap();
    let options = AgentOptions { program: Some(fault_binary().unwrap()), ..AgentOptions::default() };
    let mut agent = Agent::start(directory, name, &[authority], options).unwrap();
    if story.begins_licensed() {
        agent.activate(&id).unwrap();
    }
    agent.stop().unwrap();
    (agent, id)
}

fn crash_at(story: Story, point: &Point, directory: &Path, authority: &Authority, at: usize) {
    let (mut agent, id) = prepared(story, directory, authority, &format!("crash-{at}"));
    let fault = format!("{}:{}", point.0, point.1);
    agent.options().environment = vec![("LANDFAST_FAULT".to_owned(), fault.clone())];
    agent.run().unwrap();
    let told = agent.landfast(&story.command(&id)).unwrap();
    let process = agent.process().unwrap();
    wait_for("the agent to be killed", || process.ended())
        .unwrap_or_else(|error| panic!("{story:?} did not pass {fault}: {error}; {told:?}"));

    agent.options().environment.clear();
    agent.run().unwrap_or_else(|error| panic!("after {fault}: {error}"));
    let log = agent.log();
    // I4: before or after, never between. A caller who was told that it is done can rely on it.
    if told.code == Some(0) {
        assert_eq!(agent.granted("points").unwrap(), story.ends_licensed(), "{story:?} {fault}: {log}");
    }
    // A return that was stored is final, also before the authority heard of it; one that was not never happened.
    agent.landfast(&["reclaim"]).unwrap().ok().unwrap();
    let again = agent.landfast(&story.command(&id)).unwrap();
    let nothing_left = matches!(story, Story::Return) && again.code == Some(1);
    assert!(again.code == Some(0) || nothing_left, "{story:?} {fault}: {again:?} {log}");
    assert_eq!(agent.granted("points").unwrap(), story.ends_licensed(), "{story:?} {fault}: {log}");
    let pending = agent.landfast(&["pending", "--json"]).unwrap().json().unwrap();
    assert_eq!(pending["pending"].as_array().map(Vec::len), Some(0), "{story:?} {fault}: {pending}");
    // I1 and I2: the authority counts exactly what the device holds.
    let counted = units(authority, &id);
    assert_eq!(counted, if story.ends_licensed() { 3 } else { 0 }, "{story:?} {fault}");
    // Usable from every state: it can be given back, and no unit is left behind.
    if story.ends_licensed() {
        agent.landfast(&["return", "--all", "--yes"]).unwrap().ok().unwrap();
        assert_eq!(units(authority, &id), 0, "{story:?} {fault}");
    }
    agent.stop().unwrap();
}

fn units(authority: &Authority, id: &str) -> u64 {
    let shown = authority.command(&["license", "list", "--json"]).unwrap().json().unwrap();
    let issuer: toml::Table = std::fs::read_to_string(authority.issuer_file()).unwrap().parse().unwrap();
    let issuer = issuer["id"].as_str().unwrap().parse().unwrap();
    let license = id.parse::<landfast_protocol::ActivationId>().unwrap().license(&issuer).to_string();
    let found = shown.as_array().unwrap().iter().find(|row| row["license"] == license.as_str()).unwrap();
    found["units_in_use"].as_u64().unwrap()
}
