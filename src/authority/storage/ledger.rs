//! What one transaction can read, and the one write that ends it.

use crate::domain::catalog::{License, Name, Organization, Product};
use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::exchange::LicenseFacts;
use crate::domain::fork::{Fork, Known, KnownRequest};
use crate::domain::history::Entry;
use crate::storage::StorageError;
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Opened;
use landfast_protocol::response::OperationResult;
use landfast_protocol::{CaseId, DeviceId, Digest, LicenseId, OperationId, Text, Timestamp};
use std::collections::BTreeMap;
use std::future::Future;

/// One request with its answer, kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Whose request.
    pub device: DeviceId,
    /// What forks are found by.
    pub known: KnownRequest,
    /// The request's bytes: the device's signature under a return is its proof.
    pub request: Vec<u8>,
    /// The answer's bytes.
    pub response: Vec<u8>,
    /// When it arrived.
    pub at: Timestamp,
}

/// The answer to a stranger's request, kept until there are [`PASSING`] newer ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passing {
    /// Of the request.
    pub digest: Digest,
    /// The answer's bytes.
    pub response: Vec<u8>,
}

/// How many answers to strangers are kept: enough for those that are asked again because they were lost. One has 45 KB
/// at most, and less than one where nobody wants to fill the disk.
pub const PASSING: u32 = 1024;

/// A forked history that a person answers, or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// Whose history.
    pub device: DeviceId,
    /// How it showed.
    pub fork: Fork,
    /// The counter of the request that showed it.
    pub counter: u64,
    /// When.
    pub opened_at: Timestamp,
    /// The device's tokens stay granted until then.
    pub until: Timestamp,
    /// When it was answered.
    pub resolved_at: Option<Timestamp>,
}

/// Everything that one transaction changes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// A device's record, new or changed.
    pub device: Option<DeviceRecord>,
    /// The frame of a newly signed grant of that device.
    pub grant: Option<Vec<u8>>,
    /// Holdings that changed.
    pub holdings: Vec<Holding>,
    /// Final results of that device's operations.
    pub results: Vec<OperationResult>,
    /// Counted terms that start.
    pub started: Vec<(LicenseId, Timestamp)>,
    /// A request of that device and its answer.
    pub archived: Option<Archived>,
    /// An answer to a request that nothing else is kept of.
    pub passing: Option<Passing>,
    /// A case, new or answered.
    pub case: Option<Case>,
    /// A new customer.
    pub organization: Option<Organization>,
    /// A new product.
    pub product: Option<Product>,
    /// A new license.
    pub license: Option<License>,
    /// A license whose quantity, devices, term, support or withdrawal changed.
    pub changed: Option<License>,
    /// A new epoch.
    pub epoch: Option<u32>,
    /// What happened, in order.
    pub history: Vec<Entry>,
}

impl Changes {
    /// Adds an entry to the history.
    #[must_use]
    pub fn note(mut self, at: Timestamp, actor: &Text<80>, event: crate::domain::history::Event) -> Self {
        self.history.push(Entry { at, actor: actor.clone(), event });
        self
    }
}

/// Everything that the answer to a request depends on.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    /// The answer, if it was given before; nothing else is read then.
    pub archived: Option<Vec<u8>>,
    /// As [`Ledger::epoch`].
    pub epoch: u32,
    /// As [`Ledger::device`].
    pub device: Option<DeviceRecord>,
    /// As [`Ledger::known`].
    pub known: Known,
    /// As [`Ledger::first_counter`], for requests from before the newest executed one.
    pub known_from: Option<u64>,
    /// As [`Ledger::results`].
    pub results: BTreeMap<OperationId, Outcome>,
    /// As [`Ledger::licenses`].
    pub licenses: BTreeMap<LicenseId, LicenseFacts>,
}

/// The licenses that a request names, each once.
pub(super) fn named(opened: &Opened) -> Vec<LicenseId> {
    let mut named: Vec<_> = opened.request.operations.iter().filter_map(|o| o.action.license()).collect();
    named.sort_unstable();
    named.dedup();
    named
}

