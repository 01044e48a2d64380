//! For tests: a desk with real state machines behind it, a store in memory, and vendors who answer at once.

use crate::desk::{Answer, Ask, Command, Desk};
use arc_swap::ArcSwap;
use landfast_core::effect::{Refusal, Reply, Signal, Ticket};
use landfast_core::event::{Carrier, Delivery, Event, TransportFailure};
use landfast_core::step::HistoryEntry;
use landfast_core::{BootId, Effect, Entropy, Machine, Moment, Record, Settings, Snapshot, Store};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::certificate::{Certificate, Purpose, Trust};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::{Feature, Grant, Model, PlannedChange, Position, Token};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};
use landfast_protocol::request::{Opened, Request, SystemDescription};
use landfast_protocol::response::{self, Disposition, OperationResult, Response};
use landfast_protocol::{ActivationId, Blob, Duration, IssuerId, LicenseId, List, Text, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::{broadcast, mpsc};

/// The wall clock at the start of every test.
pub const NOON: Timestamp = Timestamp(1_800_000_000);

/// The activation id of license number `number`.
pub fn id(number: u8) -> ActivationId {
    ActivationId::from_bytes([number; 16])
}

/// A desk, and everything behind it.
pub struct Bench {
    /// As the faces get it.
    pub desk: Desk,
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    devices: Vec<Device>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    signals: broadcast::Sender<(usize, Signal)>,
    now: Arc<Mutex<Moment>>,
    reading: HardwareReading,
    draws: u64,
    reachable: bool,
}

struct Device {
    machine: Machine,
    store: Memory,
    vendor: Vendor,
}

impl Bench {
    /// Devices without licenses, one for each issuer named. Must be called inside a runtime.
    pub fn new(issuers: &[&str]) -> Self {
        Self::with_queue(issuers, 16)
    }

    /// With room for `queue` commands and as many signals.
    pub fn with_queue(issuers: &[&str], queue: usize) -> Self {
        let moment = Moment { wall: NOON, boot: Duration(100), boot_id: BootId([1; 16]), synchronized: true };
        let now = Arc::new(Mutex::new(moment));
        let (commands, mut asked) = mpsc::channel(queue);
        let (signals, _) = broadcast::channel(queue);
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
        let clock = Arc::clone(&now);
        let desk = Desk {
            snapshot: Arc::clone(&snapshot),
            clock: Arc::new(move || *clock.lock().unwrap()),
            commands,
            signals: signals.clone(),
            trust: "development",
        };
        let devices = issuers.iter().enumerate().map(|(at, name)| Device::new(name, at, &moment)).collect();
        let reading = server("board", "disk", "card");
        let mut inside = Inside { devices, snapshot, signals, now, reading, draws: 0, reachable: true };
        for at in 0..issuers.len() {
            inside.handle(at, Event::Start);
        }
        inside.publish();
        inside.look();
        let inside = Arc::new(Mutex::new(inside));
        let behind = Arc::clone(&inside);
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                behind.lock().unwrap().carry_out(ask);
            }
        });
        Self { desk, inside }
    }

    /// Takes licenses, `units` of each, with the features that [`token`] gives them.
    pub fn activate(&self, issuer: usize, numbers: &[u8]) {
        let licenses = numbers.iter().map(|number| (id(*number), None)).collect();
        let event = Event::Activate { ticket: Ticket(0), licenses, delivery: Delivery::Online };
        self.inside.lock().unwrap().handle(issuer, event);
    }

    /// Puts other hardware under the devices.
    pub fn swap(&self, reading: HardwareReading) {
        let mut inside = self.inside.lock().unwrap();
        inside.reading = reading;
        inside.look();
    }

    /// What license `number` is at its vendor from now on, and its holder learns with the next answer.
    pub fn change(&self, issuer: usize, token: Token) {
        let mut inside = self.inside.lock().unwrap();
        let tokens = &mut inside.devices[issuer].vendor.tokens;
        tokens.retain(|other| other.license != token.license);
        tokens.push(token);
    }

    /// Lets vendors be reached, or not.
    pub fn reachable(&self, reachable: bool) {
        self.inside.lock().unwrap().reachable = reachable;
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        let inside = self.inside.lock().unwrap();
        let mut now = inside.now.lock().unwrap();
        now.wall = now.wall.after(Duration(seconds));
        now.boot = Duration(now.boot.0 + seconds);
    }

    /// What the vendor would answer to a carried request.
    pub fn carry(&self, issuer: usize, request: &[u8]) -> Vec<u8> {
        self.inside.lock().unwrap().devices[issuer].vendor.answer(request, NOON)
    }

    /// The id of license `number`.
    pub fn license(&self, issuer: usize, number: u8) -> LicenseId {
        id(number).license(&self.inside.lock().unwrap().devices[issuer].vendor.issuer)
    }

    /// The token that the vendor gives for license `number`.
    pub fn token(&self, issuer: usize, number: u8) -> Token {
        token(self.license(issuer, number), number)
    }
}

