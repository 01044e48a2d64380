//! A device with a store in memory, and an issuer that answers as a test tells it to.

use landfast_core::effect::{Refusal, Reply, Signal, Ticket};
use landfast_core::entitlement::{Decision, Query, evaluate};
use landfast_core::event::{Carrier, Delivery, Event, Selection};
use landfast_core::{BootId, Effect, Entropy, Machine, Moment, Record, Settings, Snapshot, Store};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::certificate::{Certificate, Purpose, Trust};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::{Feature, Grant, Hold, Model, PlannedChange, Position, Token};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::Outcome;
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};
use landfast_protocol::request::{Opened, Request, SystemDescription};
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{ActivationId, Blob, DeviceId, Duration, IssuerId, LicenseId, List, Text, Timestamp};

pub const ISSUER: IssuerId = IssuerId([7; 16]);
pub const NOON: Timestamp = Timestamp(1_800_000_000);
pub const DAY: u64 = 86_400;

pub fn id(number: u8) -> ActivationId {
    ActivationId::from_bytes([number; 16])
}
pub fn license(number: u8) -> LicenseId {
    id(number).license(&ISSUER)
}

/// The vendor's side, driven by hand.
pub struct Issuer {
    root: SecretKey,
    signer: SecretKey,
    chain: Vec<u8>,
    pub position: Position,
    pub policy: BindingPolicy,
    pub lease_until: Option<Timestamp>,
    pub hold: Option<Hold>,
    pub planned_change: Option<PlannedChange>,
    pub tokens: Vec<Token>,
    pub binding: Option<Evidence>,
}

impl Issuer {
    pub fn new() -> Self {
        let (root, signer) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let certificate = Certificate {
            issuer: ISSUER,
            key: signer.public(),
            purpose: Purpose::Exchange,
            not_before: Timestamp(0),
            not_after: Timestamp(NOON.0 * 2),
        };
        let chain = Sealed::seal(&certificate, &root, &[]).unwrap().into_bytes();
        Self {
            root,
            signer,
            chain,
            position: Position::default(),
            policy: BindingPolicy::default(),
            lease_until: None,
            hold: None,
            planned_change: None,
            tokens: Vec::new(),
            binding: None,
        }
    }

    pub fn settings(&self) -> Settings {
        Settings {
            name: "acme".to_owned(),
            trust: Trust::new(ISSUER, vec![self.root.public()]),
            label: None,
            online: true,
            system: SystemDescription::default(),
            sealing: None,
        }
    }

    /// Another issuer key that nobody vouches for.
    pub fn forged(&mut self) {
        self.signer = SecretKey::from_seed(&[9; 32]);
    }

    pub fn grant(&self, device: DeviceId, executed: Option<&Opened>, at: Timestamp) -> Vec<u8> {
        let mut tokens = self.tokens.clone();
        tokens.sort_by_key(|token| token.license);
        let grant = Grant {
            issuer: ISSUER,
            device,
            position: self.position,
            executed: executed.map(|opened| opened.name),
            issued_at: at,
            tokens: List::new(tokens).unwrap(),
            binding: self.binding.clone(),
            policy: self.policy.clone(),
            lease_until: self.lease_until,
            hold: self.hold.clone(),
            planned_change: self.planned_change,
            max_off: Duration::days(180),
        };
        Sealed::seal(&grant, &self.signer, &self.chain).unwrap().into_bytes()
    }

    /// Executes a request: every operation gets `outcome`; what the tokens are is the test's business.
    pub fn answer(&mut self, request: &[u8], outcome: Outcome, at: Timestamp) -> Vec<u8> {
        self.position.sequence += 1;
        let opened = Request::open(request).unwrap();
        if self.binding.is_none() && !opened.request.evidence.factors.is_empty() {
            self.binding = Some(opened.request.evidence.clone());
        }
        let grant = self.grant(opened.key.device(), Some(&opened), at);
        self.respond(&opened, Disposition::Executed, outcome, grant, at)
    }

    pub fn respond(
        &self,
        opened: &Opened,
        disposition: Disposition,
        outcome: Outcome,
        grant: Vec<u8>,
        at: Timestamp,
    ) -> Vec<u8> {
        let operations = opened.request.operations.iter();
        let results = match disposition {
            Disposition::Executed => {
                operations.map(|op| OperationResult { id: op.id, outcome: outcome.clone() }).collect()
            }
            _ => Vec::new(),
        };
        let answers = Some(Answer { request: opened.name, disposition });
        self.seal(opened.key.device(), answers, results, grant, at)
    }

    pub fn seal(
        &self,
        device: DeviceId,
        answers: Option<Answer>,
        results: Vec<OperationResult>,
        grant: Vec<u8>,
        at: Timestamp,
    ) -> Vec<u8> {
        let response = Response {
            issuer: ISSUER,
            device,
            answers,
            issued_at: at,
            results: List::new(results).unwrap(),
            grant: Blob::new(grant).unwrap(),
            revocations: None,
        };
        Sealed::seal(&response, &self.signer, &self.chain).unwrap().into_bytes()
    }
}

pub fn token(number: u8, feature: &str, units: u32) -> Token {
    Token {
        license: license(number),
        product: Text::lossy("Plant Control"),
        model: Model::Perpetual,
        quantity: units,
        not_before: Timestamp(0),
        not_after: None,
        support_until: None,
        features: List::new(vec![Feature {
            name: Text::lossy(feature),
            quantity: units,
            version_limit: None,
            advisory: false,
        }])
        .unwrap(),
    }
}

