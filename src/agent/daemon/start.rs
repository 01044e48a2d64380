//! From a command line to a running agent.

use super::error::DaemonError;
use super::event_loop::{EventLoop, Signals};
use super::hardware::{Listen, Watch};
use super::interpreter::{Delivered, Interpreter};
use super::notify::Manager;
use super::shown::Shown;
use super::worker::{Job, Worker};
use crate::adapters::{Alarm, Clock, ClockSteps};
use crate::arguments::Arguments;
use crate::config::{self, Owners, Settings};
use crate::desk::Desk;
use crate::store::{FileMedium, Store};
use crate::transport::Route;
use crate::{dbus, http};
use landfast_core::effect::Effect;
use landfast_core::event::Event;
use landfast_core::machine;
use landfast_hardware::{ChangeSource, Collector, KernelChanges, Root};
use landfast_protocol::Text;
use landfast_protocol::request::SystemDescription;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

/// Commands that wait; more are refused as `busy`.
const COMMANDS: usize = 64;
/// Signals that a slow listener may lag behind before it is told to read afresh.
const SIGNALS: usize = 64;
/// One for the machines, one for the hardware, and some for name resolution, which can take long.
const THREADS: usize = 16;
/// Enough for a signature, a transaction and a look.
const STACK: usize = 512 * 1024;
/// A thread that has nothing to do gives its memory back.
const THREAD_PATIENCE: Duration = Duration::from_secs(2);
/// How long the interfaces may take to say good-bye.
const FAREWELL: Duration = Duration::from_secs(10);

/// Reads the configuration as this command line means it.
pub fn configure(arguments: &Arguments) -> Result<Settings, DaemonError> {
    let mut settings = match &arguments.config {
        Some(directory) => config::load(directory, Owners::RootOrSelf)?,
        None => config::load(Path::new(config::DEFAULT_DIRECTORY), Owners::Root)?,
    };
    if arguments.sysroot.is_some() {
        settings.trust = "development";
    }
    Ok(settings)
}

/// Runs the agent until it is told to end.
pub fn run(arguments: &Arguments, settings: Settings) -> Result<(), DaemonError> {
    // Whatever is made without a mode of its own is private.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let clock = Arc::new(Clock::new()?);
    let issuers: Vec<_> = settings.issuers.iter().map(|issuer| issuer.id).collect();
    let store = Store::open(&arguments.state, &issuers)?;
    let collector = Arc::new(collector(arguments));
    let worker = Worker::new(store, machines(&settings, &collector), Arc::clone(&clock))?;
    let begun = begin(worker, &collector)?;
    // One thread for everything that waits; those that block come and go.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .thread_stack_size(STACK)
        .thread_keep_alive(THREAD_PATIENCE)
        .build()
        .map_err(DaemonError::system("start the runtime"))?;
    runtime.block_on(serve(arguments, settings, clock, collector, begun))
}

fn collector(arguments: &Arguments) -> Collector {
    match &arguments.sysroot {
        Some(root) => Collector::of_recording(Root::new(root)),
        None => {
            let collector = Collector::of_this_machine();
            // What only root may read, as systemd hands it over.
            match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(directory) => collector.with_credentials(directory),
                None => collector,
            }
        }
    }
}

fn machines(settings: &Settings, collector: &Collector) -> Vec<machine::Settings> {
    let described = collector.describe();
    let system = SystemDescription {
        agent: Text::lossy(concat!("landfastd ", env!("CARGO_PKG_VERSION"))),
        os: Text::lossy(&described.os),
        kernel: Text::lossy(&described.kernel),
        architecture: Text::lossy(&described.architecture),
        cpus: u16::try_from(described.cpus).unwrap_or(u16::MAX),
        memory_mib: u32::try_from(described.memory_mib).unwrap_or(u32::MAX),
    };
    let of = |issuer: &config::Issuer| machine::Settings {
        name: issuer.name.clone(),
        trust: issuer.trust(),
        label: settings.label.clone(),
        online: !issuer.addresses.is_empty(),
        system: system.clone(),
        sealing: None,
    };
    settings.issuers.iter().map(of).collect()
}

/// The first events have happened; their effects wait for the loop.
struct Begun {
    worker: Worker<FileMedium>,
    shown: Shown,
    effects: Vec<(usize, Effect)>,
    jobs: VecDeque<(Job, Vec<super::hardware::Asker>)>,
}

