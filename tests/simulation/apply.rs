//! How each step of a plan is carried out.

use crate::simulation::agent::Fate;
use crate::simulation::authority::AuthorityFate;
use crate::simulation::deeds::What;
use crate::simulation::hardware::Change;
use crate::simulation::plan::{Action, Step};
use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;
use landfast_core::event::Delivery;
use landfast_protocol::Timestamp;

impl World {
    /// Lets one step of a plan happen.
    pub fn apply(&mut self, step: Step) -> Result<(), Violation> {
        let Step { device, issuer, action, patient } = step;
        let agent = &self.servers[device].agents[issuer];
        if needs_agent(action) && (!self.servers[device].is_up() || (patient && agent.is_busy())) {
            return Ok(());
        }
        match action {
            Action::Command(what, delivery, fate) => {
                self.command(device, issuer, what, delivery, fate)?;
            }
            Action::Exchange(what) => self.exchange(device, issuer, what)?,
            Action::Swap(days, fate) => self.swap(device, issuer, days, fate)?,
            Action::Overtaken(what) => self.overtake(device, issuer, what)?,
            Action::CarryOut(effects) => self.carry_on(device, effects)?,
            Action::Deliver(back, fate) => {
                if let Some(letter) = nth_back(back, self.authorities[issuer].letters.len(), |at| {
                    self.authorities[issuer].letters[at].device == device
                }) {
                    self.take(issuer, letter, fate)?;
                }
            }
            Action::Import(back, by, fate) => {
                let answer = nth_back(back, self.authorities[issuer].answers.len(), |at| {
                    self.authorities[issuer].answers[at].device == device
                });
                if let Some(answer) = answer {
                    self.import(device, issuer, answer, by, fate)?;
                }
            }
            Action::SendFailed(fate) => self.send_failed(device, issuer, fate)?,
            Action::Wake(fate) => {
                self.wake(device, issuer, fate)?;
            }
            Action::Wait(seconds) => {
                self.now += seconds;
                self.say(|_| format!("{seconds} seconds pass"));
            }
            Action::Hardware(change, fate) => {
                self.say(|_| format!("hardware of device {device}: {change:?}, {fate:?}"));
                self.change(device, change, fate)?;
            }
            Action::Crash(power) => self.crash(device, power),
            Action::Stop => self.stop(device)?,
            Action::Restart(fate) => self.restart_one(device, fate)?,
            Action::Fill(full) => self.fill(device, full),
            Action::Reset(license) => {
                self.reset(issuer, license, device)?;
            }
            Action::Update => {
                self.update(issuer, device)?;
            }
            Action::SetClock(_) | Action::CorrectClock => self.set_clock(device, action),
            Action::RestartAuthority => {
                self.authorities[issuer].restart();
                self.coverage.note("authority", "restarted");
            }
            Action::BackUp => self.authorities[issuer].back_up(),
            Action::SetBack => self.set_back(issuer)?,
            Action::Image => {
                // One restore for each device, so that it is plain which request belongs to which history.
                if self.servers[device].agents.iter().all(|agent| agent.restored.is_none()) {
                    self.say(|_| format!("the disk of device {device} is copied"));
                    let image = self.image(device);
                    self.images.insert(device, image);
                }
            }
            Action::Restore => {
                // Whichever device there is an image of.
                if let Some((device, image)) = self.images.pop_last() {
                    self.restore(device, image);
                }
            }
            Action::Resolve => {
                self.resolve(issuer, device)?;
            }
            Action::Misdeliver(..) | Action::DamageAnswer(..) | Action::DamageRequest(..) => {
                self.mislead(device, issuer, action)?;
            }
        }
        self.check()
    }

    fn overtake(&mut self, device: usize, issuer: usize, what: What) -> Result<(), Violation> {
        let license = match what {
            What::Activate(license, _) | What::Return(license, _) => license,
            _ => 0,
        };
        let rival = (device + 1) % self.servers.len();
        self.command(device, issuer, what, Delivery::Online, Fate::Slow)?;
        while self.servers[device].agents[issuer].is_busy() {
            if let Some(letter) = self.carry_out(device, issuer, 1)? {
                self.take(issuer, letter, AuthorityFate::Answers)?;
            }
            if self.servers[rival].is_up() {
                self.exchange(rival, issuer, What::Activate(license, None))?;
            }
        }
        self.coverage.note("command", "overtaken");
        Ok(())
    }

    /// A planned swap as it should go. What the agent tells of it may get lost like everything else.
    fn swap(&mut self, device: usize, issuer: usize, days: u64, fate: Fate) -> Result<(), Violation> {
        self.exchange(device, issuer, What::PlanChange(days))?;
        self.say(|_| format!("device {device} gets other hardware, and a minute passes"));
        self.change(device, Change::Machine, Fate::Whole)?;
        self.now += 60;
        self.wake(device, issuer, fate)?;
        Ok(())
    }