pub fn hardware(parts: &[(Factor, &str)]) -> HardwareReading {
    let read = |(factor, value): &(Factor, &str)| FactorReading {
        factor: *factor,
        source: (*value).to_owned(),
        primary: false,
        reading: Reading::Present(Identity::new(*value)),
    };
    HardwareReading { factors: parts.iter().map(read).collect(), ..HardwareReading::default() }
}

pub fn server(board: &str, disk: &str, card: &str) -> HardwareReading {
    hardware(&[
        (Factor::ProductUuid, board),
        (Factor::BoardSerial, board),
        (Factor::ProductSerial, board),
        (Factor::ChassisSerial, board),
        (Factor::Disk, disk),
        (Factor::NetworkCard, card),
        (Factor::Cpu, "cpu"),
        (Factor::MachineId, "id"),
    ])
}

/// Keeps the last record; fails when told to.
#[derive(Default)]
pub struct MemoryStore {
    pub last: Option<Record>,
    pub writes: usize,
    pub full: bool,
}
impl Store for MemoryStore {
    type Error = &'static str;
    fn write(&mut self, record: &Record) -> Result<(), Self::Error> {
        if self.full {
            return Err("no space left on device");
        }
        self.writes += 1;
        self.last = Some(record.clone());
        Ok(())
    }
}

/// A device whose clock and randomness belong to the test.
pub struct Device {
    pub machine: Machine,
    pub store: MemoryStore,
    pub now: Moment,
    draws: u64,
    pub effects: Vec<Effect>,
}

impl Device {
    pub fn new(issuer: &Issuer) -> Self {
        Self::with(issuer.settings(), 1)
    }

    pub fn with(settings: Settings, salt: u64) -> Self {
        let now = Moment { wall: NOON, boot: Duration(100), boot_id: BootId([1; 16]), synchronized: true };
        Self::at(now, settings, salt)
    }

    /// On a clock that no time server has set.
    pub fn unsynchronized(issuer: &Issuer, wall: Timestamp) -> Self {
        let now = Moment { wall, boot: Duration(100), boot_id: BootId([1; 16]), synchronized: false };
        Self::at(now, issuer.settings(), 1)
    }

    fn at(now: Moment, settings: Settings, salt: u64) -> Self {
        let machine = Machine::create(settings, &now, entropy(salt << 32));
        let mut device =
            Self { machine, store: MemoryStore::default(), now, draws: salt << 32, effects: Vec::new() };
        device.handle(Event::Start);
        device.handle(Event::Evidence(server("board", "disk", "card")));
        device
    }

    pub fn handle(&mut self, event: Event) -> &[Effect] {
        self.draws += 1;
        let step = self.machine.handle(event, &self.now, entropy(self.draws));
        self.effects = step.commit(&mut self.store);
        &self.effects
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now.wall = self.now.wall.after(Duration(seconds));
        self.now.boot = Duration(self.now.boot.0 + seconds);
    }

    /// The machine as it would be after a crash: only what was stored is left.
    pub fn restart(&mut self, settings: Settings) {
        let state = self.store.last.as_ref().unwrap().state.clone();
        self.machine = Machine::restore(settings, &state).unwrap();
        self.handle(Event::Start);
    }

    pub fn activate(&mut self, number: u8) -> Vec<u8> {
        let licenses = vec![(id(number), None)];
        self.handle(Event::Activate { ticket: Ticket(1), licenses, delivery: Delivery::Online });
        self.sent().unwrap()
    }

    pub fn give_back(&mut self, number: u8) -> Option<Vec<u8>> {
        let selection = Selection::Licenses(vec![(license(number), None)]);
        self.handle(Event::Return { ticket: Ticket(2), selection, delivery: Delivery::Online });
        self.sent()
    }

    pub fn import(&mut self, bytes: Vec<u8>) -> &[Effect] {
        self.handle(Event::Response { ticket: None, bytes, carrier: Carrier::Online })
    }

    pub fn sent(&self) -> Option<Vec<u8>> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Send { request, .. } => Some(request.to_vec()),
            _ => None,
        })
    }

    pub fn wake_at(&self) -> Option<u64> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::WakeAt(at) => at.map(|at| at.0),
            _ => None,
        })
    }

    pub fn replied(&self) -> Option<Result<Reply, Refusal>> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Reply(_, answer) => Some(answer.clone()),
            _ => None,
        })
    }

    pub fn signals(&self) -> Vec<Signal> {
        let signal = |effect: &Effect| match effect {
            Effect::Signal(signal) => Some(signal.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(signal).collect()
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot { issuers: vec![self.machine.view(&self.now)] }
    }

    pub fn check(&self, feature: &str, quantity: u32) -> Checked {
        let query = Query { feature, quantity, version: None, issuer: None };
        Checked::from(evaluate(&self.snapshot(), &query, &self.now))
    }
}

/// A decision without the snapshot it borrowed from.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    pub granted: bool,
    pub quantity: u32,
    pub reason: &'static str,
    pub state: &'static str,
    pub until: Option<Timestamp>,
}
impl From<Decision<'_>> for Checked {
    fn from(decision: Decision<'_>) -> Self {
        Self {
            granted: decision.granted,
            quantity: decision.quantity,
            reason: decision.reason.code(),
            state: decision.state,
            until: decision.until,
        }
    }
}

fn entropy(draw: u64) -> Entropy {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&draw.to_le_bytes());
    Entropy::new(seed)
}
