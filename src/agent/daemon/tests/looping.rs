use super::super::event_loop::{EventLoop, Signals};
use super::super::hardware::{Listen, Watch};
use super::super::interpreter::Interpreter;
use super::super::notify::Manager;
use super::super::shown::Shown;
use super::*;
use crate::adapters::{Alarm, ClockSteps};
use crate::desk::{Answer, Ask, Command};
use crate::transport::Route;
use landfast_hardware::{ChangeError, ChangeSource, Changes, Collector, RescanRequests, Root};
use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;

/// A loop on a recorded machine, without faces and routes.
struct Agent {
    running: EventLoop<FileMedium>,
    commands: mpsc::Sender<Ask>,
    rescans: RescanRequests,
    snapshot: Arc<arc_swap::ArcSwap<landfast_core::Snapshot>>,
    root: tempfile::TempDir,
    _state: tempfile::TempDir,
}

fn agent() -> Agent {
    let (state, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let worker = started(state.path());
    let shown = Shown::new(worker.views(), vec![Vec::new(), Vec::new()]);
    let snapshot = shown.snapshot();
    let (commands, asks) = mpsc::channel(8);
    let (delivered, deliveries) = mpsc::channel(8);
    let (signals, _) = broadcast::channel(8);
    let rescans = RescanRequests::new().unwrap();
    let requests = rescans.clone();
    let listen: Listen = Box::new(move || Ok(Box::new(requests.clone())));
    let collector = Arc::new(Collector::of_recording(Root::new(root.path())));
    let routes: Vec<Arc<Route>> = Vec::new();
    let running = EventLoop {
        worker: Some(worker),
        interpreter: Interpreter::new(shown, Alarm::new().unwrap(), clock(), signals, delivered, routes),
        commands: asks,
        deliveries,
        hardware: Watch::new(collector, Some(listen), Duration::from_millis(10)),
        steps: ClockSteps::watch().unwrap(),
        manager: Manager::new(),
        faces: JoinSet::new(),
        signals: Signals::heed().unwrap(),
        jobs: VecDeque::new(),
        away: None,
    };
    Agent { running, commands, rescans, snapshot, root, _state: state }
}

impl Agent {
    fn identify(&self, machine_id: &str) {
        let etc = self.root.path().join("etc");
        std::fs::create_dir_all(&etc).unwrap();
        std::fs::write(etc.join("machine-id"), format!("{machine_id}\n")).unwrap();
    }

    fn ask(&self, issuer: usize, command: Command) -> oneshot::Receiver<Result<Answer, Refusal>> {
        let (answer, heard) = oneshot::channel();
        self.commands.try_send(Ask { command, issuer, answer }).map_err(|_| "full").unwrap();
        heard
    }
}

fn machine_ids(snapshot: &landfast_core::Snapshot) -> Vec<Option<String>> {
    let of = |view: &Arc<IssuerView>| {
        let mut factors = view.binding.groups.iter().flat_map(|group| &group.factors);
        factors.find(|factor| factor.factor == "machine_id")?.masked.clone()
    };
    snapshot.issuers.iter().map(of).collect()
}

/// Runs the loop until `done` comes to an end.
async fn until<T>(running: &mut EventLoop<FileMedium>, done: impl Future<Output = T>) -> T {
    tokio::select! {
        ended = running.run() => panic!("the loop ended: {ended:?}"),
        done = done => done,
    }
}

#[tokio::test]
async fn a_rescan_is_answered_when_everybody_can_see_what_it_found() {
    let mut agent = agent();
    agent.identify("0123456789abcdef0123456789abcdef");
    let heard = agent.ask(0, Command::Rescan);
    let answer = until(&mut agent.running, heard).await;
    assert!(matches!(answer, Ok(Ok(Answer::Rescanned))));
    let seen = machine_ids(&agent.snapshot.load());
    assert!(seen.iter().all(Option::is_some), "{seen:?}");
}

#[tokio::test]
async fn d3_an_event_of_the_kernel_leads_to_a_look() {
    let mut agent = agent();
    agent.identify("0123456789abcdef0123456789abcdef");
    agent.rescans.request().unwrap();
    let snapshot = Arc::clone(&agent.snapshot);
    let seen = async {
        while machine_ids(&snapshot.load()).iter().any(Option::is_none) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until(&mut agent.running, seen)).await.unwrap();
}

/// News that break off after the first.
#[derive(Debug)]
struct BreaksOff(RescanRequests);

impl ChangeSource for BreaksOff {
    fn drain(&self) -> Result<Changes, ChangeError> {
        self.0.drain()?;
        Err(ChangeError { operation: "netlink receive", reason: "the test says so".to_owned() })
    }
}
impl AsFd for BreaksOff {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
impl AsRawFd for BreaksOff {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[tokio::test]
async fn d3_news_that_break_off_are_told_and_listened_for_again() {
    let mut agent = agent();
    let (turns, requests) = (Arc::new(AtomicUsize::new(0)), agent.rescans.clone());
    let turn = Arc::clone(&turns);
    let listen: Listen = Box::new(move || match turn.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(Box::new(BreaksOff(requests.clone()))),
        1 => Err(ChangeError { operation: "netlink socket", reason: "not yet".to_owned() }),
        _ => Ok(Box::new(requests.clone())),
    });
    let collector = Arc::new(Collector::of_recording(Root::new(agent.root.path())));
    agent.running.hardware = Watch::new(collector, Some(listen), Duration::from_millis(10));
    let snapshot = Arc::clone(&agent.snapshot);
    let told = || {
        let alerts = snapshot.load().issuers[0].alerts.clone();
        alerts.into_iter().find(|alert| alert.code == "hardware_unheard").map(|alert| alert.message)
    };
    agent.identify("0123456789abcdef0123456789abcdef");
    agent.rescans.request().unwrap();
    let broken = async {
        while told().is_none_or(|message| !message.contains("the test says so")) {
            tokio::task::yield_now().await;
        }
        // What was missed meanwhile is seen all the same.
        while machine_ids(&snapshot.load()).iter().any(Option::is_none) {
            tokio::task::yield_now().await;
        }
        while told().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until(&mut agent.running, broken)).await.unwrap();
    assert_eq!(turns.load(Ordering::Relaxed), 3);
    agent.identify("fedcba9876543210fedcba9876543210");
    agent.rescans.request().unwrap();
    let before = machine_ids(&snapshot.load());
    let seen = async {
        while machine_ids(&snapshot.load()) == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until(&mut agent.running, seen)).await.unwrap();
}

#[tokio::test]
async fn commands_are_carried_out_one_after_the_other_and_each_is_answered() {
    let mut agent = agent();
    let heard: Vec<_> = (0..6).map(|at| agent.ask(at % 2, Command::Reclaim { by_file: true })).collect();
    let history = agent.ask(0, Command::History { since: None, limit: 10 });
    let answers = until(&mut agent.running, async {
        let mut requests = 0;
        for heard in heard {
            let Ok(Ok(Answer::Done(reply))) = heard.await else { panic!("a command was refused") };
            requests += usize::from(reply.request.is_some());
        }
        assert!(matches!(history.await, Ok(Ok(Answer::History(_)))));
        requests
    });
    assert_eq!(answers.await, 6);
    let counters: Vec<_> = agent.snapshot.load().issuers.iter().map(|view| view.counter).collect();
    assert_eq!(counters, [3, 3]);
}

#[tokio::test]
async fn a_caller_that_went_away_leaves_no_trace() {
    let mut agent = agent();
    drop(agent.ask(0, Command::Reclaim { by_file: true }));
    let heard = agent.ask(1, Command::Reclaim { by_file: true });
    assert!(until(&mut agent.running, heard).await.unwrap().is_ok());
    assert_eq!(agent.snapshot.load().issuers[0].counter, 1, "what was asked was done all the same");
}

#[tokio::test]
async fn a_face_that_ends_by_itself_ends_the_agent() {
    let mut agent = agent();
    agent.running.faces.spawn(async {});
    let ended = agent.running.run().await.unwrap_err().to_string();
    assert!(ended.contains("a local interface"), "{ended}");
}
