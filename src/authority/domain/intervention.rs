//! What people at the authority do to a device: free a license without its proof, answer a case, send an update.

use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::exchange::LicenseFacts;
use crate::domain::history::Event;
use crate::domain::operations::held;
use crate::domain::tokens::{self, Held};
use landfast_protocol::grant::Grant;
use landfast_protocol::response::Response;
use landfast_protocol::{Blob, BoundError, CaseId, IssuerId, LicenseId, List, Timestamp};
use std::collections::BTreeMap;

/// Frees everything that the device holds of one license, without its proof. An activation made before the
/// device learns of it will be stale.
#[must_use]
pub fn reset(
    mut record: DeviceRecord,
    license: LicenseId,
    held: u32,
    epoch: u32,
) -> (DeviceRecord, Holding, Event) {
    record.enter_epoch(epoch);
    record.advance();
    let device = record.id();
    let holding = Holding { device, license, units: 0, by_share: false, taken_at: Some(record.position) };
    (record, holding, Event::LicenseReset { device, license, units: held })
}

/// Answers the open case of a device: its history goes on from here, and what was made before executes nothing.
/// None when no case is open.
#[must_use]
pub fn resolve(mut record: DeviceRecord, epoch: u32) -> Option<(DeviceRecord, CaseId, Event)> {
    let case = record.case.take()?.id;
    record.enter_epoch(epoch);
    record.advance();
    record.cut = record.position;
    record.seen = record.highest.max(record.seen);
    let event = Event::CaseResolved { device: record.id(), case };
    Some((record, case, event))
}

/// An answer without a request, such as a renewal file: the newest terms of what the device holds.
pub fn update(
    mut record: DeviceRecord,
    licenses: &BTreeMap<LicenseId, LicenseFacts>,
    issuer: IssuerId,
    epoch: u32,
    now: Timestamp,
) -> Result<(DeviceRecord, Grant, Response, Event), BoundError> {
    record.enter_epoch(epoch);
    record.advance();
    let held: Vec<Held<'_>> = held(licenses).collect();
    let grant = tokens::grant(issuer, &record, &held, now)?;
    record.granted = Some(record.position);
    let device = record.id();
    let response = Response {
        issuer,
        device,
        answers: None,
        issued_at: now,
        results: List::default(),
        grant: Blob::default(),
        revocations: None,
    };
    let event = Event::UpdateIssued { device, position: record.position };
    Ok((record, grant, response, event))
}
