//! Random plays: devices, copies of their stores, resets, cases and set-back clocks, on one store or several.

use crate::support::*;
use landfast_authority::domain::catalog::License;
use landfast_authority::domain::history::Link;
use landfast_authority::storage::Storage;
use landfast_authority::storage::admin;
use landfast_authority::storage::memory::{Memory, transact};
use landfast_authority::storage::sqlite::{self, Load, Sqlite, report, transaction};
use landfast_protocol::grant::{Grant, Position};
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::request::PlanUsed;
use landfast_protocol::response::Response;
use landfast_protocol::{Blob, CaseId, DeviceId, Digest, Duration, LicenseId, OperationId, Timestamp};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// A store under test. Errors are compared by their text.
pub trait Store {
    fn exchange(&mut self, request: Vec<u8>, now: Timestamp, fresh: [u8; 8]) -> Result<Vec<u8>, String>;
    fn reset(&mut self, device: DeviceId, license: LicenseId) -> Result<u32, String>;
    fn resolve(&mut self, case: CaseId) -> Result<(), String>;
    fn update(&mut self, device: DeviceId) -> Result<Vec<u8>, String>;
    fn raise_epoch(&mut self);
    fn open_case(&mut self, device: DeviceId) -> Option<CaseId>;
    fn history(&mut self) -> Vec<Link>;
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Store for Arc<Memory> {
    fn exchange(&mut self, request: Vec<u8>, now: Timestamp, fresh: [u8; 8]) -> Result<Vec<u8>, String> {
        self.exchange_now(request, now, fresh).map_err(text)
    }
    fn reset(&mut self, device: DeviceId, license: LicenseId) -> Result<u32, String> {
        transact(admin::reset(&mut *self.tables(), &act(), &device, &license)).unwrap().map_err(text)
    }
    fn resolve(&mut self, case: CaseId) -> Result<(), String> {
        transact(admin::resolve(&mut *self.tables(), &act(), &case)).unwrap().map(|_| ()).map_err(text)
    }
    fn update(&mut self, device: DeviceId) -> Result<Vec<u8>, String> {
        let signer = self.signer();
        transact(admin::update(&mut *self.tables(), &act(), signer, &device)).unwrap().map_err(text)
    }
    fn raise_epoch(&mut self) {
        transact(admin::raise_epoch(&mut *self.tables(), &act(), None)).unwrap().unwrap();
    }
    fn open_case(&mut self, device: DeviceId) -> Option<CaseId> {
        self.tables().devices().find(|d| d.id() == device)?.case.map(|case| case.id)
    }
    fn history(&mut self) -> Vec<Link> {
        self.tables().history().to_vec()
    }
}

/// A SQLite store in a directory of its own.
pub struct OnDisk {
    runtime: Runtime,
    path: PathBuf,
    store: Sqlite,
    _directory: tempfile::TempDir,
}

impl OnDisk {
    pub fn new(licenses: &[License]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authority.db");
        let store = runtime.block_on(async {
            sqlite::create(&path).await.unwrap();
            let mut connection = sqlite::connect(&path).await.unwrap();
            for step in 0..stock_steps(licenses) {
                let work = async |l: &mut sqlite::SqliteLedger<'_>| stock_step(l, licenses, step).await;
                transaction(&mut connection, work).await.unwrap();
            }
            Sqlite::open(&path, signer(), Load::default()).await.unwrap()
        });
        Self { runtime, path, store, _directory: directory }
    }
}

impl Store for OnDisk {
    fn exchange(&mut self, request: Vec<u8>, now: Timestamp, fresh: [u8; 8]) -> Result<Vec<u8>, String> {
        self.runtime.block_on(self.store.exchange(request, now, fresh)).map_err(text)
    }
    fn reset(&mut self, device: DeviceId, license: LicenseId) -> Result<u32, String> {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            let work =
                async |l: &mut sqlite::SqliteLedger<'_>| admin::reset(l, &act(), &device, &license).await;
            transaction(&mut connection, work).await.map_err(text)
        })
    }
    fn resolve(&mut self, case: CaseId) -> Result<(), String> {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            let work = async |l: &mut sqlite::SqliteLedger<'_>| admin::resolve(l, &act(), &case).await;
            transaction(&mut connection, work).await.map(|_| ()).map_err(text)
        })
    }
    fn update(&mut self, device: DeviceId) -> Result<Vec<u8>, String> {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            let signer = self.store.signer();
            let work =
                async |l: &mut sqlite::SqliteLedger<'_>| admin::update(l, &act(), signer, &device).await;
            transaction(&mut connection, work).await.map_err(text)
        })
    }
    fn raise_epoch(&mut self) {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            let work = async |l: &mut sqlite::SqliteLedger<'_>| admin::raise_epoch(l, &act(), None).await;
            transaction(&mut connection, work).await.unwrap();
        });
    }
    fn open_case(&mut self, device: DeviceId) -> Option<CaseId> {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            let devices = report::devices(&mut connection).await.unwrap();
            devices.into_iter().find(|(d, _)| d.id() == device)?.0.case.map(|case| case.id)
        })
    }
    fn history(&mut self) -> Vec<Link> {
        self.runtime.block_on(async {
            let mut connection = sqlite::connect(&self.path).await.unwrap();
            report::history(&mut connection, 0, 100_000).await.unwrap()
        })
    }
}

/// One step: what, and three numbers to choose with.
pub type Step = (u8, u8, u8, u8);

/// A play on several stores at once, which must do the same.
pub struct Play {
    pub stores: Vec<Box<dyn Store>>,
    devices: Vec<Device>,
    sent: Vec<Vec<u8>>,
    answers: HashMap<Digest, Vec<u8>>,
    received: Vec<Vec<u8>>,
    results: HashMap<(DeviceId, OperationId), Outcome>,
    grants: HashMap<(DeviceId, Position), Vec<u8>>,
    now: Timestamp,
    fresh: u64,
}

