//! What happens in one run, drawn from its seed before anything happens: a plan is data, so it can be replayed,
//! and shortened until only what matters is left.

use crate::simulation::agent::Fate;
use crate::simulation::authority::AuthorityFate;
use crate::simulation::deeds::{By, What};
use crate::simulation::dice::Dice;
use crate::simulation::hardware::Change;
use crate::simulation::rng::Rng;
use crate::simulation::setup::Setup;
use landfast_core::event::Delivery;

/// One thing that happens. Where it does not apply, nothing happens.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// An administrator asks.
    Command(What, Delivery, Fate),
    /// An administrator asks, and for once everything arrives.
    Exchange(What),
    /// An administrator asks a slow agent: between any two of its effects the authority takes what has left, and
    /// another device tries to activate.
    Overtaken(What),
    /// A swap of hardware is planned for so many days, done, and left in peace for a minute.
    Swap(u64, Fate),
    /// A slow agent carries out so many effects.
    CarryOut(usize),
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
    /// A copy of the authority's database is kept.
    BackUp,
    /// The authority's database is lost and its copy put back.
    SetBack,
    /// The device's disk is copied.
    Image,
    /// The copy is put back.
    Restore,
    /// A person answers the open case of the device.
    Resolve,
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
    /// An agent that is busy is left alone; otherwise it first ends what it is doing.
    pub patient: bool,
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
        let mut dice = Dice::new(rng, setup.online);
        let steps = (0..length).map(|_| dice.step(&setup)).collect();
        Self { seed, setup, steps }
    }
}
