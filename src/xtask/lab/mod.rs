//! `cargo xtask lab`: field servers that can be opened with a screwdriver. `docs/lab.md` tells how to use it.
//!
//! A scenario gets a vendor (the real authority on this host's loopback), a wire that can lose what is on it, and a
//! virtual machine with the real agent under a real systemd. One machine runs at a time.

mod accelerator;
mod hardware;
mod image;
mod machine;
mod monitor;
mod options;
mod process;
mod programs;
mod recipe;
mod scenarios;
mod shell;
mod site;
mod vendor;
mod wait;
mod wire;

use crate::steps::Steps;
use crate::stopwatch::Stopwatch;
use crate::tools;
use anyhow::{Context, Result, ensure};
use image::Image;
use options::Action;
use programs::Programs;
use scenarios::{SCENARIOS, Scenario};
use site::Site;
use std::cell::RefCell;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// After so long the short set starts no further scenario, so that a busy host is not held up for ever.
const SHORT_ENOUGH: Duration = Duration::from_secs(7 * 60);

/// What all scenarios share.
pub struct Lab {
    programs: Programs,
    image: Image,
    accelerator: &'static str,
    /// What machines and vendors leave; cleared when the lab is opened again.
    directory: PathBuf,
    figures: RefCell<Vec<(&'static str, Duration)>>,
    /// Held while the lab is open: two machines at a time are too many for a small host.
    _lock: File,
}

/// Runs scenarios, or names them.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    match Action::parse(arguments)? {
        Action::List => {
            for Scenario { name, rows, shows, short, .. } in SCENARIOS {
                println!("{name:<28} {}  {shows} ({rows})", if *short { "short" } else { "     " });
            }
        }
        // Its output is the vendor's word to a field server: nothing may be added to it.
        Action::Pipe(address) => {
            return Ok(wire::pipe(&address).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS));
        }
        Action::Run { scenarios, keep } => {
            let lab = Lab::open()?;
            let mut steps = Steps::default();
            for scenario in scenarios {
                steps.run(scenario.name, || lab.play(scenario, keep));
            }
            steps.print();
            lab.print_figures();
            return Ok(if steps.all_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the short set, as a step of `cargo xtask test`. What does not run is put on the list, with the reason.
pub fn short(skipped: &mut Vec<(String, String)>) -> Result<()> {
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|scenario| scenario.short).collect();
    let mut skip = |scenario: &Scenario, reason: &str| {
        println!("SKIPPED {}: {reason}", scenario.name);
        skipped.push((format!("lab::{}", scenario.name), reason.to_owned()));
    };
    if let Some(reason) = obstacle()? {
        scenarios.iter().for_each(|scenario| skip(scenario, reason));
        return Ok(());
    }
    let (lab, stopwatch) = (Lab::open()?, Stopwatch::start());
    let mut steps = Steps::default();
    for scenario in scenarios {
        if stopwatch.elapsed() < SHORT_ENOUGH {
            steps.run(scenario.name, || lab.play(scenario, false));
        } else {
            skip(scenario, "the lab's ten minutes are nearly over; `cargo xtask lab --short` takes its time");
        }
    }
    steps.print();
    lab.print_figures();
    ensure!(
        steps.all_well(),
        "scenarios failed: `cargo xtask lab NAME --keep` leaves one open to look inside"
    );
    Ok(())
}

/// Why there can be no virtual machines here.
fn obstacle() -> Result<Option<&'static str>> {
    let root = tools::is_root()?;
    Ok(match () {
        () if std::env::consts::ARCH != "x86_64" => Some("field servers of the lab are x86_64 machines"),
        () if !root && !tools::has_machines() => Some("QEMU is not installed, and only root can install it"),
        () if !root && !image::place(&cache()).exists() => {
            Some("only root can build the image of a field server, with `cargo xtask lab`")
        }
        () => None,
    })
}

/// What outlives a run.
fn cache() -> PathBuf {
    crate::steps::target().join("lab")
}

impl Lab {
    fn open() -> Result<Self> {
        tools::ensure_machines()?;
        let cache = cache();
        std::fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
        let lock = File::create(cache.join("lock"))?;
        if lock.try_lock().is_err() {
            println!("waiting for another lab to close");
            lock.lock()?;
        }
        let image = image::ensure(&cache)?;
        let directory = cache.join("run");
        image::remove(&directory)?;
        std::fs::create_dir_all(&directory)?;
        let programs = Programs::build(&directory)?;
        let accelerator = accelerator::probe(&image.kernel, &directory)?;
        println!("machines run with {accelerator}");
        Ok(Self { programs, image, accelerator, directory, figures: RefCell::default(), _lock: lock })
    }

    fn play(&self, scenario: &Scenario, keep: bool) -> Result<()> {
        println!("  {}", scenario.shows);
        let mut site = Site::new(self, scenario.name)?;
        let result = (scenario.play)(&mut site).and_then(|()| site.books_agree());
        if let Err(error) = &result {
            println!("  failed: {error:#}");
            site.print_traces();
        }
        if keep {
            site.print_ways_in();
            println!("Ctrl-C ends it");
            loop {
                std::thread::park();
            }
        }
        result
    }

    /// Notes how long something took.
    fn figure(&self, name: &'static str, took: Duration) {
        self.figures.borrow_mut().push((name, took));
    }

    fn print_figures(&self) {
        let figures = self.figures.borrow();
        let mut names: Vec<_> = figures.iter().map(|figure| figure.0).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let mut took: Vec<f64> = figures
                .iter()
                .filter(|figure| figure.0 == name)
                .map(|figure| figure.1.as_secs_f64())
                .collect();
            took.sort_by(f64::total_cmp);
            if let (Some(least), Some(most), Some(middle)) =
                (took.first(), took.last(), took.get(took.len() / 2))
            {
                println!("{name:<24} {} times: {least:.1} to {most:.1} s, median {middle:.1} s", took.len());
            }
        }
    }
}
