//! The memory store with a fault planted into it.

use crate::simulation::fault::Fault;
use landfast_authority::domain::catalog::{License, Name, Organization, Product};
use landfast_authority::domain::device::DeviceRecord;
use landfast_authority::domain::exchange::LicenseFacts;
use landfast_authority::domain::fork::Known;
use landfast_authority::storage::memory::Tables;
use landfast_authority::storage::{Case, Changes, Ledger, StorageError};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Opened;
use landfast_protocol::{CaseId, DeviceId, Digest, LicenseId, OperationId};
use std::collections::BTreeMap;

type Reading<T> = Result<T, StorageError>;

/// Passes everything on, but for what its fault is about.
pub(crate) struct Faulty<'a> {
    pub now: &'a mut Tables,
    /// What another instance read before the last commit.
    pub before: Option<&'a mut Tables>,
    pub fault: Fault,
}

impl Faulty<'_> {
    /// The tables that this transaction reads.
    fn read(&mut self) -> &mut Tables {
        match &mut self.before {
            Some(before) => before,
            None => self.now,
        }
    }
}

impl Ledger for Faulty<'_> {
    async fn epoch(&mut self) -> Reading<u32> {
        self.read().epoch().await
    }
    async fn archived(&mut self, digest: &Digest) -> Reading<Option<Vec<u8>>> {
        if self.fault == Fault::ArchiveNotAsked { Ok(None) } else { self.now.archived(digest).await }
    }
    async fn device(&mut self, id: &DeviceId) -> Reading<Option<DeviceRecord>> {
        self.read().device(id).await
    }
    async fn grant(&mut self, device: &DeviceId) -> Reading<Option<Vec<u8>>> {
        self.read().grant(device).await
    }
    async fn known(&mut self, device: &DeviceRecord, opened: &Opened) -> Reading<Known> {
        let mut known = self.read().known(device, opened).await?;
        if self.fault == Fault::ForksNotSought {
            known.same.clear();
            known.below.clear();
            known.highest_previous_below = None;
        }
        Ok(known)
    }
    async fn first_counter(&mut self, device: &DeviceId) -> Reading<Option<u64>> {
        self.read().first_counter(device).await
    }
    async fn results(
        &mut self,
        device: &DeviceId,
        operations: &[OperationId],
    ) -> Reading<BTreeMap<OperationId, Outcome>> {
        if self.fault == Fault::ResultsForgotten {
            return Ok(BTreeMap::new());
        }
        self.read().results(device, operations).await
    }
    async fn licenses(
        &mut self,
        device: &DeviceId,
        named: &[LicenseId],
    ) -> Reading<BTreeMap<LicenseId, LicenseFacts>> {
        let missing = self.fault == Fault::StaleRuleMissing;
        let mut licenses = self.read().licenses(device, named).await?;
        for facts in licenses.values_mut().filter(|_| missing) {
            facts.taken_at = None;
        }
        Ok(licenses)
    }
    async fn holders(&mut self, license: &LicenseId) -> Reading<Vec<(DeviceId, u32)>> {
        self.read().holders(license).await
    }
    async fn license(&mut self, id: &LicenseId) -> Reading<Option<License>> {
        self.read().license(id).await
    }
    async fn organization(&mut self, name: &Name) -> Reading<Option<Organization>> {
        self.read().organization(name).await
    }
    async fn product(&mut self, name: &Name) -> Reading<Option<Product>> {
        self.read().product(name).await
    }
    async fn case(&mut self, id: &CaseId) -> Reading<Option<Case>> {
        self.read().case(id).await
    }
    async fn save(&mut self, mut changes: Changes) -> Reading<()> {
        if self.fault == Fault::AnswerNotKept {
            changes.archived = None;
        }
        self.now.save(changes).await
    }
}
