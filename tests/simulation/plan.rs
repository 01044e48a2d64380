//! What happens in one run, drawn from its seed before anything happens: a plan is data, so it can be replayed,
//! and shortened until only what matters is left.

use crate::simulation::agent::Fate;
use crate::simulation::authority::AuthorityFate;
use crate::simulation::deeds::{By, What};
use crate::simulation::hardware::Change;
use crate::simulation::rng::Rng;
use crate::simulation::setup::Setup;
use landfast_core::event::Delivery;

/// One thing that happens. Where it does not apply, nothing happens.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// An administrator asks.
    Command(What, Delivery, Fate),
    /// A slow agent carries out its next effect.
    CarryOut,
    /// One of the device's requests reaches the authority: how many newer ones there are.
    Deliver(usize, AuthorityFate),
    /// One of the responses for the device reaches it: how many newer ones there are.
    Import(usize, By, Fate),
    /// A response for somebody else reaches the device.
    Misdeliver(usize, By),
    /// One of its own reaches it with one bit changed.
    DamageAnswer(usize, usize, By),
    /// A request reaches the authority with one bit changed.
    DamageRequest(usize, usize),
    /// The connection fails.
    SendFailed(Fate),
    /// Time passes until the agent wakes.
    Wake(Fate),
    /// Time passes.
    Wait(u64),
    /// The hardware changes.
    Hardware(Change, Fate),
    /// The wall clock is set to so many seconds before or after true time.
    SetClock(i64),
    /// A time server is found.
    CorrectClock,
    /// The agent is killed, or the machine loses power.
    Crash(bool),
    /// The agent is stopped in order.
    Stop,
    /// An agent that is down starts.
    Restart(Fate),
    /// The disk fills up, or is cleared.
    Fill(bool),
    /// A license is taken from the device without its proof.
    Reset(usize),
    /// The authority signs an update for the device.
    Update,
    /// The authority's process is restarted.
    RestartAuthority,
}

/// An action with the device and the issuer that it happens to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Which field server.
    pub device: usize,
    /// Which issuer.
    pub issuer: usize,
    /// What.
    pub action: Action,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it came from; also the source of all keys and ids in it.
    pub seed: u64,
    /// The beginning.
    pub setup: Setup,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let setup = Setup::drawn(&mut rng);
        let length = 60 + rng.below(80);
        let steps = (0..length).map(|_| step(&mut rng, &setup)).collect();
        Self { seed, setup, steps }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Command,
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

fn step(rng: &mut Rng, setup: &Setup) -> Step {
    const KINDS: [(usize, Kind); 12] = [
        (26, Kind::Command),
        (6, Kind::CarryOut),
        (30, Kind::Deliver),
        (28, Kind::Import),
        (3, Kind::Foreign),
        (4, Kind::Connection),
        (3, Kind::Time),
        (4, Kind::Hardware),
        (5, Kind::Life),
        (14, Kind::Restart),
        (2, Kind::Disk),
        (8, Kind::Vendor),
    ];
    let device = rng.below(setup.devices);
    let issuer = rng.below(setup.issuers.len());
    let licenses = setup.issuers[issuer].len();
    let action = match rng.weighted(&KINDS).unwrap_or(Kind::Command) {
        Kind::Command => Action::Command(what(rng, licenses), delivery(rng), fate(rng)),
        Kind::CarryOut => Action::CarryOut,
        Kind::Deliver => Action::Deliver(back(rng), authority_fate(rng)),
        Kind::Import => Action::Import(back(rng), by(rng), fate(rng)),
        Kind::Foreign => match rng.below(4) {
            0 | 1 => Action::Misdeliver(rng.below(64), by(rng)),
            2 => Action::DamageAnswer(back(rng), rng.below(1 << 16), by(rng)),
            _ => Action::DamageRequest(back(rng), rng.below(1 << 16)),
        },
        Kind::Connection => if rng.one_in(2) { Action::SendFailed(fate(rng)) } else { Action::Wake(fate(rng)) },
        Kind::Time => time(rng),
        Kind::Hardware => Action::Hardware(Change::ALL[rng.below(Change::ALL.len())], fate(rng)),
        Kind::Life => match rng.below(4) {
            0 => Action::Stop,
            at => Action::Crash(at == 1),
        },
        Kind::Restart => Action::Restart(fate(rng)),
        Kind::Disk => Action::Fill(rng.one_in(3)),
        Kind::Vendor => match rng.below(8) {
            0..=3 => Action::Update,
            4..=6 => Action::Reset(rng.below(licenses)),
            _ => Action::RestartAuthority,
        },
    };
    Step { device, issuer, action }
}

fn what(rng: &mut Rng, licenses: usize) -> What {
    let license = rng.below(licenses);
    let units = u32::try_from(1 + rng.below(3)).ok();
    match rng.below(24) {
        0..=8 => What::Activate(license, None),
        9 | 10 => What::Activate(license, units),
        11 => What::ActivateAll,
        12 if rng.one_in(2) => What::ActivateUnknown,
        12..=16 => What::Return(license, None),
        17 | 18 => What::Return(license, units),
        19 | 20 => What::ReturnAll,
        _ => What::Reclaim,
    }
}

fn time(rng: &mut Rng) -> Action {
    const HOUR: u64 = 3600;
    const SHIFTS: [i64; 5] = [-400 * 86_400, -86_400, 600, 40 * 86_400, 400 * 86_400];
    match rng.below(6) {
        0 => Action::SetClock(SHIFTS[rng.below(SHIFTS.len())]),
        1 => Action::CorrectClock,
        _ => Action::Wait([60, HOUR, 30 * HOUR, 10 * 24 * HOUR, 33 * 24 * HOUR][rng.below(5)]),
    }
}

fn delivery(rng: &mut Rng) -> Delivery {
    if rng.one_in(4) { Delivery::File } else { Delivery::Online }
}

fn by(rng: &mut Rng) -> By {
    if rng.one_in(3) { By::Hand } else { By::Agent }
}

/// Mostly the newest; otherwise any.
fn back(rng: &mut Rng) -> usize {
    if rng.one_in(2) { 0 } else { rng.below(12) }
}

fn fate(rng: &mut Rng) -> Fate {
    match rng.below(20) {
        0..=13 => Fate::Whole,
        14..=16 => Fate::Slow,
        17 => Fate::Uncommitted,
        _ => Fate::Cut(rng.below(5)),
    }
}

fn authority_fate(rng: &mut Rng) -> AuthorityFate {
    match rng.below(20) {
        0 => AuthorityFate::DiesBefore,
        1 => AuthorityFate::DiesAfter,
        _ => AuthorityFate::Answers,
    }
}