/// Nobody is connected yet, so that all of this may block.
fn begin(mut worker: Worker<FileMedium>, collector: &Collector) -> Result<Begun, DaemonError> {
    let incidents = worker.incidents();
    let mut shown = Shown::new(worker.views(), incidents);
    let mut effects = Vec::new();
    let mut grants = false;
    let starts = (0..shown.issuers()).map(|issuer| Job::Event { issuer, event: Event::Start });
    let first: Vec<Job> = starts.chain([Job::Evidence(collector.collect())]).collect();
    for job in first {
        let done = worker.run(job).map_err(DaemonError::system("draw random numbers"))?;
        effects.extend(done.effects);
        shown.trouble(done.trouble);
        shown.happened(done.alerts);
        grants |= done.grants;
    }
    let jobs = grants.then(|| (Job::KeepGrants, Vec::new())).into_iter().collect();
    Ok(Begun { worker, shown, effects, jobs })
}

async fn serve(
    arguments: &Arguments,
    settings: Settings,
    clock: Arc<Clock>,
    collector: Arc<Collector>,
    begun: Begun,
) -> Result<(), DaemonError> {
    let failed = DaemonError::system("wait for events");
    let (commands, asks) = mpsc::channel(COMMANDS);
    let (delivered, deliveries) = mpsc::channel::<Delivered>(settings.issuers.len().max(1));
    let (signals, _) = broadcast::channel(SIGNALS);
    let (stop, stopped) = watch::channel(false);
    let desk = Desk {
        snapshot: begun.shown.snapshot(),
        clock: {
            let clock = Arc::clone(&clock);
            Arc::new(move || clock.now())
        },
        commands,
        signals: signals.clone(),
        trust: settings.trust,
    };
    let routes =
        settings.issuers.iter().map(|issuer| Arc::new(Route::new(issuer, &settings.online))).collect();
    let alarm = Alarm::new().map_err(&failed)?;
    let interpreter = Interpreter::new(begun.shown, alarm, clock, signals, delivered, routes);
    let mut running = EventLoop {
        worker: Some(begun.worker),
        interpreter,
        commands: asks,
        deliveries,
        hardware: Watch::new(collector, listen(arguments), settings.debounce),
        steps: ClockSteps::watch().map_err(&failed)?,
        manager: Manager::new(),
        faces: JoinSet::new(),
        signals: Signals::heed().map_err(&failed)?,
        jobs: begun.jobs,
        away: None,
    };
    running.interpreter.carry_out(begun.effects).map_err(&failed)?;
    show_faces(arguments, &settings, desk, stopped, &mut running.faces).await?;
    running.manager.ready(running.interpreter.shown.status());
    tracing::info!(trust = settings.trust, "ready: {}", running.interpreter.shown.status());

    let ended = running.run().await;
    let _ = stop.send(true);
    let farewell = async { while running.faces.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
        tracing::warn!("local interfaces did not end in time");
    }
    ended
}

/// Under a recorded root no kernel speaks: whoever changes it asks for a look.
fn listen(arguments: &Arguments) -> Option<Listen> {
    let kernel = || KernelChanges::listen().map(|changes| Box::new(changes) as Box<dyn ChangeSource>);
    arguments.sysroot.is_none().then(|| Box::new(kernel) as Listen)
}

async fn show_faces(
    arguments: &Arguments,
    settings: &Settings,
    desk: Desk,
    stopped: watch::Receiver<bool>,
    faces: &mut JoinSet<()>,
) -> Result<(), DaemonError> {
    let http = http::Settings {
        socket: arguments.socket.clone(),
        loopback: settings.local.http_listen,
        max_connections: settings.local.connections,
    };
    // The bus first: whoever finds the socket finds the agent on the bus as well.
    if let Some(bus) = &arguments.bus {
        let face = dbus::serve(desk.clone(), bus.clone(), stopped.clone()).await;
        if let Some(problem) = face.problem() {
            tracing::warn!("{problem}");
        }
        faces.spawn(face.run());
    }
    let server = http::serve(desk, &http, stopped)?;
    if let Some(address) = server.loopback() {
        tracing::info!("read-only HTTP on {address}");
    }
    faces.spawn(server.run());
    Ok(())
}
