//! The story, chapter by chapter.

use crate::narrator::{chapter, say, show};
use anyhow::{Context, Result, ensure};
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_tests::harness::{Agent, AgentOptions, Authority, Bus, Process, Sale, binary, wait_for};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Everything that runs.
pub struct Stage {
    directory: PathBuf,
    bus: Bus,
    authority: Authority,
    server: Agent,
    other: Agent,
}

/// Tells the story in `directory`; what runs at its end is handed back.
pub fn tell(directory: &Path) -> Result<Stage> {
    chapter("A vendor sets up its license authority");
    let bus = Bus::start(directory)?;
    let authority = vendor(directory)?;
    let id = authority.sell(&Sale::perpetual("control", 500))?;
    say("The customer bought one perpetual license for 500 points. The activation id came by mail.");

    this_machine(directory, &bus, &authority, &id)?;
    let (server, recording) = field_server(directory, &bus, &authority, &id)?;
    hardware_changes(directory, &bus, &server, &recording)?;
    let other = moved(directory, &authority, &server, &id)?;
    Ok(Stage { directory: directory.to_owned(), bus, authority, server, other })
}

fn vendor(directory: &Path) -> Result<Authority> {
    let mut authority = Authority::init(directory, "acme")?;
    let run = |arguments: &[&str]| {
        let shown = format!("landfast-authority {}", arguments.join(" "));
        let mut command = Command::new(binary("landfast-authority")?);
        show(&shown, command.arg("--data").arg(&authority.directory).args(arguments), &[0])
    };
    run(&["organization", "add", "plant"])?;
    run(&["product", "add", "control", "--feature", "points"])?;
    authority.serve()?;
    say("\nIt answers over TLS on a loopback port. Devices pin its root key and its CA in one small file.");
    Ok(authority)
}

fn this_machine(directory: &Path, bus: &Bus, authority: &Authority, id: &str) -> Result<()> {
    chapter("This machine");
    let mut agent = Agent::start(directory, "this-machine", &[authority], AgentOptions::default().on(bus))?;
    landfast(&agent, &["fingerprint"], &[0])?;
    say("\nOnly keyed digests of these values leave the machine, and another vendor gets other digests.");
    landfast(&agent, &["activate", id], &[0])?;
    check_everywhere(&agent, bus)?;
    landfast(&agent, &["check", "points", "--quantity", "501"], &[1])?;
    landfast(&agent, &["return", "--all", "--yes"], &[0])?;
    landfast(&agent, &["check", "points"], &[1])?;
    agent.stop()
}

/// The same question over the command, over HTTP and over D-Bus.
fn check_everywhere(agent: &Agent, bus: &Bus) -> Result<()> {
    landfast(agent, &["check", "points", "--quantity", "500"], &[0])?;
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--unix-socket"]).arg(agent.socket());
    curl.arg("http://localhost/v1/entitlements/points?quantity=500");
    let answer = show(
        "curl --unix-socket agent.sock 'http://localhost/v1/entitlements/points?quantity=500'",
        &mut curl,
        &[0],
    )?;
    ensure!(answer.stdout.contains("\"granted\":true"), "HTTP did not grant");
    wait_for_name(bus)?;
    let mut gdbus = Command::new("gdbus");
    gdbus.args(["call", "--address", &bus.address, "--dest", "io.landfast.Agent1"]);
    gdbus.args(["--object-path", "/io/landfast/Agent1"]);
    gdbus.args(["--method", "io.landfast.Entitlements1.Check", "points", "500", "", ""]);
    let shown = "gdbus call --dest io.landfast.Agent1 --object-path /io/landfast/Agent1 \
                 --method io.landfast.Entitlements1.Check points 500 '' ''";
    let answer = show(shown, &mut gdbus, &[0])?;
    ensure!(answer.stdout.contains("true"), "D-Bus did not grant");
    Ok(())
}

fn wait_for_name(bus: &Bus) -> Result<()> {
    wait_for("the agent on the bus", || {
        let mut ask = Command::new("gdbus");
        ask.args(["call", "--address", &bus.address, "--dest", "org.freedesktop.DBus"]);
        ask.args(["--object-path", "/org/freedesktop/DBus"]);
        ask.args(["--method", "org.freedesktop.DBus.NameHasOwner", "io.landfast.Agent1"]);
        let answer = ask.output().ok()?;
        String::from_utf8_lossy(&answer.stdout).contains("true").then_some(())
    })
}

fn field_server(directory: &Path, bus: &Bus, authority: &Authority, id: &str) -> Result<(Agent, Recording)> {
    chapter("A field server with a recorded hardware");
    say(
        "From here on the agent reads a recorded machine, so that its parts can be exchanged without a screwdriver.",
    );
    let recording = FieldServer::example(1).write(directory.join("field-server-root"))?;
    let options =
        AgentOptions { sysroot: Some(recording.path().to_owned()), ..AgentOptions::default().on(bus) };
    let agent = Agent::start(directory, "field-server", &[authority], options)?;
    landfast(&agent, &["activate", id], &[0])?;
    landfast(&agent, &["fingerprint"], &[0])?;
    Ok((agent, recording))
}

