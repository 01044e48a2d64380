use super::super::interpreter::{Delivered, Interpreter};
use super::super::shown::Shown;
use super::*;
use crate::adapters::Alarm;
use crate::config::{Issuer, Online};
use crate::desk::Answer;
use crate::transport::Route;
use landfast_core::effect::{Reply, Signal};
use landfast_core::view::Alert;
use landfast_protocol::{Duration, Timestamp};
use std::time::Duration as Time;
use tokio::sync::{broadcast, mpsc, oneshot};

/// An interpreter for one issuer, and what can be seen of its work.
struct Bench {
    interpreter: Interpreter,
    deliveries: mpsc::Receiver<Delivered>,
    signals: broadcast::Receiver<(usize, Signal)>,
    clock: Arc<Clock>,
    _directory: tempfile::TempDir,
}

fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let worker = started(directory.path());
    let shown = Shown::new(worker.views(), vec![Vec::new(), Vec::new()]);
    let issuer = Issuer {
        name: "issuer-1".to_owned(),
        id: id(1),
        roots: settings(1).trust.roots,
        addresses: Vec::new(),
        ca: None,
        file: "issuer-1.toml".into(),
    };
    let (connect_timeout, exchange_timeout) = (Time::from_secs(1), Time::from_secs(1));
    let online = Online { proxy: None, connect_timeout, exchange_timeout };
    let route = Arc::new(Route::new(&issuer, &online));
    let (delivered, deliveries) = mpsc::channel(8);
    let (sender, signals) = broadcast::channel(8);
    let clock = clock();
    let alarm = Alarm::new().unwrap();
    let routes = vec![Arc::clone(&route), route];
    let interpreter = Interpreter::new(shown, alarm, Arc::clone(&clock), sender, delivered, routes);
    Bench { interpreter, deliveries, signals, clock, _directory: directory }
}

fn send(counter: u64) -> (usize, Effect) {
    let request = Arc::from(b"request".as_slice());
    (0, Effect::Send { counter, request, time: Timestamp::default() })
}

fn reply(ticket: Ticket) -> (usize, Effect) {
    (0, Effect::Reply(ticket, Ok(Reply { results: Vec::new(), changed: true, request: None })))
}

#[tokio::test]
async fn a_later_request_replaces_an_earlier_one() {
    let mut bench = bench();
    bench.interpreter.carry_out(vec![send(1), send(2)]).unwrap();
    let mut wanted = Vec::new();
    while wanted.is_empty() {
        let delivered = bench.deliveries.recv().await.unwrap();
        if bench.interpreter.is_wanted(&delivered) {
            assert_eq!(delivered.result.as_ref().unwrap_err().code(), "no_address");
            wanted.push(delivered.counter);
        }
        assert!(!bench.interpreter.is_wanted(&delivered), "no answer counts twice");
    }
    assert_eq!(wanted, [2]);
}

#[tokio::test]
async fn each_caller_is_answered_once() {
    let mut bench = bench();
    let (answer, mut heard) = oneshot::channel();
    let ticket = bench.interpreter.ticket(answer);
    bench.interpreter.carry_out(vec![reply(ticket), reply(ticket), reply(Ticket(99))]).unwrap();
    assert!(matches!(heard.try_recv(), Ok(Ok(Answer::Done(reply))) if reply.changed));
}

#[tokio::test]
async fn when_the_agent_stops_nothing_is_sent_and_nobody_is_left_waiting() {
    let mut bench = bench();
    let (answer, mut heard) = oneshot::channel();
    bench.interpreter.ticket(answer);
    bench.interpreter.stop();
    assert!(matches!(heard.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    bench.interpreter.carry_out(vec![send(1)]).unwrap();
    drop(bench.interpreter);
    assert!(bench.deliveries.recv().await.is_none(), "nobody is left who could deliver");
}

#[tokio::test]
async fn the_alarm_rings_for_who_asked_first_and_for_each_once() {
    let mut bench = bench();
    let now = bench.clock.now().boot;
    let later = Duration(now.0 + 1_000_000);
    bench.interpreter.carry_out(vec![(0, Effect::WakeAt(Some(later)))]).unwrap();
    bench.interpreter.carry_out(vec![(1, Effect::WakeAt(Some(Duration(1))))]).unwrap();
    bench.interpreter.alarm.rung().await.unwrap();
    assert_eq!(bench.interpreter.due().unwrap(), [1]);
    assert_eq!(bench.interpreter.due().unwrap(), Vec::<usize>::new());
}

#[tokio::test]
async fn an_alarm_that_was_taken_back_is_not_due() {
    let mut bench = bench();
    bench.interpreter.carry_out(vec![(0, Effect::WakeAt(Some(Duration(1))))]).unwrap();
    bench.interpreter.carry_out(vec![(0, Effect::WakeAt(None))]).unwrap();
    assert_eq!(bench.interpreter.due().unwrap(), Vec::<usize>::new());
}

#[tokio::test]
async fn what_is_published_is_read_at_once_and_signals_are_heard() {
    let mut bench = bench();
    let snapshot = bench.interpreter.shown.snapshot();
    let mut view = IssuerView::clone(&snapshot.load().issuers[1]);
    view.counter = 77;
    let effects = vec![(1, Effect::Publish(Arc::new(view))), (1, Effect::Signal(Signal::LicensesChanged))];
    bench.interpreter.carry_out(effects).unwrap();
    assert_eq!(snapshot.load().issuers[1].counter, 77);
    assert_ne!(snapshot.load().issuers[0].counter, 77);
    assert_eq!(bench.signals.recv().await.unwrap(), (1, Signal::LicensesChanged));
}

#[tokio::test]
async fn trouble_with_the_store_is_shown_as_long_as_it_lasts() {
    let mut bench = bench();
    let snapshot = bench.interpreter.shown.snapshot();
    let codes = || -> Vec<_> {
        snapshot.load().issuers.iter().map(|view| view.alerts.iter().map(|a| a.code).collect()).collect()
    };
    let usual: Vec<Vec<&str>> = codes();
    bench.interpreter.shown.trouble(Some("the disk is full".to_owned()));
    for codes in codes() {
        assert!(codes.contains(&"store_unwritable"), "{codes:?}");
    }
    let view = IssuerView::clone(&snapshot.load().issuers[0]);
    bench.interpreter.shown.trouble(None);
    assert_eq!(codes(), usual);
    assert!(view.alerts.iter().any(|alert| alert.message.contains("licenses stay granted")));
}

#[tokio::test]
async fn what_happened_to_the_store_stays_shown_once() {
    let mut bench = bench();
    let snapshot = bench.interpreter.shown.snapshot();
    let healed = |message: &str| {
        let alert = Alert { code: "store_healed", message: message.to_owned() };
        vec![Vec::new(), vec![alert]]
    };
    bench.interpreter.shown.happened(healed("once"));
    bench.interpreter.shown.happened(healed("and again"));
    bench.interpreter.shown.happened(vec![Vec::new(), Vec::new()]);
    let view = IssuerView::clone(&snapshot.load().issuers[1]);
    bench
        .interpreter
        .carry_out(vec![(1, Effect::Publish(Arc::new(IssuerView { alerts: Vec::new(), ..view })))])
        .unwrap();
    let alerts = snapshot.load().issuers[1].alerts.clone();
    assert_eq!(alerts, [Alert { code: "store_healed", message: "and again".to_owned() }]);
    assert!(snapshot.load().issuers[0].alerts.iter().all(|alert| alert.code != "store_healed"));
}
