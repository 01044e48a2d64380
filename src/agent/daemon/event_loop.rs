//! The loop. What happens becomes a job for the worker, what the worker found out is carried out; nothing is decided
//! here.

use super::error::DaemonError;
use super::hardware::{Asker, News, Watch};
use super::interpreter::{Delivered, Interpreter};
use super::notify::Manager;
use super::worker::{Done, Job, Worker};
use crate::adapters::ClockSteps;
use crate::desk::{Answer, Ask, Command};
use crate::store::Medium;
use landfast_core::effect::Refusal;
use landfast_core::event::{Carrier, Delivery, Event};
use std::collections::VecDeque;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, JoinSet};

/// A job, and who waits for it to be done.
type Queued = (Job, Vec<Asker>);
/// What the worker comes back with.
type Back<M> = (Worker<M>, io::Result<Done>, Vec<Asker>);
/// The worker is away with a job.
type Away<M> = JoinHandle<Back<M>>;

const WAIT: &str = "wait for events";

/// Everything that the loop waits for.
pub(super) struct EventLoop<M: Medium> {
    pub worker: Option<Worker<M>>,
    pub interpreter: Interpreter,
    pub commands: mpsc::Receiver<Ask>,
    pub deliveries: mpsc::Receiver<Delivered>,
    pub hardware: Watch,
    pub steps: ClockSteps,
    pub manager: Manager,
    /// The faces; one that ends before it is told to is a fault.
    pub faces: JoinSet<()>,
    pub signals: Signals,
    pub jobs: VecDeque<Queued>,
    pub away: Option<Away<M>>,
}

/// The signals of the operating system that the agent heeds.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Needs the runtime's context.
    pub fn heed() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

