//! A store in memory, for simulations: the same transactions as SQLite, without a disk or a thread.

use crate::domain::catalog::{License, Name, Organization, Product};
use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::exchange::LicenseFacts;
use crate::domain::fork::{Known, KnownRequest, pick};
use crate::domain::history::{Chain, Link};
use crate::signer::Signer;
use crate::storage::exchange::{Incoming, exchange};
use crate::storage::{
    Archived, Case, Changes, ExchangeError, Ledger, PASSING, Passing, Storage, StorageError,
};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Opened;
use landfast_protocol::{CaseId, DeviceId, Digest, LicenseId, OperationId, Timestamp};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Everything that SQLite would hold. A clone is a backup.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    epoch: u32,
    organizations: BTreeMap<String, Organization>,
    products: BTreeMap<String, Arc<Product>>,
    licenses: BTreeMap<LicenseId, License>,
    devices: BTreeMap<DeviceId, DeviceRecord>,
    grants: BTreeMap<DeviceId, Vec<u8>>,
    holdings: BTreeMap<(LicenseId, DeviceId), Holding>,
    results: HashMap<(DeviceId, OperationId), Outcome>,
    answers: HashMap<Digest, Vec<u8>>,
    passing: VecDeque<Passing>,
    requests: HashMap<DeviceId, Vec<KnownRequest>>,
    cases: BTreeMap<CaseId, Case>,
    chain: Chain,
    history: Vec<Link>,
}

impl Tables {
    /// Every device, in order of ids.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceRecord> {
        self.devices.values()
    }

    /// Every holding with units.
    pub fn holdings(&self) -> impl Iterator<Item = &Holding> {
        self.holdings.values().filter(|holding| holding.units > 0)
    }

    /// Every license.
    pub fn licenses(&self) -> impl Iterator<Item = &License> {
        self.licenses.values()
    }

    /// Every case.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// The history, in order.
    #[must_use]
    pub fn history(&self) -> &[Link] {
        &self.history
    }

    fn facts(&self, license: &LicenseId, device: &DeviceId, named: bool) -> Option<LicenseFacts> {
        let license = self.licenses.get(license)?;
        let own = self.holdings.get(&(license.id, *device));
        let holders = || {
            let (first, last) = ((license.id, DeviceId([0; 32])), (license.id, DeviceId([255; 32])));
            self.holdings.range(first..=last).map(|(_, holding)| holding.units).filter(|units| *units > 0)
        };
        let mut facts = LicenseFacts {
            license: license.clone(),
            product: self.products.get(&*license.product)?.clone(),
            free: 0,
            devices_in_use: 0,
            held: own.map_or(0, |holding| holding.units),
            by_share: own.is_some_and(|holding| holding.by_share),
            taken_at: own.and_then(|holding| holding.taken_at),
        };
        if named || facts.may_grow() {
            facts.free = license.quantity.saturating_sub(holders().fold(0, u32::saturating_add));
            facts.devices_in_use = u32::try_from(holders().count()).unwrap_or(u32::MAX);
        }
        Some(facts)
    }

    fn apply(&mut self, changes: Changes) {
        if let Some(device) = changes.device {
            let id = device.id();
            self.grants.extend(changes.grant.map(|frame| (id, frame)));
            self.results.extend(changes.results.into_iter().map(|r| ((id, r.id), r.outcome)));
            self.devices.insert(id, device);
        }
        for holding in changes.holdings {
            self.holdings.insert((holding.license, holding.device), holding);
        }
        for (id, at) in changes.started {
            if let Some(crate::domain::catalog::Term::Counted { started, .. }) =
                self.licenses.get_mut(&id).map(|license| &mut license.term)
            {
                *started = Some(at);
            }
        }
        if let Some(Archived { device, known, response, .. }) = changes.archived {
            self.answers.insert(known.name.digest, response);
            self.requests.entry(device).or_default().push(known);
        }
        self.passing.extend(changes.passing);
        while self.passing.len() > PASSING as usize {
            self.passing.pop_front();
        }
        self.cases.extend(changes.case.map(|case| (case.id, case)));
        self.organizations.extend(changes.organization.map(|o| (o.name.to_string(), o)));
        self.products.extend(changes.product.map(|p| (p.name.to_string(), Arc::new(p))));
        self.licenses.extend(changes.license.map(|license| (license.id, license)));
        self.licenses.extend(changes.changed.map(|license| (license.id, license)));
        self.epoch = changes.epoch.unwrap_or(self.epoch);
        for entry in changes.history {
            let text = serde_json::to_string(&entry).unwrap_or_default();
            self.history.push(self.chain.append(text));
        }
    }
}

