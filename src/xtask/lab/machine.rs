//! One field server: a virtual machine with a disk of its own, one boot after the other.

use super::Lab;
use super::hardware::{self, Hardware};
use super::monitor::Monitor;
use super::process::{Process, Ran, run};
use super::shell::Shell;
use super::wait::{BOOT, wait_for};
use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where a field server finds the vendor: the one address outside that it can reach.
pub const VENDOR: &str = "10.0.2.100:8443";

/// Enough for systemd, and for tables of a thousand interfaces.
const MEMORY_MIB: u32 = 768;

/// A field server.
pub struct Machine {
    directory: PathBuf,
    start: Start,
    running: Option<Running>,
    boots: u32,
}

/// What every boot needs.
struct Start {
    accelerator: &'static str,
    kernel: PathBuf,
    /// What carries the field server's connections to the vendor.
    pipe: String,
    ssh_port: u16,
}

struct Running {
    // In this order: the machine ends before what it uses.
    qemu: Process,
    _tpm: Option<Process>,
    shell: Shell,
    monitor: Monitor,
}

impl Machine {
    /// A new machine, not switched on yet, whose way to the vendor leads to `wire`.
    pub fn new(lab: &Lab, directory: &Path, wire: SocketAddr) -> Result<Self> {
        let mut overlay = Command::new("qemu-img");
        overlay.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(&lab.image.disk);
        run(overlay.arg(directory.join("disk.qcow2")))?.ok()?;
        let start = Start {
            accelerator: lab.accelerator,
            kernel: lab.image.kernel.clone(),
            pipe: format!("{} lab --pipe {wire}", lab.programs.pipe.display()),
            ssh_port: std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
        };
        Ok(Self { directory: directory.to_owned(), start, running: None, boots: 0 })
    }

    /// Switches it on with these parts and this battery clock (`base=` of QEMU's `-rtc`), and waits until it is up.
    pub fn boot(&mut self, hardware: &Hardware, clock: &str) -> Result<Duration> {
        ensure!(self.running.is_none(), "it is switched on already");
        let stopwatch = Stopwatch::start();
        self.boots += 1;
        let tpm = if hardware.tpm { Some(self.tpm()?) } else { None };
        let log = self.directory.join("qemu.log");
        let arguments = self.start.arguments(hardware, clock, self.boots);
        let mut qemu = Process::start("qemu-system-x86_64", arguments, &self.directory, &log)?;
        let booted = Shell::connect(&self.directory.join("shell.sock"), &mut qemu);
        let shell = booted.with_context(|| format!("the end of its console: {}", self.console()))?;
        let monitor = Monitor::connect(&self.directory.join("monitor.sock"))?;
        self.running = Some(Running { qemu, _tpm: tpm, shell, monitor });
        Ok(stopwatch.elapsed())
    }

    /// Shuts it down in good order.
    pub fn power_off(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        running.shell.farewell("systemctl poweroff")?;
        running.qemu.wait(BOOT).map(drop)
    }

    /// Takes the power away.
    pub fn power_cut(&mut self) -> Result<()> {
        self.on()?.qemu.kill()?;
        self.running = None;
        Ok(())
    }

    /// Runs a command as root, to its end.
    pub fn run(&mut self, command: &str) -> Result<Ran> {
        self.on()?.shell.run(command)
    }

    /// Starts a command as root; its output goes to `/run/lab/NAME`.
    pub fn start(&mut self, name: &str, command: &str) -> Result<()> {
        self.on()?.shell.start(name, command)
    }

    /// Copies a file into it.
    pub fn upload(&mut self, from: &Path, to: &str, mode: &str) -> Result<()> {
        let content = std::fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        self.on()?.shell.upload(&content, to, mode)
    }

    /// Exchanges the network card at a place while it runs.
    pub fn swap_card(&mut self, place: usize, mac: &str) -> Result<()> {
        let monitor = &mut self.on()?.monitor;
        monitor.unplug(&hardware::card_id(place))?;
        monitor.plug(hardware::card(place, mac))
    }

