//! Hardware that changes, and hardware that does not, while the agent runs.

use crate::support::Stage;
use landfast_hardware::fixture::{Card, Disk, FieldServer, Recording};
use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale, is_root, run, skipped, wait_for};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// A vendor, and a licensed field server whose parts can be replaced.
pub struct Recorded {
    pub authority: Authority,
    pub agent: Agent,
    pub recording: Recording,
    pub directory: tempfile::TempDir,
}

pub fn recorded() -> Recorded {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::start(directory.path(), "acme").unwrap();
    let recording = FieldServer::example(1).write(directory.path().join("root")).unwrap();
    let options = AgentOptions { sysroot: Some(recording.path().to_owned()), ..AgentOptions::default() };
    let agent = Agent::start(directory.path(), "server", &[&authority], options).unwrap();
    let id = authority.sell(&Sale::perpetual("control", 10)).unwrap();
    agent.activate(&id).unwrap();
    Recorded { authority, agent, recording, directory }
}

/// After a look at the hardware.
pub fn verdict(agent: &Agent) -> String {
    agent.landfast(&["rescan"]).unwrap().ok().unwrap();
    let shown = agent.landfast(&["fingerprint", "--json"]).unwrap().json().unwrap();
    shown["issuers"][0]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn d3_bound_drifted_broken_with_grace_and_p4_a_return_all_the_same() {
    let stage = recorded();
    let spare = FieldServer::example(2);
    assert_eq!(verdict(&stage.agent), "bound");
    let card: &Card = &spare.cards[0];
    stage.recording.swap_card(&card.name, card).unwrap();
    assert_eq!(verdict(&stage.agent), "bound");
    for disk in &spare.disks {
        let disk: &Disk = disk;
        stage.recording.swap_disk(&disk.name, disk).unwrap();
    }
    assert_eq!(verdict(&stage.agent), "drifted");
    stage.recording.swap_board(spare.board.as_ref().unwrap()).unwrap();
    assert_eq!(verdict(&stage.agent), "broken");
    let check = stage.agent.check("points").unwrap();
    assert_eq!(
        (check["granted"].as_bool(), check["reason"].as_str()),
        (Some(true), Some("grace")),
        "{check}"
    );
    assert!(check["until"].is_string(), "{check}");
    crate::support::expect(&stage.agent, &["return", "--all", "--yes"], 0, "");
    assert_eq!(crate::support::held(&stage.authority), 0);
}

#[test]
fn b6_a_drifted_machine_is_bound_anew_by_the_next_exchange() {
    let stage = recorded();
    let spare = FieldServer::example(2);
    for disk in &spare.disks {
        stage.recording.swap_disk(&disk.name, disk).unwrap();
    }
    stage.recording.swap_card(&spare.cards[0].name, &spare.cards[0]).unwrap();
    assert_eq!(verdict(&stage.agent), "drifted");
    stage.agent.landfast(&["reclaim"]).unwrap().ok().unwrap();
    assert_eq!(verdict(&stage.agent), "bound");
}

/// Interfaces of this test only, gone again when dropped.
struct Interfaces(Vec<&'static str>);

impl Interfaces {
    fn ip(arguments: &[&str]) -> bool {
        run(Command::new("ip").args(arguments), "").is_ok_and(|ran| ran.code == Some(0))
    }
}
impl Drop for Interfaces {
    fn drop(&mut self) {
        for name in &self.0 {
            Self::ip(&["link", "delete", name]);
        }
    }
}

#[test]
fn p1_a_bridge_and_a_veth_made_while_the_agent_runs_change_nothing() {
    let name = "p1_a_bridge_and_a_veth_made_while_the_agent_runs_change_nothing";
    if !is_root() {
        return skipped(name, "needs root to make interfaces");
    }
    let stage = Stage::new();
    let id = stage.sell(1);
    stage.agent.activate(&id).unwrap();
    let factors = || {
        stage.agent.landfast(&["rescan"]).unwrap().ok().unwrap();
        let shown = stage.agent.landfast(&["fingerprint", "--json"]).unwrap().json().unwrap();
        let issuer = &shown["issuers"][0];
        (issuer["state"].clone(), issuer["groups"].clone())
    };
    let before = factors();
    let mut events = UnixStream::connect(stage.agent.socket()).unwrap();
    events.write_all(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut said = String::new();
    wait_for("the stream of events", || heard(&mut events, &mut said).contains("retry:").then_some(()))
        .unwrap();
    let mut made = Interfaces(Vec::new());
    if !Interfaces::ip(&["link", "add", "lfbridge0", "type", "bridge"]) {
        return skipped(name, "this kernel makes no bridge");
    }
    made.0.push("lfbridge0");
    if !Interfaces::ip(&["link", "add", "lfveth0", "type", "veth", "peer", "name", "lfveth1"]) {
        return skipped(name, "this kernel makes no veth");
    }
    made.0.push("lfveth0");
    assert!(Interfaces::ip(&["link", "set", "lfveth0", "master", "lfbridge0"]));
    assert_eq!(factors(), before);
    drop(made);
    let after = wait_for("the interfaces to go", || Some(factors())).unwrap();
    assert_eq!(after, before);
    assert!(stage.agent.granted("points").unwrap());
    // Signals come in order: before that of the return there was none.
    stage.agent.landfast(&["return", "--all", "--yes"]).unwrap().ok().unwrap();
    wait_for("a signal", || heard(&mut events, &mut said).contains("event: licenses").then_some(())).unwrap();
    let first = said.split("event: ").nth(1).unwrap();
    assert!(first.starts_with("entitlements"), "{said}");
}

/// What a stream of events has said by now.
fn heard<'a>(events: &mut UnixStream, said: &'a mut String) -> &'a str {
    events.set_nonblocking(true).unwrap();
    let mut some = [0; 4096];
    while let Ok(length @ 1..) = events.read(&mut some) {
        said.push_str(&String::from_utf8_lossy(&some[..length]));
    }
    said
}
