//! Draws the steps of a plan.

use crate::simulation::agent::Fate;
use crate::simulation::authority::AuthorityFate;
use crate::simulation::deeds::{By, What};
use crate::simulation::hardware::Change;
use crate::simulation::plan::{Action, Step};
use crate::simulation::rng::Rng;
use crate::simulation::setup::Setup;
use landfast_core::event::Delivery;

/// Runs differ in temper: in one nearly everything arrives, in another the agents crawl and everything is late.
/// One mixture for all would hardly ever show what needs a calm world with a single trouble in it.
pub(crate) struct Dice {
    rng: Rng,
    /// Weight of exchanges in which everything arrives.
    calm: usize,
    /// Of 20 events, those whose effects are carried out one by one.
    slow: usize,
    /// Of 20 events, those during which the agent dies.
    deadly: usize,
    /// One message in so many is the newest, the others are any.
    newest: usize,
    /// Answers hardly ever arrive, so that requests pile up.
    deaf: bool,
    /// Of 24 requests, those that are carried by hand.
    carried: usize,
    /// Weight of what the vendor does unasked.
    busy: usize,
    /// The authority loses its database now and then. Rare, because it excuses much.
    careless: bool,
    /// Disks are copied and put back. Rare, because it excuses much.
    haunted: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Command,
    Exchange,
    Overtaken,
    CarryOut,
    Deliver,
    Import,
    Foreign,
    Connection,
    Time,
    Hardware,
    Life,
    Restart,
    Disk,
    Vendor,
}

impl Dice {
    pub fn new(mut rng: Rng, online: bool) -> Self {
        Self {
            calm: [0, 0, 8, 30][rng.below(4)],
            slow: [0, 2, 4, 6][rng.below(4)],
            deadly: [0, 2, 3, 5][rng.below(4)],
            newest: 1 + rng.below(4),
            deaf: rng.one_in(6),
            carried: if online { 8 } else { 22 },
            busy: [4, 10, 20][rng.below(3)],
            careless: rng.one_in(5),
            haunted: rng.one_in(4),
            rng,
        }
    }

    pub fn step(&mut self, setup: &Setup) -> Step {
        let device = self.rng.below(setup.devices);
        let issuer = self.rng.below(setup.issuers.len());
        let action = self.action(setup.issuers[issuer].len());
        let patient = self.slow >= 4 || self.rng.one_in(2);
        Step { device, issuer, action, patient }
    }

    fn action(&mut self, licenses: usize) -> Action {
        let kinds = [
            (if self.deaf { 60 } else { 26 }, Kind::Command),
            (if self.deaf { 0 } else { self.calm }, Kind::Exchange),
            (self.slow, Kind::Overtaken),
            (4 * self.slow, Kind::CarryOut),
            (30, Kind::Deliver),
            (if self.deaf { 2 } else { 28 }, Kind::Import),
            (3, Kind::Foreign),
            (4, Kind::Connection),
            (3, Kind::Time),
            (4, Kind::Hardware),
            (self.deadly + if self.haunted { 12 } else { 0 }, Kind::Life),
            (4 + 3 * self.deadly, Kind::Restart),
            (2, Kind::Disk),
            (self.busy, Kind::Vendor),
        ];
        match self.rng.weighted(&kinds).unwrap_or(Kind::Command) {
            Kind::Command => Action::Command(self.what(licenses), self.delivery(), self.fate()),
            Kind::Exchange => match self.what(licenses) {
                What::PlanChange(days) => Action::Swap(days, self.fate()),
                what => Action::Exchange(what),
            },
            Kind::Overtaken => Action::Overtaken(self.what(licenses)),
            Kind::CarryOut => Action::CarryOut([1, 1, 2, 9][self.rng.below(4)]),
            Kind::Deliver => Action::Deliver(self.back(), self.authority_fate()),
            Kind::Import => Action::Import(self.back(), self.by(), self.fate()),
            Kind::Foreign => self.foreign(),
            Kind::Connection if self.rng.one_in(2) => Action::SendFailed(self.fate()),
            Kind::Connection => Action::Wake(self.fate()),
            Kind::Time => self.time(),
            Kind::Hardware => Action::Hardware(Change::ALL[self.rng.below(Change::ALL.len())], self.fate()),
            Kind::Life if self.haunted && !self.rng.one_in(4) => {
                [Action::Image, Action::Restore, Action::Resolve][self.rng.below(3)]
            }
            Kind::Life => match self.rng.below(4) {
                0 => Action::Stop,
                at => Action::Crash(at == 1),
            },
            Kind::Restart => Action::Restart(self.fate()),
            Kind::Disk => Action::Fill(self.rng.one_in(3)),
            Kind::Vendor if self.careless && !self.haunted && self.rng.one_in(3) => {
                if self.rng.one_in(2) {
                    Action::BackUp
                } else {
                    Action::SetBack
                }
            }
            Kind::Vendor => match self.rng.below(8) {
                0..=4 => Action::Update,
                5 | 6 => Action::Reset(self.rng.below(licenses)),
                _ => Action::RestartAuthority,
            },
        }
    }

