//! The one loop of the agent: what happens becomes an event, and its effects are carried out. It decides nothing.

use super::DaemonError;
use super::effects::{Delivered, Effects};
use super::hardware::Hardware;
use super::keeper::Keeper;
use super::notify;
use crate::adapters::{Alarm, Clock, ClockSteps};
use crate::config::Settings;
use crate::desk::{Answer, Ask, Command, Desk};
use landfast_core::effect::Refusal;
use landfast_core::event::Delivery;
use landfast_core::{Carrier, Effect, Event};
use landfast_protocol::reading::HardwareReading;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

pub struct Attention {
    /// Away while an event waits for the disk.
    keeper: Option<Keeper>,
    count: usize,
    effects: Effects,
    hardware: Hardware,
    asked: mpsc::Receiver<Ask>,
    clock: Arc<Clock>,
    alarm: Alarm,
    clock_steps: ClockSteps,
    signals: Signals,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Attention {
    pub fn new(
        keeper: Keeper,
        settings: &Settings,
        desk: Desk,
        clock: Arc<Clock>,
        hardware: Hardware,
        asked: mpsc::Receiver<Ask>,
    ) -> Result<Self, DaemonError> {
        let system = |operation| move |source| DaemonError::System { operation, source };
        let listen = |kind| signal(kind).map_err(system("listen for signals"));
        Ok(Self {
            count: keeper.count(),
            keeper: Some(keeper),
            effects: Effects::new(settings, desk),
            hardware,
            asked,
            clock,
            alarm: Alarm::new().map_err(system("make a timer"))?,
            clock_steps: ClockSteps::watch().map_err(system("watch the clock"))?,
            signals: Signals {
                terminate: listen(SignalKind::terminate())?,
                interrupt: listen(SignalKind::interrupt())?,
                hangup: listen(SignalKind::hangup())?,
            },
        })
    }

    /// Boot: the stored state takes effect, and the hardware is looked at.
    pub async fn begin(&mut self) {
        self.each(|| Event::Start).await;
        self.rescan().await;
    }

    /// Attends to everything until the agent is told to end.
    pub async fn pay(&mut self) -> Result<(), DaemonError> {
        let mut watchdog = notify::watchdog().map(tokio::time::interval);
        while self.keeper.is_some() {
            self.set_alarm();
            tokio::select! {
                Some(ask) = self.asked.recv() => self.answer(ask).await,
                delivered = self.effects.delivered() => self.take(delivered).await,
                () = self.hardware.changed() => self.rescan().await,
                _ = self.alarm.rung() => self.wake().await,
                _ = self.clock_steps.stepped() => self.each(|| Event::Wake).await,
                _ = self.signals.hangup.recv() => self.rescan().await,
                _ = self.signals.terminate.recv() => break,
                _ = self.signals.interrupt.recv() => break,
                () = tick(watchdog.as_mut()) => notify::alive(),
            }
        }
        if self.keeper.is_none() {
            let source = std::io::Error::other("a step of a machine did not end");
            return Err(DaemonError::System { operation: "go on", source });
        }
        self.each(|| Event::Shutdown).await;
        Ok(())
    }

    async fn answer(&mut self, ask: Ask) {
        let Ask { command, issuer, answer } = ask;
        let delivery = |by_file| if by_file { Delivery::File } else { Delivery::Online };
        let event = match command {
            Command::Rescan => {
                self.rescan().await;
                let _ = answer.send(Ok(Answer::Rescanned));
                return;
            }
            Command::History { since, limit } => {
                let lines = self.with_keeper(move |keeper| keeper.history(issuer, since, limit)).await;
                let lines = match lines {
                    Some(Ok(lines)) => Ok(Answer::History(lines)),
                    Some(Err(error)) => Err(Refusal::Store(error.to_string())),
                    None => return,
                };
                let _ = answer.send(lines);
                return;
            }
            Command::Activate { licenses, by_file } => {
                Event::Activate { ticket: self.effects.expect(answer), licenses, delivery: delivery(by_file) }
            }
            Command::Return { selection, by_file } => {
                Event::Return { ticket: self.effects.expect(answer), selection, delivery: delivery(by_file) }
            }
            Command::Reclaim { by_file } => {
                Event::Reclaim { ticket: self.effects.expect(answer), delivery: delivery(by_file) }
            }
            Command::Import(bytes) => {
                let ticket = Some(self.effects.expect(answer));
                Event::Response { ticket, bytes, carrier: Carrier::File }
            }
        };
        self.happen(issuer, event).await;
    }

    async fn take(&mut self, delivered: Delivered) {
        let Delivered { at, counter, answer } = delivered;
        let event = match answer {
            Ok(bytes) => Event::Response { ticket: None, bytes, carrier: Carrier::Online },
            Err(failure) => {
                tracing::info!(counter, "a request was not answered: {failure}");
                Event::SendFailed { counter, failure }
            }
        };
        self.happen(at, event).await;
    }

    async fn rescan(&mut self) {
        if let Some(reading) = self.hardware.look().await {
            let reading: Arc<HardwareReading> = Arc::new(reading);
            self.each(|| Event::Evidence((*reading).clone())).await;
        }
    }

    async fn wake(&mut self) {
        for at in self.effects.due(self.clock.now().boot) {
            self.happen(at, Event::Wake).await;
        }
    }

    async fn each(&mut self, event: impl Fn() -> Event) {
        for at in 0..self.count {
            self.happen(at, event()).await;
        }
    }

    async fn happen(&mut self, at: usize, event: Event) {
        let effects: Option<Vec<Effect>> = self.with_keeper(move |keeper| keeper.handle(at, event)).await;
        self.effects.carry_out(at, effects.unwrap_or_default());
    }

    /// Works on the machines where waiting for a disk holds up no check. A step that does not end takes the agent
    /// down: what is stored is sound, and systemd starts it again.
    async fn with_keeper<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Keeper) -> T + Send + 'static,
    ) -> Option<T> {
        let mut keeper = self.keeper.take()?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work(&mut keeper);
            (keeper, done)
        });
        match working.await {
            Ok((keeper, done)) => {
                self.keeper = Some(keeper);
                Some(done)
            }
            Err(error) => {
                tracing::error!(%error, "a step of a machine did not end");
                None
            }
        }
    }

    fn set_alarm(&self) {
        if let Err(error) = self.alarm.set(self.effects.wake_at()) {
            tracing::warn!(%error, "the timer cannot be set");
        }
    }
}

async fn tick(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