impl Inside {
    fn carry_out(&mut self, ask: Ask) {
        let Ask { command, issuer, answer } = ask;
        let by = |by_file| if by_file { Delivery::File } else { Delivery::Online };
        let ticket = Ticket(1);
        let event = match command {
            Command::Rescan => {
                self.look();
                let _ = answer.send(Ok(Answer::Rescanned));
                return;
            }
            Command::History { since, limit } => {
                let lines = &self.devices[issuer].store.history;
                let wanted = lines.iter().filter(|line| since.is_none_or(|since| line.at >= since));
                let wanted: Vec<HistoryEntry> = wanted.cloned().collect();
                let newest = wanted[wanted.len().saturating_sub(limit)..].to_vec();
                let _ = answer.send(Ok(Answer::History(newest)));
                return;
            }
            Command::Activate { licenses, by_file } => {
                Event::Activate { ticket, licenses, delivery: by(by_file) }
            }
            Command::Return { selection, by_file } => {
                Event::Return { ticket, selection, delivery: by(by_file) }
            }
            Command::Reclaim { by_file } => Event::Reclaim { ticket, delivery: by(by_file) },
            Command::PlanChange { window, by_file } => {
                Event::PlanChange { ticket, window, delivery: by(by_file) }
            }
            Command::Import(bytes) => Event::Response { ticket: Some(ticket), bytes, carrier: Carrier::File },
        };
        let replied = self.handle(issuer, event).expect("a command is answered");
        let _ = answer.send(replied.map(Answer::Done));
    }

    fn look(&mut self) {
        for at in 0..self.devices.len() {
            self.handle(at, Event::Evidence(self.reading.clone()));
        }
    }

    fn handle(&mut self, at: usize, event: Event) -> Option<Result<Reply, Refusal>> {
        let now = *self.now.lock().unwrap();
        let mut events = VecDeque::from([event]);
        let mut replied = None;
        while let Some(event) = events.pop_front() {
            self.draws += 1;
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&self.draws.to_le_bytes());
            let device = &mut self.devices[at];
            let step = device.machine.handle(event, &now, Entropy::new(seed));
            for effect in step.commit(&mut device.store) {
                match effect {
                    Effect::Publish(_) => self.publish(),
                    Effect::Send { counter, request, .. } if !self.reachable => {
                        drop(request);
                        let failure = TransportFailure::Unreachable("connection refused".to_owned());
                        events.push_back(Event::SendFailed { counter, failure });
                    }
                    Effect::Send { request, .. } => {
                        let bytes = self.devices[at].vendor.answer(&request, now.wall);
                        events.push_back(Event::Response { ticket: None, bytes, carrier: Carrier::Online });
                    }
                    Effect::Reply(_, reply) => replied = Some(reply),
                    Effect::Signal(signal) => {
                        let _ = self.signals.send((at, signal));
                    }
                    Effect::WakeAt(_) => {}
                }
            }
        }
        replied
    }

    fn publish(&self) {
        let now = *self.now.lock().unwrap();
        let issuers = self.devices.iter().map(|device| device.machine.view(&now)).collect();
        self.snapshot.store(Arc::new(Snapshot { issuers }));
    }
}

impl Device {
    fn new(name: &str, at: usize, now: &Moment) -> Self {
        let vendor = Vendor::new(u8::try_from(at).unwrap() + 1);
        let settings = Settings {
            name: name.to_owned(),
            trust: Trust::new(vendor.issuer, vec![vendor.root.public()]),
            label: None,
            online: true,
            system: SystemDescription::default(),
            sealing: None,
        };
        let machine = Machine::create(settings, now, Entropy::new([vendor.issuer.0[0]; 32]));
        Self { machine, store: Memory::default(), vendor }
    }
}

/// Keeps what a restart would find.
#[derive(Default)]
struct Memory {
    history: Vec<HistoryEntry>,
}
impl Store for Memory {
    type Error = std::convert::Infallible;
    fn write(&mut self, record: &Record) -> Result<(), Self::Error> {
        self.history.extend_from_slice(&record.history);
        Ok(())
    }
}

/// Grants whatever is asked for.
struct Vendor {
    issuer: IssuerId,
    root: SecretKey,
    signer: SecretKey,
    chain: Vec<u8>,
    sequence: u64,
    tokens: Vec<Token>,
    binding: Option<Evidence>,
    planned: Option<PlannedChange>,
}

