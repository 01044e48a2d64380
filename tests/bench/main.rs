//! Measures the product beside its floors, in one run. `cargo xtask bench` builds everything and calls this.
//!
//! Every ratio comes from interleaved rounds (floor, product, floor, product, …) and is the median over the rounds;
//! single times on a shared machine mean little.

mod dbus;
mod evaluate;
mod exchange;
mod figure;
mod hardware;
mod http;
mod idle;
mod one_cpu;
mod stopwatch;

use anyhow::{Context, Result};
use figure::Figure;
use landfast_tests::harness::{Agent, AgentOptions, Authority, Bus, Sale};
use one_cpu::OneCpu;
use std::path::Path;

/// Licenses that the measured agent holds.
const LICENSES: usize = 100;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| !a.starts_with("--")).collect();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part));
    let directory = tempfile::tempdir()?;
    let mut figures = Vec::new();
    if wanted("evaluate_ns") {
        figures.push(evaluate::measure()?);
    }
    if wanted("binary_mib") {
        figures.push(idle::binary_size()?);
    }
    if ["http", "dbus", "idle", "start"].into_iter().any(wanted) {
        figures.extend(agent_figures(directory.path(), &wanted)?);
    }
    if wanted("fingerprint_ms") {
        figures.push(hardware::fingerprint(directory.path())?);
    }
    if wanted("verdict_us") {
        figures.push(hardware::verdict(directory.path())?);
    }
    if wanted("uevent_to_signal_ms") {
        figures.extend(hardware::signal(directory.path())?);
    }
    if wanted("exchange_ratio") {
        figures.push(exchange::measure(directory.path())?);
    }
    report(&figures, arguments.iter().any(|argument| argument == "--json"))
}

fn agent_figures(directory: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Figure>> {
    let _one_cpu = OneCpu::keep()?;
    let bus = Bus::start(directory)?;
    let authority = Authority::start(directory, "acme")?;
    let mut agent = Agent::start(directory, "server", &[&authority], AgentOptions::default().on(&bus))?;
    let mut ids = Vec::new();
    for _ in 0..LICENSES {
        ids.push(authority.sell(&Sale::perpetual("control", 1))?);
    }
    let mut activate = vec!["activate"];
    activate.extend(ids.iter().map(String::as_str));
    agent.landfast(&activate)?.ok().context("activating the licenses of the benchmark")?;
    let mut figures = Vec::new();
    if wanted("http_check_ratio") {
        figures.push(http::measure(directory, &agent)?);
    }
    if wanted("dbus_check_ratio") {
        figures.push(dbus::measure(directory, &bus)?);
    }
    if wanted("start_ms") {
        figures.push(idle::start(&mut agent)?);
    }
    if wanted("idle") {
        figures.extend(idle::measure(&mut agent)?);
    }
    Ok(figures)
}

fn report(figures: &[Figure], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
        return Ok(());
    }
    for figure in figures {
        println!("{}", figure.line());
    }
    Ok(())
}