/// The operations that a request carries.
pub(super) fn operations(opened: &Opened) -> Vec<OperationId> {
    opened.request.operations.iter().map(|operation| operation.id).collect()
}

type Reading<T> = Result<T, StorageError>;

/// One serializable transaction: reads, and then at most one [`Ledger::save`].
pub trait Ledger: Send {
    /// Everything that the answer to a request depends on. A store that is far away reads it in one go.
    fn reads(&mut self, opened: &Opened) -> impl Future<Output = Reading<Reads>> + Send {
        async move {
            let id = opened.key.device();
            let mut reads = Reads { archived: self.archived(&opened.name.digest).await?, ..Reads::default() };
            if reads.archived.is_some() {
                return Ok(reads);
            }
            reads.epoch = self.epoch().await?;
            reads.licenses = self.licenses(&id, &named(opened)).await?;
            if let Some(record) = self.device(&id).await? {
                reads.results = self.results(&id, &operations(opened)).await?;
                // While a case is open nothing more is looked for.
                if record.case.is_none() {
                    reads.known = self.known(&record, opened).await?;
                }
                if opened.name.counter < record.seen_counter() {
                    reads.known_from = self.first_counter(&id).await?;
                }
                reads.device = Some(record);
            }
            Ok(reads)
        }
    }

    /// Of the database; rises when it was set back.
    fn epoch(&mut self) -> impl Future<Output = Reading<u32>> + Send;

    /// The answer that was given to a request with this digest; a passing one only while it is kept.
    fn archived(&mut self, digest: &Digest) -> impl Future<Output = Reading<Option<Vec<u8>>>> + Send;

    /// The record of a device.
    fn device(&mut self, id: &DeviceId) -> impl Future<Output = Reading<Option<DeviceRecord>>> + Send;

    /// The frame of the newest signed grant of a device.
    fn grant(&mut self, device: &DeviceId) -> impl Future<Output = Reading<Option<Vec<u8>>>> + Send;

    /// What a request is judged by; [`crate::domain::fork::pick`] says what that is.
    fn known(
        &mut self,
        device: &DeviceRecord,
        opened: &Opened,
    ) -> impl Future<Output = Reading<Known>> + Send;

    /// The counter of the lowest request of a device in the archive.
    fn first_counter(&mut self, device: &DeviceId) -> impl Future<Output = Reading<Option<u64>>> + Send;

    /// Final results of a device's operations.
    fn results(
        &mut self,
        device: &DeviceId,
        operations: &[OperationId],
    ) -> impl Future<Output = Reading<BTreeMap<OperationId, Outcome>>> + Send;

    /// Every license that the device holds, and those named. Free units and devices in use are counted for the
    /// named ones and those that [`LicenseFacts::may_grow`]; for the others both are zero.
    fn licenses(
        &mut self,
        device: &DeviceId,
        named: &[LicenseId],
    ) -> impl Future<Output = Reading<BTreeMap<LicenseId, LicenseFacts>>> + Send;

    /// Devices that hold units of a license, with the units.
    fn holders(&mut self, license: &LicenseId) -> impl Future<Output = Reading<Vec<(DeviceId, u32)>>> + Send;

    /// A license as sold.
    fn license(&mut self, id: &LicenseId) -> impl Future<Output = Reading<Option<License>>> + Send;

    /// A customer.
    fn organization(&mut self, name: &Name) -> impl Future<Output = Reading<Option<Organization>>> + Send;

    /// A product.
    fn product(&mut self, name: &Name) -> impl Future<Output = Reading<Option<Product>>> + Send;

    /// A case.
    fn case(&mut self, id: &CaseId) -> impl Future<Output = Reading<Option<Case>>> + Send;

    /// Writes everything, or fails; the transaction is over then.
    fn save(&mut self, changes: Changes) -> impl Future<Output = Reading<()>> + Send;
}