impl<M: Medium + 'static> EventLoop<M>
where
    M::Backend: Send,
{
    /// Runs until it is asked to stop.
    pub async fn run(&mut self) -> Result<(), DaemonError> {
        loop {
            self.send_worker();
            let at_home = self.worker.is_some();
            tokio::select! {
                back = back(&mut self.away) => self.received(back)?,
                // One command at a time: while the worker is away others wait in the queue, which has an end.
                Some(ask) = self.commands.recv(), if at_home => self.asked(ask),
                Some(delivered) = self.deliveries.recv() => self.delivered(delivered),
                news = self.hardware.news() => match news {
                    News::Look(look) => self.jobs.push_back((Job::Evidence(look.reading), look.askers)),
                    News::Deaf(reason) => self.interpreter.shown.deaf(reason),
                },
                rung = self.interpreter.alarm.rung() => {
                    rung.map_err(DaemonError::system(WAIT))?;
                    let due = self.interpreter.due().map_err(DaemonError::system(WAIT))?;
                    self.jobs.push_back((Job::Wake(due), Vec::new()));
                }
                stepped = self.steps.stepped() => {
                    stepped.map_err(DaemonError::system(WAIT))?;
                    self.clock_stepped();
                }
                _ = self.signals.hangup.recv() => self.hardware.ask(None),
                _ = self.signals.terminate.recv() => return self.stop().await,
                _ = self.signals.interrupt.recv() => return self.stop().await,
                () = self.manager.beat() => self.manager.alive(),
                Some(ended) = self.faces.join_next() => return Err(face_ended(ended)),
            }
        }
    }

    fn send_worker(&mut self) {
        let Some(mut worker) = self.worker.take() else { return };
        let Some((job, askers)) = self.jobs.pop_front() else {
            self.worker = Some(worker);
            return;
        };
        self.away = Some(tokio::task::spawn_blocking(move || {
            let done = worker.run(job);
            (worker, done, askers)
        }));
    }

    fn received(&mut self, back: Result<Back<M>, JoinError>) -> Result<(), DaemonError> {
        self.away = None;
        let (worker, done, askers) = back.map_err(thought_failed)?;
        let done = done.map_err(DaemonError::system("draw random numbers"))?;
        self.worker = Some(worker);
        if done.grants {
            self.jobs.push_back((Job::KeepGrants, Vec::new()));
        }
        let rescanned = match done.refused {
            None => Ok(Answer::Rescanned),
            Some(reason) => Err(Refusal::VerdictNotStored(reason)),
        };
        self.interpreter.shown.trouble(done.trouble);
        self.interpreter.shown.happened(done.alerts);
        self.interpreter.carry_out(done.effects).map_err(DaemonError::system(WAIT))?;
        for asker in askers {
            let _ = asker.send(rescanned.clone());
        }
        self.manager.status(self.interpreter.shown.status());
        Ok(())
    }

    fn asked(&mut self, ask: Ask) {
        let Ask { command, issuer, answer } = ask;
        let delivery = |by_file| if by_file { Delivery::File } else { Delivery::Online };
        let event = match command {
            Command::Rescan => return self.hardware.ask(Some(answer)),
            Command::History { since, limit } => {
                return self.jobs.push_back((Job::History { issuer, since, limit, answer }, Vec::new()));
            }
            Command::Activate { licenses, by_file } => {
                let ticket = self.interpreter.ticket(answer);
                Event::Activate { ticket, licenses, delivery: delivery(by_file) }
            }
            Command::Return { selection, by_file } => {
                let ticket = self.interpreter.ticket(answer);
                Event::Return { ticket, selection, delivery: delivery(by_file) }
            }
            Command::Reclaim { by_file } => {
                Event::Reclaim { ticket: self.interpreter.ticket(answer), delivery: delivery(by_file) }
            }
            Command::PlanChange { window, by_file } => {
                let ticket = self.interpreter.ticket(answer);
                Event::PlanChange { ticket, window, delivery: delivery(by_file) }
            }
            Command::Import(bytes) => {
                let ticket = Some(self.interpreter.ticket(answer));
                Event::Response { ticket, bytes, carrier: Carrier::File }
            }
        };
        self.jobs.push_back((Job::Event { issuer, event }, Vec::new()));
    }

    fn delivered(&mut self, delivered: Delivered) {
        if !self.interpreter.is_wanted(&delivered) {
            return;
        }
        let event = match delivered.result {
            Ok(bytes) => Event::Response { ticket: None, bytes, carrier: Carrier::Online },
            Err(failure) => {
                tracing::warn!(code = failure.code(), "{failure}");
                Event::SendFailed { counter: delivered.counter, failure }
            }
        };
        self.jobs.push_back((Job::Event { issuer: delivered.issuer, event }, Vec::new()));
    }

    /// The machines look at the clocks again; after sleep the hardware may be another, too.
    fn clock_stepped(&mut self) {
        tracing::info!("the wall clock was set, or the machine was asleep");
        let all = (0..self.interpreter.shown.issuers()).collect();
        self.jobs.push_back((Job::Wake(all), Vec::new()));
        self.hardware.touch();
    }

    /// What is under way is brought to its end; what only waits is not begun.
    async fn stop(&mut self) -> Result<(), DaemonError> {
        tracing::info!("stopping");
        self.manager.stopping();
        self.commands.close();
        self.jobs.clear();
        if self.away.is_some() {
            let back = back(&mut self.away).await;
            self.received(back)?;
        }
        self.interpreter.stop();
        self.jobs.clear();
        self.jobs.push_back((Job::Stop, Vec::new()));
        self.send_worker();
        let back = back(&mut self.away).await;
        self.received(back)
    }
}

async fn back<T>(away: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match away {
        Some(away) => away.await,
        None => std::future::pending().await,
    }
}

fn thought_failed(error: JoinError) -> DaemonError {
    DaemonError::Ended { part: "the thinking through of an event", reason: error.to_string() }
}

fn face_ended(ended: Result<(), JoinError>) -> DaemonError {
    let reason = ended.map_or_else(|error| error.to_string(), |()| "nobody asked it to".to_owned());
    DaemonError::Ended { part: "a local interface", reason }
}
