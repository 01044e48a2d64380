//! Field servers, authorities, and everything that can happen between them.

use crate::simulation::agent::{Agent, Done, Fate, Happening};
use crate::simulation::authority::{Answer, Authority, AuthorityFate, Letter, Taken, feature};
use crate::simulation::clerk::code;
use crate::simulation::clock::Clock;
use crate::simulation::coverage::Coverage;
use crate::simulation::fault::Fault;
use crate::simulation::hardware::{Change, Hardware};
use crate::simulation::image::Image;
use crate::simulation::setup::{START, Setup};
use crate::simulation::violation::Violation;
use landfast_core::entitlement::{Query, evaluate};
use landfast_core::view::IssuerView;
use landfast_core::{Entropy, Event, Moment, Settings, Snapshot, Ticket};
use landfast_protocol::grant::Position;
use landfast_protocol::request::{MAX_LISTED, SystemDescription};
use landfast_protocol::response::Disposition;
use landfast_protocol::{Digest, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One machine with an agent that serves every issuer.
#[derive(Debug)]
pub(crate) struct Server {
    pub clock: Clock,
    pub hardware: Hardware,
    pub agents: Vec<Agent>,
}

impl Server {
    pub fn is_up(&self) -> bool {
        self.agents.iter().all(Agent::is_up)
    }
}

/// The simulated world.
#[derive(Debug)]
pub struct World {
    pub(crate) now: u64,
    pub(crate) servers: Vec<Server>,
    pub(crate) authorities: Vec<Authority>,
    /// How often each kind of thing happened.
    pub coverage: Coverage,
    /// The first grant without a license, after it was reset: by issuer, device and license.
    pub(crate) resets: BTreeMap<(usize, usize, usize), Position>,
    pub(crate) images: BTreeMap<usize, Image>,
    pub(crate) holders: BTreeMap<(usize, usize), usize>,
    pub(crate) online: bool,
    seed: u64,
    draws: u64,
    trace: Option<Vec<String>>,
}

impl World {
    /// Everything is switched on and nothing is licensed yet.
    pub fn new(setup: &Setup, seed: u64, fault: Option<Fault>) -> Result<Self, Violation> {
        let authorities = setup.issuers.iter().enumerate();
        let authorities: Vec<_> = authorities
            .map(|(number, sells)| Authority::new(number, sells, fault))
            .collect::<Result<_, _>>()?;
        let server = |number| Server {
            clock: Clock::started(START.0),
            hardware: Hardware::of(number),
            agents: authorities
                .iter()
                .map(|authority| Agent::new(settings(authority, setup.online), fault))
                .collect(),
        };
        let servers = (0..setup.devices).map(server).collect();
        let mut world = Self {
            now: START.0 + 60,
            servers,
            authorities,
            coverage: Coverage::default(),
            resets: BTreeMap::new(),
            images: BTreeMap::new(),
            holders: BTreeMap::new(),
            online: setup.online,
            seed,
            draws: 0,
            trace: None,
        };
        for device in 0..setup.devices {
            world.start(device, Fate::Whole)?;
        }
        Ok(world)
    }

    /// From here on, writes down what happens.
    pub fn keep_trace(&mut self) {
        self.trace = Some(Vec::new());
    }

    /// What happened, line by line.
    #[must_use]
    pub fn trace(&self) -> &[String] {
        self.trace.as_deref().unwrap_or_default()
    }

    pub(crate) fn say(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = line(self);
            self.trace.iter_mut().for_each(|trace| trace.push(line.clone()));
        }
    }

    /// A request that left a device.
    #[must_use]
    pub fn letter(&self, issuer: usize, number: usize) -> Option<&Letter> {
        self.authorities.get(issuer)?.letters.get(number)
    }

    /// A response that was signed.
    #[must_use]
    pub fn answer(&self, issuer: usize, number: usize) -> Option<&Answer> {
        self.authorities.get(issuer)?.answers.get(number)
    }

    /// What the faces of a running device show of an issuer.
    #[must_use]
    pub fn view(&self, device: usize, issuer: usize) -> Option<Arc<IssuerView>> {
        self.servers.get(device)?.agents.get(issuer)?.view(&self.moment(device))
    }

    /// Units of a license that checks on a device grant now.
    #[must_use]
    pub fn granted(&self, device: usize, issuer: usize, license: usize) -> u32 {
        let Some(shown) = self.servers[device].agents[issuer].shown() else { return 0 };
        let snapshot = Snapshot { issuers: vec![Arc::clone(shown)] };
        let feature = feature(license);
        let query = Query { feature: &feature, quantity: 1, version: None, issuer: None };
        let decision = evaluate(&snapshot, &query, &self.moment(device));
        if decision.granted { decision.quantity } else { 0 }
    }

    /// Units of a license that the authority has on a device.
    #[must_use]
    pub fn held(&self, device: usize, issuer: usize, license: usize) -> u32 {
        let authority = &self.authorities[issuer];
        let id = self.servers[device].agents[issuer].device;
        id.map_or(0, |id| authority.clerk.units(&id, &authority.licenses[license]))
    }

    pub(crate) fn moment(&self, device: usize) -> Moment {
        self.servers[device].clock.moment(self.now)
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.draws += 1;
        Ticket(self.draws)
    }

    fn seed_bytes(&mut self) -> [u8; 32] {
        self.draws += 1;
        let mut input = [0; 16];
        input[..8].copy_from_slice(&self.seed.to_le_bytes());
        input[8..].copy_from_slice(&self.draws.to_le_bytes());
        Digest::of(&input).0
    }

    /// Lets an event reach one issuer's machine. Gives what came of it, and the last request that left.
    pub(crate) fn event(
        &mut self,
        device: usize,
        issuer: usize,
        event: Event,
        genuine: Option<usize>,
        fate: Fate,
    ) -> Result<(Done, Option<usize>), Violation> {
        let now = self.moment(device);
        let entropy = Entropy::new(self.seed_bytes());
        let answer = genuine.and_then(|number| self.authorities[issuer].answers.get(number));
        let genuine = answer.map(|answer| (&answer.response, &answer.grant));
        let happening = Happening { event, now, entropy, genuine };
        let done = self.servers[device].agents[issuer].handle(happening, fate, &mut self.coverage)?;
        let letter = self.left(device, issuer, &done)?;
        Ok((done, letter))
    }

    /// A slow agent carries out so many effects of those that wait. Gives the last request that left.
    pub fn carry_out(
        &mut self,
        device: usize,
        issuer: usize,
        most: usize,
    ) -> Result<Option<usize>, Violation> {
        let mut done = Done::default();
        self.servers[device].agents[issuer].carry_out(most, &mut done)?;
        self.left(device, issuer, &done)
    }

    fn left(&mut self, device: usize, issuer: usize, done: &Done) -> Result<Option<usize>, Violation> {
        let mut last = None;
        for bytes in &done.left {
            let number = self.authorities[issuer].post(device, bytes)?;
            last = Some(number);
            self.say(|world| format!("      {} leaves", world.name_of(issuer, number)));
        }
        for refusal in done.replies.iter().filter_map(|reply| reply.as_ref().err()) {
            self.say(|_| format!("      refused: {refusal}"));
        }
        if done.died {
            self.say(|_| format!("      the agent of device {device} is dead"));
            self.coverage.note("device", "crashed");
            self.kill(device);
        }
        Ok(last)
    }

    pub(crate) fn kill(&mut self, device: usize) {
        for agent in &mut self.servers[device].agents {
            agent.die(&mut self.coverage);
        }
    }

    /// The agent starts from its records: first `Start`, then the hardware, as the real one does.
    pub(crate) fn start(&mut self, device: usize, fate: Fate) -> Result<(), Violation> {
        for issuer in 0..self.authorities.len() {
            let (now, entropy) = (self.moment(device), Entropy::new(self.seed_bytes()));
            self.servers[device].agents[issuer].load(&now, entropy)?;
            let (done, _) = self.event(device, issuer, Event::Start, None, fate)?;
            if !done.committed && !done.died {
                // It cannot store anything, says so and ends; the service manager tries again later.
                self.kill(device);
            }
            if !self.servers[device].agents[issuer].is_up() {
                return Ok(());
            }
        }
        self.evidence(device, if matches!(fate, Fate::Slow) { Fate::Slow } else { Fate::Whole })
    }

    pub(crate) fn evidence(&mut self, device: usize, fate: Fate) -> Result<(), Violation> {
        for issuer in 0..self.authorities.len() {
            if !self.servers[device].is_up() {
                break;
            }
            let reading = self.servers[device].hardware.read();
            self.event(device, issuer, Event::Evidence(reading), None, fate)?;
            if let Some(view) = self.view(device, issuer) {
                self.coverage.note("binding", view.binding.state.name());
                let state = view.binding.state.name();
                self.say(|_| format!("      device {device} is {state}"));
            }
        }
        Ok(())
    }

    /// Something changes about the hardware, and the agent looks at it.
    pub fn change(&mut self, device: usize, change: Change, fate: Fate) -> Result<(), Violation> {
        self.servers[device].hardware.change(change);
        self.evidence(device, fate)?;
        self.check()
    }

    /// A request reaches its authority. Gives the answer, if it came out.
    pub fn take(
        &mut self,
        issuer: usize,
        letter: usize,
        fate: AuthorityFate,
    ) -> Result<Option<usize>, Violation> {
        let mut fresh = [0; 8];
        fresh.copy_from_slice(&self.seed_bytes()[..8]);
        let overtaken = self.is_overtaken(issuer, letter);
        let taken = self.authorities[issuer].take(letter, Timestamp(self.now), fresh, fate)?;
        let how = match fate {
            AuthorityFate::DiesBefore => "died before",
            AuthorityFate::DiesAfter => "died after",
            AuthorityFate::Answers if taken.new => "new",
            AuthorityFate::Answers => "repeated",
        };
        self.coverage.note("authority", how);
        for outcome in &taken.fresh {
            self.note_result(&code(outcome));
        }
        if let Some(answer) = taken.answer {
            self.note_answer(issuer, answer, &taken, overtaken);
            self.check_noticed(issuer, letter)?;
        }
        let tells = |letter: &Letter| letter.opened.request.planned_change_used.is_some();
        let told = taken.new && self.letter(issuer, letter).is_some_and(tells);
        self.coverage.add("planned change", "told to the authority", u64::from(told));
        self.say(|world| world.tell_taken(issuer, letter, fate, &taken));
        self.follow_moves(issuer);
        self.check()?;
        Ok(taken.answer)
    }

    /// A later request's answer was applied before this one arrived for the first time.
    fn is_overtaken(&self, issuer: usize, letter: usize) -> bool {
        let Some(letter) = self.letter(issuer, letter).filter(|letter| letter.answered.is_none()) else {
            return false;
        };
        let applied =
            self.authorities[issuer].answers.iter().filter(|a| a.device == letter.device && a.imported > 0);
        applied.filter_map(|a| a.response.answers).any(|a| a.request.counter > letter.opened.name.counter)
    }

    fn letter_is_full(&self, issuer: usize, answer: usize) -> bool {
        let letters = self.authorities[issuer].letters.iter();
        let mut letters = letters.filter(|letter| letter.answered == Some(answer));
        letters.any(|letter| letter.opened.request.listed.len() == MAX_LISTED)
    }

    fn note_result(&mut self, code: &str) {
        const CODES: [&str; 10] = [
            "done",
            "stale",
            "unknown_license",
            "no_units_left",
            "too_many_devices",
            "policy",
            "license_expired",
            "binding_broken",
            "too_little_evidence",
            "nothing_held",
        ];
        if let Some(known) = CODES.into_iter().find(|known| *known == code) {
            self.coverage.note("result", known);
        }
    }

    fn note_answer(&mut self, issuer: usize, answer: usize, taken: &Taken, overtaken: bool) {
        let disposition = self.authorities[issuer].answers[answer].response.answers.map(|a| a.disposition);
        if taken.new {
            let superseded = disposition == Some(Disposition::Superseded);
            let on_hold = matches!(disposition, Some(Disposition::OnHold { .. }));
            let way = if superseded { "superseded" } else { "executed" };
            self.coverage.note("answer", if on_hold { "on hold" } else { way });
            let full = self.letter_is_full(issuer, answer);
            self.coverage.add("request", "lists as many as it can", u64::from(full));
            self.coverage.add("request", "overtaken", u64::from(superseded));
            self.coverage.add("request", "delayed past a later one's answer", u64::from(overtaken));
            self.coverage.note("fork", if on_hold { "held" } else { "none" });
        }
    }

    /// The authority frees a license without the device's proof. False when the device holds nothing of it.
    pub fn reset(&mut self, issuer: usize, license: usize, device: usize) -> Result<bool, Violation> {
        let Some(id) = self.servers[device].agents[issuer].device else { return Ok(false) };
        let license_id = self.authorities[issuer].licenses[license];
        let position = self.authorities[issuer].reset(id, license_id, Timestamp(self.now))?;
        if let Some(position) = position {
            self.resets.insert((issuer, device, license), position);
            self.coverage.note("authority", "reset");
            self.say(|_| format!("issuer-{issuer} resets license {license} of device {device}"));
        }
        self.check()?;
        Ok(position.is_some())
    }

    /// The authority signs an update that nobody asked for.
    pub fn update(&mut self, issuer: usize, device: usize) -> Result<Option<usize>, Violation> {
        let Some(id) = self.servers[device].agents[issuer].device else { return Ok(None) };
        let answer = self.authorities[issuer].update(device, id, Timestamp(self.now))?;
        if let Some(answer) = answer {
            self.coverage.note("authority", "update");
            self.say(|world| format!("issuer-{issuer} signs {}", world.name_of_answer(issuer, answer)));
        }
        self.check()?;
        Ok(answer)
    }
}

pub(crate) fn settings(authority: &Authority, online: bool) -> Settings {
    Settings {
        name: authority.name.clone(),
        trust: authority.trust(),
        label: None,
        online,
        system: SystemDescription::default(),
        sealing: None,
    }
}