impl Vendor {
    fn new(number: u8) -> Self {
        let issuer = IssuerId([number; 16]);
        let (root, signer) = (SecretKey::from_seed(&[number; 32]), SecretKey::from_seed(&[number + 100; 32]));
        let certificate = Certificate {
            issuer,
            key: signer.public(),
            purpose: Purpose::Exchange,
            not_before: Timestamp(0),
            not_after: Timestamp(NOON.0 * 2),
        };
        let chain = Sealed::seal(&certificate, &root, &[]).unwrap().into_bytes();
        Self { issuer, root, signer, chain, sequence: 0, tokens: Vec::new(), binding: None, planned: None }
    }

    fn answer(&mut self, request: &[u8], at: Timestamp) -> Vec<u8> {
        let opened = Request::open(request).unwrap();
        for operation in opened.request.operations.iter() {
            match operation.action {
                Action::Activate { license, .. } => {
                    let number = (1..=255).find(|number| id(*number).license(&self.issuer) == license);
                    if !self.tokens.iter().any(|token| token.license == license) {
                        self.tokens.push(token(license, number.unwrap()));
                    }
                }
                Action::Return { license, quantity } => {
                    for token in self.tokens.iter_mut().filter(|token| token.license == license) {
                        token.quantity -= quantity.unwrap_or(token.quantity);
                    }
                    self.tokens.retain(|token| token.quantity > 0);
                }
                Action::PlanChange { window } => {
                    let until = at.after(window);
                    self.planned = Some(PlannedChange { operation: operation.id, until });
                }
                Action::Unknown { .. } => {}
            }
        }
        if let Some(used) = &opened.request.planned_change_used {
            (self.planned, self.binding) = (None, Some(used.evidence.clone()));
        }
        self.binding.get_or_insert_with(|| opened.request.evidence.clone());
        self.sequence += 1;
        self.respond(&opened, at)
    }

    fn respond(&mut self, opened: &Opened, at: Timestamp) -> Vec<u8> {
        self.tokens.sort_by_key(|token| token.license);
        let grant = Grant {
            issuer: self.issuer,
            device: opened.key.device(),
            position: Position { epoch: 0, sequence: self.sequence },
            executed: Some(opened.name),
            issued_at: at,
            tokens: List::new(self.tokens.clone()).unwrap(),
            binding: self.binding.clone(),
            policy: BindingPolicy::default(),
            lease_until: None,
            hold: None,
            planned_change: self.planned,
            max_off: Duration::days(180),
        };
        let grant = Sealed::seal(&grant, &self.signer, &self.chain).unwrap().into_bytes();
        let result = |id| OperationResult { id, outcome: Outcome::Done };
        let results = opened.request.operations.iter().map(|operation| result(operation.id)).collect();
        let response = Response {
            issuer: self.issuer,
            device: opened.key.device(),
            answers: Some(response::Answer { request: opened.name, disposition: Disposition::Executed }),
            issued_at: at,
            results: List::new(results).unwrap(),
            grant: Blob::new(grant).unwrap(),
            revocations: None,
        };
        Sealed::seal(&response, &self.signer, &self.chain).unwrap().into_bytes()
    }
}

/// License `number` has `number` units of the feature `f<number>`, up to version 2.5.
fn token(license: LicenseId, number: u8) -> Token {
    let feature = Feature {
        name: Text::lossy(&format!("f{number}")),
        quantity: number.into(),
        version_limit: Some("2.5".parse().unwrap()),
        advisory: false,
    };
    Token {
        license,
        product: Text::lossy("Plant Control"),
        model: Model::Subscription,
        quantity: number.into(),
        not_before: Timestamp(0),
        not_after: Some(NOON.after(Duration::days(365))),
        support_until: Some(NOON.after(Duration::days(90))),
        features: List::new(vec![feature]).unwrap(),
    }
}

/// A field server with these parts.
pub fn server(board: &str, disk: &str, card: &str) -> HardwareReading {
    let parts = [
        (Factor::ProductUuid, board),
        (Factor::BoardSerial, board),
        (Factor::ProductSerial, board),
        (Factor::ChassisSerial, board),
        (Factor::Disk, disk),
        (Factor::NetworkCard, card),
        (Factor::Cpu, "cpu"),
        (Factor::MachineId, "id"),
    ];
    let read = |(factor, value): (Factor, &str)| FactorReading {
        factor,
        source: "here".to_owned(),
        primary: false,
        reading: Reading::Present(Identity::new(format!("serial-of-{value}"))),
    };
    HardwareReading { factors: parts.map(read).to_vec(), ..HardwareReading::default() }
}
