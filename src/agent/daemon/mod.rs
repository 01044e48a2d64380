//! The agent's life: set up, answer, end.

mod attention;
mod effects;
mod hardware;
mod keeper;
mod notify;

pub use keeper::KeeperError;

use crate::adapters::{Clock, ClockError};
use crate::arguments::Arguments;
use crate::config::{self, ConfigError, Owners, Settings};
use crate::dbus;
use crate::desk::{Ask, Desk};
use crate::http::{self, BindError};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use attention::Attention;
use hardware::Hardware;
use keeper::Keeper;
use landfast_core::Snapshot;
use landfast_hardware::ChangeError;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};

/// Commands that may wait.
const QUEUE: usize = 64;
/// Signals that a slow listener may miss before it is told to read afresh.
const SIGNALS: usize = 64;
/// Enough for a signature and a transaction.
const STACK: usize = 512 * 1024;
const THREADS: usize = 4;
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// Why the agent cannot run, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration is wrong or cannot be trusted.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state directory is full, taken, damaged or not writable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored does not fit this release.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The clocks cannot be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The local socket cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The recorded machine cannot be watched.
    #[error(transparent)]
    Changes(#[from] ChangeError),
    /// The operating system refused something that the agent cannot do without.
    #[error("cannot {operation}: {source}; look at the kernel's log and at the limits of this service")]
    System {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

impl DaemonError {
    /// As documented in `--help`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Config(_)) { 4 } else { 1 })
    }
}

/// Reads the configuration that the command line names.
pub fn configure(arguments: &Arguments) -> Result<Settings, DaemonError> {
    Ok(match &arguments.config {
        Some(directory) => config::load(directory, Owners::RootOrSelf)?,
        None => config::load(Path::new(config::DEFAULT_DIRECTORY), Owners::Root)?,
    })
}

/// Runs the agent until it is told to end.
pub fn run(arguments: &Arguments, settings: Settings) -> Result<(), DaemonError> {
    let clock = Arc::new(Clock::new()?);
    let issuers: Vec<_> = settings.issuers.iter().map(|issuer| issuer.id).collect();
    let store = Store::open(&arguments.state, &issuers)?;
    let system = |operation| move |source| DaemonError::System { operation, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .thread_stack_size(STACK)
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .map_err(system("start the runtime"))?;
    runtime.block_on(live(arguments, settings, store, clock))
}

async fn live(
    arguments: &Arguments,
    settings: Settings,
    store: Store,
    clock: Arc<Clock>,
) -> Result<(), DaemonError> {
    let hardware = Hardware::of(arguments.sysroot.as_deref(), settings.debounce)?;
    let keeper = Keeper::new(&settings, store, Arc::clone(&clock), &hardware.describe())?;
    let (commands, asked) = mpsc::channel::<Ask>(QUEUE);
    let (signals, _) = broadcast::channel(SIGNALS);
    let now = Arc::clone(&clock);
    let desk = Desk {
        snapshot: Arc::new(ArcSwap::from_pointee(Snapshot { issuers: keeper.views() })),
        clock: Arc::new(move || now.now()),
        commands,
        signals,
        trust: settings.trust,
    };
    let (stop, stopped) = watch::channel(false);
    let mut attention = Attention::new(keeper, &settings, desk.clone(), clock, hardware, asked)?;
    // The first look comes before the first caller.
    attention.begin().await;
    let local = http::Settings {
        socket: arguments.socket.clone(),
        loopback: settings.local.http_listen,
        max_connections: settings.local.connections,
    };
    let http = http::serve(desk.clone(), &local, stopped.clone())?;
    let mut faces = tokio::task::JoinSet::new();
    faces.spawn(http.run());
    if let Some(bus) = &arguments.bus {
        let face = dbus::serve(desk.clone(), bus.clone(), stopped.clone()).await;
        if let Some(problem) = face.problem() {
            tracing::warn!("{problem}");
        }
        faces.spawn(face.run());
    }
    tracing::info!(
        issuers = settings.issuers.len(),
        trust = settings.trust,
        "ready at {}",
        local.socket.display()
    );
    notify::ready();
    let ended = attention.pay().await;
    notify::stopping();
    let _ = stop.send(true);
    while faces.join_next().await.is_some() {}
    ended
}
