//! What the agent costs while it does nothing, and how long it takes to start.

use crate::figure::{Bar, Figure, Floor};
use crate::stopwatch::{Stopwatch, median};
use anyhow::{Context, Result};
use landfast_tests::harness::{Agent, binary, run};
use std::process::Command;
use std::time::Duration;

const WATCHED: Duration = Duration::from_secs(60);
const STARTS: usize = 7;
const MIB: f64 = 1024.0 * 1024.0;

pub fn measure(agent: &mut Agent) -> Result<Vec<Figure>> {
    let pid = agent.process()?.id();
    let before = switches(pid)?;
    let watch = Stopwatch::start();
    while watch.elapsed() < WATCHED {
        std::thread::park_timeout(WATCHED - watch.elapsed());
    }
    let wakeups = (switches(pid)? - before) as f64 * 60.0 / watch.elapsed().as_secs_f64();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = field(&status, "VmRSS:").context("VmRSS")? as f64 * 1024.0 / MIB;
    let own = field(&status, "RssAnon:").context("RssAnon")? as f64 * 1024.0 / MIB;
    Ok(vec![
        Figure {
            name: "idle_rss_mib",
            value: resident,
            unit: "MiB",
            floor: None,
            bar: Some(Bar::AtMost(9.0)),
            how: format!(
                "VmRSS after a minute of idling with 100 licenses and D-Bus; of it {own:.1} MiB anonymous"
            ),
        },
        Figure {
            name: "idle_wakeups_per_minute",
            value: wakeups,
            unit: "",
            floor: None,
            bar: Some(Bar::AtMost(2.0)),
            how: "context switches of all threads over a minute of idling".to_owned(),
        },
    ])
}

pub fn binary_size() -> Result<Figure> {
    let bytes = std::fs::metadata(binary("landfastd")?)?.len();
    Ok(Figure {
        name: "binary_mib",
        value: bytes as f64 / MIB,
        unit: "MiB",
        floor: None,
        bar: Some(Bar::AtMost(6.0)),
        how: "landfastd as built with --profile dist, which strips it".to_owned(),
    })
}

pub fn start(agent: &mut Agent) -> Result<Figure> {
    let (mut starts, mut versions) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        agent.stop()?;
        let watch = Stopwatch::start();
        run(Command::new(binary("landfastd")?).arg("--version"), "")?.ok()?;
        versions.push(watch.elapsed().as_secs_f64() * 1e3);
        let watch = Stopwatch::start();
        agent.run()?;
        starts.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Figure {
        name: "start_ms",
        value: median(starts),
        unit: "ms",
        floor: Some(Floor { value: median(versions), unit: "ms", what: "landfastd --version" }),
        bar: None,
        how: format!(
            "from the start of the process to the first connection, asked every 20 ms; {STARTS} starts, 100 licenses"
        ),
    })
}

fn switches(pid: u32) -> Result<u64> {
    let mut all = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that ended meanwhile woke nobody.
        let Ok(status) = std::fs::read_to_string(task?.path().join("status")) else { continue };
        all += field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        all += field(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
    }
    Ok(all)
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
