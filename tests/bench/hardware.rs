//! What it costs to look at the hardware and to judge it, and how soon a change is told.

use crate::figure::{Figure, Floor};
use crate::stopwatch::{Stopwatch, median, p50_micros};
use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use landfast_client::dbus::BindingProxy;
use landfast_hardware::Collector;
use landfast_hardware::fixture::{FieldServer, Recording};
use landfast_protocol::IssuerId;
use landfast_protocol::binding::{BindingPolicy, Verdict, compare};
use landfast_protocol::evidence::Evidence;
use landfast_tests::harness::{Agent, AgentOptions, Authority, Bus, Sale, binary, is_root};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOOKS: usize = 200;
const VERDICTS: usize = 20_000;
const CHANGES: usize = 9;
/// The shortest that the agent can be told to wait for quiet; taken off what is measured.
const DEBOUNCE_MS: f64 = 10.0;
/// A signal that takes longer never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// One whole collection on this machine's own hardware, beside one on a recorded server with more of it.
pub fn fingerprint(directory: &Path) -> Result<Figure> {
    let recorded = FieldServer::example(1).write(directory.join("fingerprint"))?;
    let own = Collector::of_this_machine();
    let other = Collector::of_recording(recorded.root());
    let time = |collector: &Collector| {
        p50_micros(LOOKS, || {
            std::hint::black_box(collector.collect());
            Ok::<(), Infallible>(())
        })
    };
    let (mine, theirs) = (time(&own)?, time(&other)?);
    Ok(Figure {
        name: "fingerprint_ms",
        value: mine / 1e3,
        unit: "ms",
        floor: Some(Floor { value: theirs / 1e3, unit: "ms", what: "a recorded server, from files alone" }),
        bar: None,
        how: format!(
            "p50 of {LOOKS} whole collections on this machine: every group, addresses from the kernel"
        ),
    })
}

/// From what was read to a verdict: digests and comparison.
pub fn verdict(directory: &Path) -> Result<Figure> {
    let issuer = IssuerId([5; 16]);
    let read = |number: u16| -> Result<_> {
        let place = directory.join(format!("verdict-{number}"));
        Ok(Collector::of_recording(FieldServer::example(number).write(place)?.root()).collect())
    };
    let (reading, policy) = (read(1)?, BindingPolicy::default());
    let enrolled = Evidence::digest(&reading, &issuer);
    ensure!(compare(&enrolled, &enrolled, &policy).verdict == Verdict::Bound, "a machine is itself");
    let other = Evidence::digest(&read(2)?, &issuer);
    ensure!(compare(&enrolled, &other, &policy).verdict == Verdict::Broken, "and not another");
    let micros = p50_micros(VERDICTS, || {
        let now = Evidence::digest(std::hint::black_box(&reading), &issuer);
        std::hint::black_box(compare(&enrolled, &now, &policy));
        Ok::<(), Infallible>(())
    })?;
    Ok(Figure {
        name: "verdict_us",
        value: micros,
        unit: "us",
        floor: None,
        bar: None,
        how: format!(
            "p50 of {VERDICTS}: keyed digests of {} factors, and the comparison with what was enrolled",
            reading.factors.len()
        ),
    })
}

/// From a message of the kernel to the signal on the bus. The agent reads the files of a recorded server, which a
/// mount of its own puts in place of `/sys`; the messages are those of this kernel.
pub fn signal(directory: &Path) -> Result<Option<Figure>> {
    let Some(trigger) = trigger().filter(|_| is_root()) else {
        eprintln!(
            "SKIPPED uevent_to_signal_ms: it needs root, and a disk or network card that the kernel tells of"
        );
        return Ok(None);
    };
    let place = directory.join("signal");
    std::fs::create_dir(&place)?;
    let recording = FieldServer::example(1).write(place.join("root"))?;
    let bus = Bus::start(&place)?;
    let authority = Authority::start(&place, "acme")?;
    let options = AgentOptions {
        program: Some(wrapped(&place, recording.path())?),
        config: format!("[hardware]\ndebounce_ms = {DEBOUNCE_MS}\n"),
        ..AgentOptions::default().on(&bus)
    };
    let agent = Agent::start(&place, "server", &[&authority], options)?;
    agent.activate(&authority.sell(&Sale::perpetual("control", 1))?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let times = runtime.block_on(changes(&bus.address, &recording, &trigger)).context(agent.log())?;
    Ok(Some(Figure {
        name: "uevent_to_signal_ms",
        value: median(times) - DEBOUNCE_MS,
        unit: "ms",
        floor: Some(Floor { value: DEBOUNCE_MS, unit: "ms", what: "the wait for quiet, taken off" }),
        bar: None,
        how: format!(
            "median of {CHANGES} changes of board and disks: read, judged, stored durably, told on D-Bus"
        ),
    }))
}

async fn changes(address: &str, recording: &Recording, trigger: &Path) -> Result<Vec<f64>> {
    let connection = zbus::connection::Builder::address(address).build().await?;
    crate::dbus::wait_for_name(&connection, landfast_client::dbus::NAME).await?;
    let binding = BindingProxy::new(&connection).await?;
    let mut told = binding.receive_changed().await?;
    let mut times = Vec::with_capacity(CHANGES);
    for round in 0..CHANGES {
        let server = FieldServer::example(if round % 2 == 0 { 2 } else { 1 });
        recording.swap_board(server.board.as_ref().context("a board")?)?;
        for disk in &server.disks {
            recording.swap_disk(&disk.name, disk)?;
        }
        let watch = Stopwatch::start();
        std::fs::write(trigger, "change")?;
        tokio::time::timeout(DEADLINE, told.next()).await.context("no signal")?;
        times.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// A device of this machine that can be asked to tell of a change.
fn trigger() -> Option<PathBuf> {
    let devices = ["/sys/block", "/sys/class/net"].into_iter().filter_map(|of| std::fs::read_dir(of).ok());
    let mut real =
        devices.flatten().flatten().map(|device| device.path()).filter(|at| at.join("device").exists());
    real.next().map(|device| device.join("uevent"))
}

/// A program that is landfastd with the recorded server's `/sys` mounted over the own one, for itself alone.
fn wrapped(place: &Path, root: &Path) -> Result<PathBuf> {
    let mut script = "#!/bin/sh\nexec unshare --mount --propagation private sh -c ".to_owned();
    let (sys, daemon) = (root.join("sys"), binary("landfastd")?);
    writeln!(
        script,
        "'mount --bind \"$0\" /sys && exec \"$@\"' '{}' '{}' \"$@\"",
        sys.display(),
        daemon.display()
    )?;
    let program = place.join("landfastd-recorded");
    std::fs::write(&program, script)?;
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755))?;
    Ok(program)
}