fn hardware_changes(directory: &Path, bus: &Bus, server: &Agent, recording: &Recording) -> Result<()> {
    chapter("Its hardware changes while the agent runs");
    wait_for_name(bus)?;
    let mut monitor = Command::new("gdbus");
    monitor.args(["monitor", "--address", &bus.address, "--dest", "io.landfast.Agent1"]);
    let listener = Process::start(&mut monitor, &directory.join("signals.log"))?;
    wait_for("the D-Bus listener", || listener.output().contains("Monitoring").then_some(()))?;

    let spare = FieldServer::example(2);
    say("A technician replaces a network card …");
    let card: &Card = spare.cards.first().context("the example has network cards")?;
    let name = card.name.clone();
    recording.swap_card(&name, card)?;
    verdict(server, "bound")?;

    say("\n… then the disks …");
    for disk in &spare.disks {
        let disk: &Disk = disk;
        recording.swap_disk(&disk.name, disk)?;
    }
    verdict(server, "drifted")?;
    heard(&listener, "drifted")?;

    say("\n… and at last the board.");
    let board: &Board = spare.board.as_ref().context("the example has a board")?;
    recording.swap_board(board)?;
    verdict(server, "broken")?;
    heard(&listener, "broken")?;
    landfast(server, &["fingerprint"], &[0, 1])?;
    say(
        "\nThe software goes on: a broken binding is granted through its grace, and everybody is told until when.",
    );
    landfast(server, &["check", "points"], &[0])?;
    landfast(server, &["status"], &[0, 1])?;
    Ok(())
}

/// Looks at the hardware and waits for the verdict.
fn verdict(server: &Agent, expected: &str) -> Result<()> {
    landfast(server, &["rescan"], &[0])?;
    wait_for("the verdict", || {
        let shown = server.landfast(&["fingerprint", "--json"]).ok()?.json().ok()?;
        (shown["issuers"][0]["state"] == expected).then_some(())
    })
    .with_context(|| format!("the binding did not become {expected}"))?;
    say(&format!("    verdict: {expected}"));
    Ok(())
}

fn heard(listener: &Process, state: &str) -> Result<()> {
    let line = wait_for("a signal on the bus", || {
        let output = listener.output();
        let line = output.lines().rev().find(|line| line.contains("Changed") && line.contains(state))?;
        Some(line.to_owned())
    })?;
    say(&format!("    heard on the bus: {line}"));
    Ok(())
}

fn moved(directory: &Path, authority: &Authority, server: &Agent, id: &str) -> Result<Agent> {
    chapter("The license moves to another server");
    say(
        "A return works in every state, also after the binding broke, and needs no paper: the device signs it.",
    );
    landfast(server, &["return", "--all", "--yes"], &[0])?;
    let recording = FieldServer::example(3).write(directory.join("other-server-root"))?;
    let options = AgentOptions { sysroot: Some(recording.path().to_owned()), ..AgentOptions::default() };
    let other = Agent::start(directory, "other-server", &[authority], options)?;
    landfast(&other, &["activate", id], &[0])?;
    landfast(&other, &["check", "points", "--quantity", "500"], &[0])?;
    landfast(server, &["check", "points"], &[1])?;
    chapter("What the vendor sees");
    let mut history = Command::new(binary("landfast-authority")?);
    show("landfast-authority history", history.arg("--data").arg(&authority.directory).arg("history"), &[0])?;
    Ok(other)
}

fn landfast(agent: &Agent, arguments: &[&str], codes: &[i32]) -> Result<()> {
    let mut command = Command::new(binary("landfast")?);
    command.arg("--socket").arg(agent.socket()).args(arguments);
    // An activation id is a secret, also in a demonstration.
    let shown: Vec<&str> =
        arguments.iter().map(|a| if a.len() == 36 { "ACTIVATION-ID" } else { a }).collect();
    show(&format!("landfast {}", shown.join(" ")), &mut command, codes).map(drop)
}

impl Stage {
    /// Ends everything; nothing is left behind.
    pub fn clear(mut self, directory: TempDir) -> Result<()> {
        self.server.stop()?;
        self.other.stop()?;
        self.authority.stop()?;
        self.bus.process.stop()?;
        drop(self);
        directory.close()?;
        say("\nThat was the life of a license. Everything has been ended and removed.");
        Ok(())
    }

    /// Leaves everything running and says how to reach and how to end it.
    pub fn keep(mut self, directory: TempDir) -> Result<()> {
        let mut ids = vec![self.bus.process.id()];
        ids.extend([self.server.process()?.id(), self.other.process()?.id()]);
        ids.extend(self.authority.process_id());
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        chapter("Left running");
        let own = binary("landfast")?;
        say(&format!("command:   {} --socket {} status", own.display(), self.other.socket().display()));
        say(&format!(
            "HTTP:      curl --unix-socket {} http://localhost/v1/status",
            self.other.socket().display()
        ));
        say(&format!("D-Bus:     busctl --address={} tree io.landfast.Agent1", self.bus.address));
        let vendor = binary("landfast-authority")?;
        say(&format!(
            "authority: {} --data {} license list",
            vendor.display(),
            self.authority.directory.display()
        ));
        say(&format!("end it:    kill {} && rm -r {}", ids.join(" "), self.directory.display()));
        let _ = directory.keep();
        // Dropping the stage would end its processes.
        std::mem::forget(self);
        Ok(())
    }
}
