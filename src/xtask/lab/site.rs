//! One scenario's world: a vendor, a wire, and a field server. What scenarios do and expect is said in these words.

use super::Lab;
use super::hardware::Hardware;
use super::machine::Machine;
use super::process::{Ran, run};
use super::vendor::{FEATURE, NAME, Vendor};
use super::wait::{CONDITION, SIGNAL, wait_for};
use super::wire::Splice;
use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A battery clock that is right, in UTC.
const RIGHT: &str = "utc";

/// A vendor, a wire, and a field server.
pub struct Site<'a> {
    // In this order: the field server ends before its vendor.
    pub machine: Machine,
    pub wire: Splice,
    pub vendor: Vendor,
    lab: &'a Lab,
    directory: PathBuf,
}

impl<'a> Site<'a> {
    /// Starts the vendor; the field server is not switched on yet.
    pub fn new(lab: &'a Lab, name: &str) -> Result<Self> {
        let directory = lab.directory.join(name);
        std::fs::create_dir_all(&directory)?;
        let vendor = Vendor::start(lab, &directory)?;
        let wire = Splice::to(vendor.address)?;
        let machine = Machine::new(lab, &directory, wire.address)?;
        Ok(Self { machine, wire, vendor, lab, directory })
    }

    /// Tells what happens.
    pub fn say(&self, what: &str) {
        println!("  {what}");
    }

    /// Switches a new field server on and installs the agent.
    pub fn install(&mut self, hardware: &Hardware) -> Result<()> {
        self.install_at(hardware, RIGHT)
    }

    /// The same with another battery clock, as QEMU takes it: see [`clock`].
    pub fn install_at(&mut self, hardware: &Hardware, clock: &str) -> Result<()> {
        self.switch_on(hardware, clock)?;
        for program in [&self.lab.programs.daemon, &self.lab.programs.command] {
            let name = program.file_name().context("a program has a name")?.to_string_lossy();
            self.machine.upload(program, &format!("/usr/local/bin/{name}"), "755")?;
        }
        let issuer = format!("/etc/landfast/issuers.d/{NAME}.toml");
        self.machine.upload(&self.vendor.issuer_file(), &issuer, "644")?;
        self.machine.run("systemctl start landfastd")?.ok()?;
        self.agent_answers()
    }

    /// Switches the field server on with these parts, and waits for the agent.
    pub fn boot(&mut self, hardware: &Hardware) -> Result<()> {
        self.boot_at(hardware, RIGHT)
    }

    /// The same with another battery clock.
    pub fn boot_at(&mut self, hardware: &Hardware, clock: &str) -> Result<()> {
        self.switch_on(hardware, clock)?;
        self.agent_answers()
    }

    /// Shuts the field server down and boots it with these parts.
    pub fn reboot(&mut self, hardware: &Hardware) -> Result<()> {
        self.reboot_at(hardware, RIGHT)
    }

    /// The same with another battery clock.
    pub fn reboot_at(&mut self, hardware: &Hardware, clock: &str) -> Result<()> {
        self.machine.power_off()?;
        self.boot_at(hardware, clock)
    }

    /// Runs `landfast --json` with these arguments.
    pub fn landfast(&mut self, arguments: &str) -> Result<Ran> {
        self.machine.run(&format!("landfast --json {arguments}"))
    }

    /// Sells a license that never ends and activates it online.
    pub fn buy_and_activate(&mut self) -> Result<()> {
        let id = self.vendor.sell(&["--model", "perpetual"])?;
        self.activate(&id)
    }

    /// Activates and expects it to be done.
    pub fn activate(&mut self, id: &str) -> Result<()> {
        self.is_online()?;
        self.landfast(&format!("activate {id}"))?.ok().map(drop)
    }

    /// Gets the latest from the vendor.
    pub fn reclaim(&mut self) -> Result<()> {
        self.is_online()?;
        self.landfast("reclaim")?.ok().map(drop)
    }

    /// Gives everything back and expects it to be done.
    pub fn give_back(&mut self) -> Result<()> {
        self.is_online()?;
        self.landfast("return --all --yes")?.ok().map(drop)
    }

    /// Waits until a card has an address.
    pub fn is_online(&mut self) -> Result<()> {
        self.eventually("a network", |site| {
            let addresses = site.machine.run("ip -4 -oneline address show scope global")?.stdout;
            Ok(addresses.contains("inet 10.0.2.").then_some(()))
        })
    }

    /// Looks at the hardware now and expects this verdict.
    pub fn is(&mut self, state: &str) -> Result<Value> {
        self.landfast("rescan")?.ok()?;
        let binding = self.binding()?;
        ensure!(binding["state"] == state, "expected {state}: {binding}");
        self.say(&format!("verdict: {state}, score {}", binding["score_permille"]));
        Ok(binding)
    }

    /// Expects it to be bound, and nothing to have changed.
    pub fn is_whole(&mut self) -> Result<Value> {
        let binding = self.is("bound")?;
        ensure!(binding["score_permille"] == 1000, "something has changed: {binding}");
        Ok(binding)
    }

    /// How the hardware compares, as the agent knows it.
    pub fn binding(&mut self) -> Result<Value> {
        Ok(self.landfast("fingerprint")?.json()?["issuers"][0].clone())
    }