    /// The first agent from this one on that is busy.
    fn carry_on(&mut self, device: usize, effects: usize) -> Result<(), Violation> {
        let (servers, issuers) = (self.servers.len(), self.authorities.len());
        let all =
            (device..device + servers).flat_map(|at| (0..issuers).map(move |issuer| (at % servers, issuer)));
        let busy = all.into_iter().find(|(device, issuer)| self.servers[*device].agents[*issuer].is_busy());
        if let Some((device, issuer)) = busy {
            self.say(|_| format!("device {device} carries out {effects} effects at issuer-{issuer}"));
            self.carry_out(device, issuer, effects)?;
        }
        Ok(())
    }

    /// The first device from this one on that is down.
    fn restart_one(&mut self, device: usize, fate: Fate) -> Result<(), Violation> {
        let count = self.servers.len();
        let down = (device..device + count).map(|at| at % count).find(|at| !self.servers[*at].is_up());
        down.map_or(Ok(()), |device| self.restart(device, fate))
    }

    fn set_back(&mut self, issuer: usize) -> Result<(), Violation> {
        let now = Timestamp(self.now);
        if self.authorities[issuer].set_back(now)? {
            self.coverage.note("authority", "set back");
            self.say(|_| format!("the database of issuer-{issuer} is set back"));
        }
        Ok(())
    }

    fn set_clock(&mut self, device: usize, action: Action) {
        self.say(|_| format!("device {device}: {action:?}"));
        match action {
            Action::SetClock(shift) => self.servers[device].clock.set(shift),
            _ => self.servers[device].clock.correct(),
        }
        self.coverage.note("device", "clock set");
    }

    fn mislead(&mut self, device: usize, issuer: usize, action: Action) -> Result<(), Violation> {
        match action {
            Action::Misdeliver(which, by) => {
                let others = self.authorities.iter().enumerate().flat_map(|(from, authority)| {
                    let foreign = move |device_of: usize| from != issuer || device_of != device;
                    let answers = authority.answers.iter().filter(move |answer| foreign(answer.device));
                    answers.map(move |answer| (from, answer.bytes.clone()))
                });
                let others: Vec<_> = others.collect();
                if let Some((from, bytes)) = others.get(which % others.len().max(1)).cloned() {
                    let kind = if from == issuer { "another device's" } else { "another issuer's" };
                    self.give_foreign(device, issuer, bytes, by, kind)?;
                }
            }
            Action::DamageAnswer(back, bit, by) => {
                let answers = &self.authorities[issuer].answers;
                if let Some(at) = nth_back(back, answers.len(), |at| answers[at].device == device) {
                    let bytes = damaged(&answers[at].bytes, bit);
                    self.give_foreign(device, issuer, bytes, by, "damaged")?;
                }
            }
            Action::DamageRequest(back, bit) => {
                let letters = &self.authorities[issuer].letters;
                if let Some(at) = nth_back(back, letters.len(), |at| letters[at].device == device) {
                    let bytes = damaged(&letters[at].bytes, bit);
                    let refused = self.authorities[issuer].refuses(bytes, Timestamp(self.now));
                    demand(refused, Rule::RefusesForeign, || "a damaged request was answered".to_owned())?;
                    self.coverage.note("refused", "damaged request");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether it happens inside the agent, and not around it.
fn needs_agent(action: Action) -> bool {
    match action {
        Action::Command(..)
        | Action::Exchange(_)
        | Action::Swap(..)
        | Action::Overtaken(_)
        | Action::Import(..)
        | Action::Misdeliver(..)
        | Action::DamageAnswer(..)
        | Action::SendFailed(_)
        | Action::Wake(_)
        | Action::Stop => true,
        Action::CarryOut(_)
        | Action::Deliver(..)
        | Action::DamageRequest(..)
        | Action::Wait(_)
        | Action::Hardware(..)
        | Action::SetClock(_)
        | Action::CorrectClock
        | Action::Crash(_)
        | Action::Restart(_)
        | Action::Fill(_)
        | Action::Reset(_)
        | Action::Update
        | Action::RestartAuthority
        | Action::BackUp
        | Action::SetBack
        | Action::Image
        | Action::Restore
        | Action::Resolve => false,
    }
}

/// Of the entries that fit, the one that `back` newer ones follow; around again where there are fewer.
fn nth_back(back: usize, count: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let fitting: Vec<_> = (0..count).rev().filter(|at| fits(*at)).collect();
    fitting.get(back % fitting.len().max(1)).copied()
}

fn damaged(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bit / 8 % bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << (bit % 8);
    }
    bytes
}
