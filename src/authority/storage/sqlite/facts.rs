//! Licenses and results that a request asks about.

use crate::domain::exchange::LicenseFacts;
use crate::storage::sqlite::batch::{Batch, list};
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{self, Columns, Reading};
use landfast_protocol::operation::Outcome;
use landfast_protocol::{DeviceId, LicenseId, OperationId};
use sqlx::sqlite::SqliteRow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub async fn results(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceId,
    operations: &[OperationId],
) -> Reading<BTreeMap<OperationId, Outcome>> {
    let mut batch = Batch::default();
    push_results(&mut batch, device, operations);
    let rows = ledger.rows(batch).await?;
    read_results(rows.first().map_or(&[], Vec::as_slice))
}

pub fn push_results(batch: &mut Batch, device: &DeviceId, operations: &[OperationId]) {
    let ids = list(operations.len(), 2);
    batch
        .push(&format!("SELECT id, outcome FROM operation WHERE device = $1 AND id IN {ids}"))
        .bind(device.0.to_vec())
        .bind_all(operations.iter().map(|id| id.0.to_vec()));
}

pub fn read_results(rows: &[SqliteRow]) -> Reading<BTreeMap<OperationId, Outcome>> {
    let result = |row| Ok((OperationId(Columns(row).bytes("id")?), Columns(row).json("outcome")?));
    rows.iter().map(result).collect()
}

pub async fn licenses(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceId,
    named: &[LicenseId],
) -> Reading<BTreeMap<LicenseId, LicenseFacts>> {
    let mut batch = Batch::default();
    push_licenses(&mut batch, device, named);
    let rows = ledger.rows(batch).await?;
    let rows_of = |statement: usize| rows.get(statement).map_or(&[][..], Vec::as_slice);
    read_licenses(rows_of(0), rows_of(1), named)
}

/// Asks for what is held or named, and for the use of what is named or may grow.
///
/// SQLite takes 32,766 values in one statement; a request carries far fewer operations.
pub fn push_licenses(batch: &mut Batch, device: &DeviceId, named: &[LicenseId]) {
    let ids = list(named.len(), 2);
    batch
        .push(&format!(
            "SELECT l.*, o.name AS organization_name, h.units, h.by_share, h.taken_epoch, h.taken_sequence, \
             p.name AS product_name, p.features AS product_features, p.policy AS product_policy, \
             p.added_at AS product_added_at FROM license l JOIN organization o ON o.id = l.organization \
             JOIN product p ON p.id = l.product LEFT JOIN holding h ON h.license = l.id AND h.device = $1 \
             WHERE l.id IN {ids} OR l.id IN (SELECT license FROM holding WHERE device = $1 AND units > 0)"
        ))
        .bind(device.0.to_vec())
        .bind_all(named.iter().map(|id| id.0.to_vec()));
    batch
        .push(&format!(
            "SELECT license, SUM(units) AS units, COUNT(*) AS devices FROM holding WHERE units > 0 \
             AND (license IN {ids} \
             OR license IN (SELECT license FROM holding WHERE device = $1 AND units > 0 AND by_share)) \
             GROUP BY license"
        ))
        .bind(device.0.to_vec())
        .bind_all(named.iter().map(|id| id.0.to_vec()));
}

pub fn read_licenses(
    rows: &[SqliteRow],
    usage: &[SqliteRow],
    named: &[LicenseId],
) -> Reading<BTreeMap<LicenseId, LicenseFacts>> {
    let mut products = HashMap::new();
    let mut facts = BTreeMap::new();
    for row in rows {
        let columns = Columns(row);
        let license = rows::license(row)?;
        let id: i64 = columns.get("product")?;
        let product = match products.get(&id) {
            Some(product) => Arc::clone(product),
            None => Arc::clone(products.entry(id).or_insert(Arc::new(rows::product(row)?))),
        };
        let held: Option<u32> = columns.get("units")?;
        let by_share: Option<bool> = columns.get("by_share")?;
        let taken_at = columns.optional_position("taken_epoch", "taken_sequence")?;
        let (held, by_share) = (held.unwrap_or(0), by_share.unwrap_or(false));
        let known = LicenseFacts { license, product, free: 0, devices_in_use: 0, held, by_share, taken_at };
        facts.insert(known.license.id, known);
    }
    let mut used: HashMap<LicenseId, (u32, u32)> = HashMap::new();
    for row in usage {
        let row = Columns(row);
        let license = LicenseId(row.bytes("license")?);
        let (units, devices) = (row.small("units")?, row.small("devices")?);
        used.insert(license, (units, devices));
    }
    let asked = |facts: &&mut LicenseFacts| facts.may_grow() || named.contains(&facts.license.id);
    for facts in facts.values_mut().filter(asked) {
        let (units, devices) = used.get(&facts.license.id).copied().unwrap_or_default();
        facts.free = facts.license.quantity.saturating_sub(units);
        facts.devices_in_use = devices;
    }
    Ok(facts)
}