    /// The answer to a check.
    pub fn check(&mut self) -> Result<Value> {
        self.landfast(&format!("check {FEATURE}"))?.json()
    }

    /// Expects the feature to be granted for this reason.
    pub fn grants(&mut self, reason: &str) -> Result<Value> {
        self.answers(true, reason)
    }

    /// Expects the feature to be denied for this reason.
    pub fn denies(&mut self, reason: &str) -> Result<Value> {
        self.answers(false, reason)
    }

    /// How it stands with the vendor.
    pub fn status(&mut self) -> Result<Value> {
        Ok(self.landfast("status")?.json()?["issuers"][0].clone())
    }

    /// Licensing time, which sorts as text.
    pub fn licensing_time(&mut self) -> Result<String> {
        let status = self.status()?;
        Ok(status["licensing_time"].as_str().with_context(|| format!("no time: {status}"))?.to_owned())
    }

    /// Begins to listen to signals on the system bus.
    pub fn listens(&mut self) -> Result<()> {
        self.machine.start("signals", "exec gdbus monitor --system --dest io.landfast.Agent1")?;
        self.eventually("the listener", |site| Ok(site.signals()?.contains("is owned by").then_some(())))
    }

    /// Expects a signal that the binding became `state`, within the required time. `begun` runs since the change.
    pub fn hears(&mut self, state: &str, begun: &Stopwatch) -> Result<()> {
        let end = format!("'{state}')");
        wait_for(&format!("the signal that the binding is {state}"), SIGNAL, || {
            let heard = self.signals()?;
            let said = heard.lines().any(|line| line.contains("Binding1.Changed") && line.ends_with(&end));
            Ok(said.then_some(()))
        })?;
        self.lab.figure("signal after a change", begun.elapsed());
        Ok(())
    }

    /// Waits until the agent itself notices that a group is in this state, within the time that a signal may take.
    pub fn notices(&mut self, group: &str, state: &str) -> Result<()> {
        wait_for(&format!("the agent to see that {group} is {state}"), SIGNAL, || {
            let binding = self.binding()?;
            let groups = binding["groups"].as_array().context("no groups")?;
            Ok(groups.iter().any(|known| known["group"] == group && known["state"] == state).then_some(()))
        })
    }

    /// Waits for something to come about.
    pub fn eventually<T>(
        &mut self,
        what: &str,
        mut ask: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        wait_for(what, CONDITION, || ask(self))
    }

    /// Expects that vendor and field server agree on every license: none lost, none doubled, nothing on its way.
    pub fn books_agree(&mut self) -> Result<()> {
        self.vendor.is_at_peace()?;
        let pending = self.landfast("pending")?.json()?;
        ensure!(pending["pending"].as_array().is_some_and(Vec::is_empty), "on its way: {pending}");
        let held = self.landfast("licenses")?.json()?;
        for sold in self.vendor.licenses()? {
            let (license, of_vendor) = (&sold["license"], sold["units_in_use"].as_u64());
            let here = held["licenses"].as_array().context("no licenses")?;
            let here: u64 = here
                .iter()
                .filter(|own| own["license"] == *license)
                .filter_map(|own| own["quantity"].as_u64())
                .sum();
            ensure!(of_vendor == Some(here), "the vendor knows {sold}, the field server {held}");
        }
        Ok(())
    }

    /// What a person needs to look inside.
    pub fn print_ways_in(&mut self) {
        let key = self.lab.image.ssh_key.display();
        let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
        println!("field server:  ssh -p {} -i {key} {options} root@127.0.0.1", self.machine.ssh_port());
        println!("vendor:        {} license list", self.vendor.shown());
        println!("its files:     {}", self.directory.display());
    }

    /// What helps to understand a failure.
    pub fn print_traces(&mut self) {
        println!("--- the end of the console\n{}", self.machine.console());
        if self.machine.is_on() {
            let journal = self.machine.run("journalctl --no-pager --unit landfastd --lines 40");
            println!("--- the agent's journal\n{}", journal.map(|ran| ran.stdout).unwrap_or_default());
        }
    }

    fn answers(&mut self, granted: bool, reason: &str) -> Result<Value> {
        let check = self.check()?;
        ensure!(
            check["granted"] == granted && check["reason"] == reason,
            "expected granted={granted}, reason={reason}: {check}"
        );
        Ok(check)
    }

    fn signals(&mut self) -> Result<String> {
        self.machine.run("cat /run/lab/signals")?.ok()
    }

    fn switch_on(&mut self, hardware: &Hardware, clock: &str) -> Result<()> {
        let took = self.machine.boot(hardware, clock)?;
        self.lab.figure("boot", took);
        self.say(&format!("the field server is up after {:.1} s", took.as_secs_f64()));
        Ok(())
    }

    fn agent_answers(&mut self) -> Result<()> {
        self.eventually("the agent to answer", |site| {
            Ok((site.landfast("status")?.code != UNREACHABLE).then_some(()))
        })
    }
}

/// Exit code of `landfast` where no agent answers.
const UNREACHABLE: i32 = 3;

/// A battery clock for QEMU, in the words of date(1): `1 hour ago`, `now + 31 days`, `2038-01-20`.
pub fn clock(words: &str) -> Result<String> {
    let date = run(Command::new("date").args(["--utc", "--date", words, "+%Y-%m-%dT%H:%M:%S"]))?.ok()?;
    Ok(date.trim().to_owned())
}