    /// Exchanges the second disk while it runs.
    pub fn swap_data_disk(&mut self, serial: &str) -> Result<()> {
        let monitor = &mut self.on()?.monitor;
        monitor.unplug("data")?;
        monitor.plug(hardware::data_disk(serial))
    }

    /// Sends it to sleep (suspend to RAM) and waits until it sleeps.
    pub fn sleep(&mut self) -> Result<()> {
        let running = self.on()?;
        running.shell.start("sleep", "echo mem >/sys/power/state")?;
        running.monitor.sleeps()
    }

    /// Wakes it up.
    pub fn wake(&mut self) -> Result<()> {
        self.on()?.monitor.wake()
    }

    /// The last lines of its console.
    pub fn console(&self) -> String {
        let path = self.directory.join(format!("console-{}.log", self.boots));
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// The port of its ssh server on this host.
    pub fn ssh_port(&self) -> u16 {
        self.start.ssh_port
    }

    /// Whether it is switched on.
    pub fn is_on(&self) -> bool {
        self.running.is_some()
    }

    fn on(&mut self) -> Result<&mut Running> {
        self.running.as_mut().context("the machine is switched off")
    }

    fn tpm(&self) -> Result<Process> {
        let state = self.directory.join("tpm");
        std::fs::create_dir_all(&state)?;
        let socket = self.directory.join("tpm.sock");
        let arguments = [
            "socket".to_owned(),
            "--tpm2".to_owned(),
            "--terminate".to_owned(),
            format!("--tpmstate=dir={}", state.display()),
            format!("--ctrl=type=unixio,path={}", socket.display()),
        ];
        let mut tpm = Process::start("swtpm", arguments, &self.directory, &self.directory.join("tpm.log"))?;
        wait_for("the TPM", BOOT, || {
            tpm.runs()?;
            Ok(socket.exists().then_some(()))
        })?;
        Ok(tpm)
    }
}

impl Start {
    fn arguments(&self, hardware: &Hardware, clock: &str, boot: u32) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        let mut say = |option: &str, value: String| list.extend([format!("-{option}"), value]);
        say("accel", self.accelerator.to_owned());
        say("m", MEMORY_MIB.to_string());
        say("smp", "2".to_owned());
        say("display", "none".to_owned());
        say("serial", format!("file:console-{boot}.log"));
        say("kernel", self.kernel.display().to_string());
        say("append", "root=/dev/nvme0n1 rw console=ttyS0 quiet loglevel=4 random.trust_cpu=on".to_owned());
        say("rtc", format!("base={clock}"));
        say("chardev", "socket,id=shell,path=shell.sock,server=on,wait=off".to_owned());
        say("device", "virtio-serial-pci".to_owned());
        say("device", "virtserialport,chardev=shell,name=lab".to_owned());
        say("qmp", "unix:monitor.sock,server=on,wait=off".to_owned());
        let system = json!({
            "driver": "qcow2", "node-name": "system", "discard": "unmap",
            "file": { "driver": "file", "filename": "disk.qcow2" },
        });
        let data = json!({
            "driver": "null-co", "node-name": "data", "size": 64 << 20, "read-zeroes": true,
        });
        say("blockdev", system.to_string());
        say("blockdev", data.to_string());
        say(
            "netdev",
            format!(
                "user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:{}-:22,guestfwd=tcp:{VENDOR}-cmd:{}",
                self.ssh_port,
                self.pipe.replace(',', ",,")
            ),
        );
        for place in 1..hardware.cards.len() {
            // A cable that leads nowhere.
            say("netdev", format!("hubport,id=net{place},hubid={place}"));
        }
        if hardware.tpm {
            say("chardev", "socket,id=tpm,path=tpm.sock".to_owned());
            say("tpmdev", "emulator,id=tpm,chardev=tpm".to_owned());
        }
        for device in hardware.devices() {
            say("device", device.to_string());
        }
        list.extend(hardware.arguments());
        list.extend(["-nodefaults".to_owned(), "-no-reboot".to_owned()]);
        list
    }
}