/// Licenses of a play, by number: units and devices.
pub const SOLD: [(u8, &str, u32, u32); 4] =
    [(1, "Historian", 1, 1), (2, "Historian", 5, 2), (3, "Safety", 2, 2), (4, "Historian", 3, 3)];

pub fn sold() -> Vec<License> {
    SOLD.iter().map(|(number, of, quantity, devices)| license(*number, of, *quantity, *devices)).collect()
}

impl Play {
    pub fn new(stores: Vec<Box<dyn Store>>) -> Self {
        Self {
            stores,
            devices: (1..=3).map(Device::new).collect(),
            sent: Vec::new(),
            answers: HashMap::new(),
            received: Vec::new(),
            results: HashMap::new(),
            grants: HashMap::new(),
            now: NOW,
            fresh: 0,
        }
    }

    /// Does the same on every store, and gives what all of them gave.
    fn all<T: PartialEq + std::fmt::Debug>(&mut self, what: impl Fn(&mut dyn Store) -> T) -> T {
        let mut gave: Vec<T> = self.stores.iter_mut().map(|store| what(store.as_mut())).collect();
        assert!(gave.windows(2).all(|pair| pair[0] == pair[1]), "the stores differ: {gave:?}");
        gave.remove(0)
    }

    pub fn step(&mut self, (what, a, b, c): Step) {
        let at = usize::from(a) % self.devices.len();
        let number = 1 + b % 5;
        let license = activation(number).license(&ISSUER);
        let quantity = [None, Some(1), Some(2), Some(3)][usize::from(c % 4)];
        let device = &mut self.devices[at];
        let id = device.id();
        match what % 20 {
            0..=3 => drop(device.activate(activation(number), quantity)),
            4 | 5 => drop(device.give_back(activation(number), quantity)),
            6..=9 => {
                let request = device.request();
                self.deliver(request.clone());
                self.sent.push(request);
            }
            10 => self.sent.push(device.request()),
            11 | 12 if !self.sent.is_empty() => {
                let late = self.sent[usize::from(b) * 7 % self.sent.len()].clone();
                self.deliver(late);
            }
            13 | 14 => self.import(at, b),
            15 => self.evidence(at, b, c),
            16 => self.now = Timestamp(self.now.0 + u64::from(b) * 3600 - u64::from(c) * 600),
            17 if c % 3 == 0 => {
                self.all(|store| store.reset(id, license)).ok();
            }
            17 => {
                let update = self.all(|store| store.update(id));
                self.received.extend(update);
            }
            18 => {
                if let Some(case) = self.all(|store| store.open_case(id)) {
                    self.all(|store| store.resolve(case)).unwrap();
                }
            }
            19 if c % 8 == 0 && self.devices.len() < 6 => {
                let copy = self.devices[at].copy(self.devices.len() as u8);
                self.devices.push(copy);
            }
            19 if c % 8 == 1 => self.all(|store| store.raise_epoch()),
            19 if c % 8 < 5 => {
                let window = Duration::days(u64::from(b) % 40 + 1);
                self.devices[at].wants(Action::PlanChange { window });
            }
            19 => {
                let device = &mut self.devices[at];
                device.wants(Action::Unknown { kind: 9, body: Blob::new(vec![b]).unwrap() });
            }
            _ => {}
        }
    }

    /// Another machine, or the same one with other parts. Now and then the device takes it over, whether it may or not.
    fn evidence(&mut self, at: usize, b: u8, c: u8) {
        let device = &mut self.devices[at];
        device.evidence = match b % 5 {
            0 => poor_machine(),
            1 => machine(b),
            2 => repaired_machine(at as u8 + 1, b),
            _ => machine(at as u8 + 1),
        };
        let planned = device.grant.as_ref().and_then(|grant| grant.planned_change);
        if let Some(plan) = planned.filter(|_| !c.is_multiple_of(3)) {
            device.used = Some(PlanUsed { operation: plan.operation, evidence: device.evidence.clone() });
        }
    }

    fn import(&mut self, at: usize, b: u8) {
        if self.received.is_empty() {
            return;
        }
        let response = self.received[usize::from(b) * 5 % self.received.len()].clone();
        let device = &mut self.devices[at];
        let opened: Response = trust().open(&response).unwrap();
        if opened.device == device.id() {
            device.import(&response);
        }
    }

    fn deliver(&mut self, request: Vec<u8>) {
        self.fresh += 1;
        let (now, fresh) = (self.now, self.fresh.to_be_bytes());
        let answer = self.all(|store| store.exchange(request.clone(), now, fresh)).unwrap();
        let before = self.answers.insert(Digest::of(&request), answer.clone());
        assert!(before.is_none_or(|before| before == answer), "the same request, another answer");
        let response: Response = trust().open(&answer).unwrap();
        let grant: Grant = trust().open(&response.grant).unwrap();
        for result in response.results.iter() {
            let known = self.results.insert((response.device, result.id), result.outcome.clone());
            assert!(known.is_none_or(|known| known == result.outcome), "an operation with two results");
        }
        let key = (response.device, grant.position);
        // At sequence 0 stands whatever strangers were told.
        let known = self.grants.insert(key, response.grant.to_vec()).filter(|_| grant.position.sequence > 0);
        assert!(known.is_none_or(|known| known == *response.grant), "a position with two grants");
        let device = self.devices.iter_mut().find(|device| device.id() == response.device).unwrap();
        device.import(&answer);
        self.received.push(answer);
        self.now = self.now.after(Duration(1));
    }
}