    fn what(&mut self, licenses: usize) -> What {
        let license = self.rng.below(licenses);
        let units = u32::try_from(1 + self.rng.below(3)).ok();
        match self.rng.below(27) {
            0..=9 => What::Activate(license, None),
            10 => What::Activate(license, units),
            11 => What::ActivateAll,
            12 if self.rng.one_in(2) => What::ActivateUnknown,
            12..=17 => What::Return(license, None),
            18 => What::Return(license, units),
            19 | 20 => What::ReturnAll,
            // A week, or two; six weeks are more than any product allows.
            24..=26 => {
                What::PlanChange(if units == Some(3) { 42 } else { 7 * u64::from(units.unwrap_or(1)) })
            }
            _ => What::Reclaim,
        }
    }

    fn foreign(&mut self) -> Action {
        match self.rng.below(4) {
            0 | 1 => Action::Misdeliver(self.rng.below(64), self.by()),
            2 => Action::DamageAnswer(self.back(), self.rng.below(1 << 16), self.by()),
            _ => Action::DamageRequest(self.back(), self.rng.below(1 << 16)),
        }
    }

    fn time(&mut self) -> Action {
        const HOUR: u64 = 3600;
        const DAY: i64 = 86_400;
        match self.rng.below(6) {
            0 => Action::SetClock([-400 * DAY, -DAY, 600, 40 * DAY, 400 * DAY][self.rng.below(5)]),
            1 => Action::CorrectClock,
            _ => Action::Wait([60, HOUR, 30 * HOUR, 240 * HOUR, 800 * HOUR][self.rng.below(5)]),
        }
    }

    fn delivery(&mut self) -> Delivery {
        if self.rng.below(24) < self.carried { Delivery::File } else { Delivery::Online }
    }

    fn by(&mut self) -> By {
        if self.rng.one_in(3) { By::Hand } else { By::Agent }
    }

    fn back(&mut self) -> usize {
        if self.rng.one_in(self.newest) { 0 } else { self.rng.below(12) }
    }

    fn fate(&mut self) -> Fate {
        let at = self.rng.below(20);
        match at.checked_sub(self.slow) {
            None => Fate::Slow,
            Some(at) if at >= self.deadly => Fate::Whole,
            Some(0) => Fate::Uncommitted,
            Some(_) => Fate::Cut([0, 1, 1, 2, 2, 3][self.rng.below(6)]),
        }
    }

    fn authority_fate(&mut self) -> AuthorityFate {
        match self.rng.below(20) {
            0 => AuthorityFate::DiesBefore,
            1 => AuthorityFate::DiesAfter,
            _ => AuthorityFate::Answers,
        }
    }
}