impl Ledger for Tables {
    async fn epoch(&mut self) -> Result<u32, StorageError> {
        Ok(self.epoch)
    }

    async fn archived(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let passing = || self.passing.iter().find(|passing| passing.digest == *digest);
        let answer = self.answers.get(digest);
        Ok(answer.or_else(|| passing().map(|passing| &passing.response)).cloned())
    }

    async fn device(&mut self, id: &DeviceId) -> Result<Option<DeviceRecord>, StorageError> {
        Ok(self.devices.get(id).cloned())
    }

    async fn grant(&mut self, device: &DeviceId) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.grants.get(device).cloned())
    }

    async fn known(&mut self, device: &DeviceRecord, opened: &Opened) -> Result<Known, StorageError> {
        let all = self.requests.get(&device.id()).map_or(&[][..], Vec::as_slice);
        Ok(pick(all.iter(), opened, device.cut))
    }

    async fn first_counter(&mut self, device: &DeviceId) -> Result<Option<u64>, StorageError> {
        let all = self.requests.get(device).map_or(&[][..], Vec::as_slice);
        Ok(all.iter().map(|known| known.name.counter).min())
    }

    async fn results(
        &mut self,
        device: &DeviceId,
        operations: &[OperationId],
    ) -> Result<BTreeMap<OperationId, Outcome>, StorageError> {
        let result = |id: &OperationId| Some((*id, self.results.get(&(*device, *id))?.clone()));
        Ok(operations.iter().filter_map(result).collect())
    }

    async fn licenses(
        &mut self,
        device: &DeviceId,
        named: &[LicenseId],
    ) -> Result<BTreeMap<LicenseId, LicenseFacts>, StorageError> {
        let held = self.holdings.values().filter(|h| h.device == *device && h.units > 0).map(|h| h.license);
        let mut facts = BTreeMap::new();
        for license in held.chain(named.iter().copied()) {
            if let Some(found) = self.facts(&license, device, named.contains(&license)) {
                facts.insert(license, found);
            }
        }
        Ok(facts)
    }

    async fn holders(&mut self, license: &LicenseId) -> Result<Vec<(DeviceId, u32)>, StorageError> {
        let of = |holding: &&Holding| holding.license == *license && holding.units > 0;
        Ok(self.holdings.values().filter(of).map(|holding| (holding.device, holding.units)).collect())
    }

    async fn license(&mut self, id: &LicenseId) -> Result<Option<License>, StorageError> {
        Ok(self.licenses.get(id).cloned())
    }

    async fn organization(&mut self, name: &Name) -> Result<Option<Organization>, StorageError> {
        Ok(self.organizations.get(&**name).cloned())
    }

    async fn product(&mut self, name: &Name) -> Result<Option<Product>, StorageError> {
        Ok(self.products.get(&**name).map(|product| Product::clone(product)))
    }

    async fn case(&mut self, id: &CaseId) -> Result<Option<Case>, StorageError> {
        Ok(self.cases.get(id).copied())
    }

    async fn save(&mut self, changes: Changes) -> Result<(), StorageError> {
        self.apply(changes);
        Ok(())
    }
}

/// Runs a transaction over tables to its end. Nothing in it ever waits.
pub fn transact<T>(work: impl Future<Output = T>) -> Result<T, StorageError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => Err(StorageError::Closed),
    }
}

/// The store.
#[derive(Debug)]
pub struct Memory {
    signer: Signer,
    tables: Mutex<Tables>,
}

impl Memory {
    /// An empty store that signs with `signer`.
    #[must_use]
    pub fn new(signer: Signer) -> Self {
        Self { signer, tables: Mutex::default() }
    }

    /// The tables: for set-up with [`crate::storage::admin`] through [`transact`], for looking, for backups.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Storage::exchange`] without async.
    pub fn exchange_now(
        &self,
        request: Vec<u8>,
        now: Timestamp,
        fresh: [u8; 8],
    ) -> Result<Vec<u8>, ExchangeError> {
        let incoming = Incoming::open(request, self.signer.issuer())?;
        let mut tables = self.tables();
        transact(exchange(&mut *tables, &self.signer, incoming, now, fresh))?
    }
}

impl Storage for Memory {
    async fn exchange(
        &self,
        request: Vec<u8>,
        now: Timestamp,
        fresh: [u8; 8],
    ) -> Result<Vec<u8>, ExchangeError> {
        self.exchange_now(request, now, fresh)
    }

    async fn health(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn signer(&self) -> &Signer {
        &self.signer
    }
}
