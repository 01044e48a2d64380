//! The reads of an exchange: few, and each by an index.

use crate::domain::device::DeviceRecord;
use crate::domain::exchange::LicenseFacts;
use crate::domain::fork::{ENOUGH, Known, KnownRequest, previous_position, speaks_from};
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{self, Columns, Reading, number};
use crate::storage::{Opening, StorageError};
use landfast_protocol::grant::{Position, RequestName};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::{Opened, Request};
use landfast_protocol::{DeviceId, Digest, LicenseId, OperationId};
use sqlx::{QueryBuilder, Sqlite};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One row in any case: what is not there is null.
pub async fn opening(ledger: &mut SqliteLedger<'_>, digest: &Digest, device: &DeviceId) -> Reading<Opening> {
    let query = sqlx::query(
        "SELECT (SELECT value FROM setting WHERE name = 'epoch') AS authority_epoch, \
         coalesce((SELECT response FROM request WHERE digest = $1), \
         (SELECT response FROM passing WHERE digest = $1)) AS archived, d.* \
         FROM (SELECT 1) LEFT JOIN device d ON d.id = $2",
    );
    let row = ledger.one(query.bind(digest.0.to_vec()).bind(device.0.to_vec())).await?;
    let missing = || StorageError::Corrupt { what: "epoch", reason: "it is missing".to_owned() };
    let row = row.ok_or_else(missing)?;
    let columns = Columns(&row);
    let epoch: Option<&str> = columns.get("authority_epoch")?;
    let known: Option<&[u8]> = columns.get("id")?;
    Ok(Opening {
        archived: columns.get("archived")?,
        epoch: rows::from_json("epoch", epoch.ok_or_else(missing)?)?,
        device: known.map(|_| rows::device(&row)).transpose()?,
    })
}

/// What [`crate::domain::fork::pick`] picks. A request above all known ones, which is nearly every request,
/// takes one short read.
pub async fn known(ledger: &mut SqliteLedger<'_>, device: &DeviceRecord, opened: &Opened) -> Reading<Known> {
    let own = Own { device: device.id(), counter: opened.name.counter, cut: device.cut };
    let mut known = below(ledger, &own, &opened.request).await?;
    if device.highest.is_some_and(|highest| own.counter <= highest.counter) {
        let above = above(ledger, &own).await?;
        known.same = above.iter().filter(|other| other.name.counter == own.counter).map(|o| o.name).collect();
        known.above =
            above.into_iter().filter(|other| other.name.counter > own.counter).take(ENOUGH).collect();
        known.lowest_previous_above = lowest_previous_above(ledger, &own).await?;
        known.next_executed = next_executed(ledger, &own).await?;
    }
    Ok(known)
}

/// The request that is judged.
struct Own {
    device: DeviceId,
    counter: u64,
    cut: Position,
}

/// Requests below that this one speaks for; and the highest previous grant that one below knew. Only one above the
/// request's own says anything, so that index is entered there.
async fn below(ledger: &mut SqliteLedger<'_>, own: &Own, request: &Request) -> Reading<Known> {
    let previous = previous_position(request);
    let query = sqlx::query(
        "SELECT * FROM (SELECT counter, digest, NULL AS previous_epoch, NULL AS previous_sequence \
         FROM request WHERE device = $1 AND counter >= $2 AND counter < $3 \
         AND (previous_epoch, previous_sequence) >= ($4, $5) ORDER BY counter LIMIT $6) \
         UNION ALL SELECT * FROM (SELECT NULL, NULL, previous_epoch, previous_sequence \
         FROM request WHERE device = $1 AND counter < $3 \
         AND (previous_epoch, previous_sequence) > ($7, $8) AND (previous_epoch, previous_sequence) >= ($4, $5) \
         ORDER BY previous_epoch DESC, previous_sequence DESC LIMIT 1)",
    )
    .bind(own.device.0.to_vec())
    .bind(number(speaks_from(request)))
    .bind(number(own.counter))
    .bind(own.cut.epoch)
    .bind(number(own.cut.sequence))
    .bind(ENOUGH as i64)
    .bind(previous.epoch)
    .bind(number(previous.sequence));
    let mut known = Known::default();
    for row in ledger.all(query).await? {
        let row = Columns(&row);
        match row.optional("counter")? {
            Some(counter) => known.below.push(RequestName { counter, digest: Digest(row.bytes("digest")?) }),
            None => known.highest_previous_below = Some(row.position("previous_epoch", "previous_sequence")?),
        }
    }
    Ok(known)
}

async fn lowest_previous_above(ledger: &mut SqliteLedger<'_>, own: &Own) -> Reading<Option<Position>> {
    let query = sqlx::query(
        "SELECT previous_epoch, previous_sequence FROM request WHERE device = $1 AND counter > $2 \
         AND (previous_epoch, previous_sequence) >= ($3, $4) \
         ORDER BY previous_epoch, previous_sequence LIMIT 1",
    )
    .bind(&own.device.0[..])
    .bind(number(own.counter))
    .bind(own.cut.epoch)
    .bind(number(own.cut.sequence));
    let row = ledger.one(query).await?;
    row.map(|row| Columns(&row).position("previous_epoch", "previous_sequence")).transpose()
}

/// Requests with the same counter, and newer ones that speak for it.
async fn above(ledger: &mut SqliteLedger<'_>, own: &Own) -> Reading<Vec<KnownRequest>> {
    let query = sqlx::query(
        "SELECT * FROM request WHERE device = $1 AND counter >= $2 AND (counter = $2 OR speaks_from <= $2) \
         AND (previous_epoch, previous_sequence) >= ($3, $4) ORDER BY counter LIMIT $5",
    )
    .bind(&own.device.0[..])
    .bind(number(own.counter))
    .bind(own.cut.epoch)
    .bind(number(own.cut.sequence))
    // One request of the same counter is enough to show a fork.
    .bind(ENOUGH as i64 + 1);
    ledger.all(query).await?.iter().map(rows::known).collect()
}

async fn next_executed(ledger: &mut SqliteLedger<'_>, own: &Own) -> Reading<Option<KnownRequest>> {
    let query = sqlx::query(
        "SELECT * FROM request WHERE device = $1 AND counter > $2 AND executed \
         AND (previous_epoch, previous_sequence) >= ($3, $4) ORDER BY counter LIMIT 1",
    )
    .bind(&own.device.0[..])
    .bind(number(own.counter))
    .bind(own.cut.epoch)
    .bind(number(own.cut.sequence));
    ledger.one(query).await?.map(|row| rows::known(&row)).transpose()
}

pub async fn results(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceId,
    operations: &[OperationId],
) -> Reading<BTreeMap<OperationId, Outcome>> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT id, outcome FROM operation WHERE device = ");
    query.push_bind(device.0.to_vec()).push(" AND id IN (");
    push_all(&mut query, operations.iter().map(|id| id.0.to_vec()));
    let rows = ledger.all(query.build()).await?;
    let result = |row| Ok((OperationId(Columns(row).bytes("id")?), Columns(row).json("outcome")?));
    rows.iter().map(result).collect()
}

pub async fn licenses(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceId,
    named: &[LicenseId],
) -> Reading<BTreeMap<LicenseId, LicenseFacts>> {
    // SQLite takes 32,766 values in one statement; a request carries far fewer operations.
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT l.*, o.name AS organization_name, h.units, h.by_share, h.taken_epoch, h.taken_sequence, \
         p.name AS product_name, p.features AS product_features, p.policy AS product_policy, \
         p.added_at AS product_added_at FROM license l JOIN organization o ON o.id = l.organization \
         JOIN product p ON p.id = l.product LEFT JOIN holding h ON h.license = l.id AND h.device = ",
    );
    query.push_bind(device.0.to_vec());
    query.push(" WHERE l.id IN (SELECT license FROM holding WHERE units > 0 AND device = ");
    query.push_bind(device.0.to_vec()).push(") OR l.id IN (");
    push_all(&mut query, named.iter().map(|id| id.0.to_vec()));
    let mut products = HashMap::new();
    let mut facts = BTreeMap::new();
    for row in ledger.all(query.build()).await? {
        let columns = Columns(&row);
        let license = rows::license(&row)?;
        let id: i64 = columns.get("product")?;
        let product = match products.get(&id) {
            Some(product) => Arc::clone(product),
            None => Arc::clone(products.entry(id).or_insert(Arc::new(rows::product(&row)?))),
        };
        let held: Option<u32> = columns.get("units")?;
        let by_share: Option<bool> = columns.get("by_share")?;
        let taken_at = columns.optional_position("taken_epoch", "taken_sequence")?;
        let (held, by_share) = (held.unwrap_or(0), by_share.unwrap_or(false));
        let known = LicenseFacts { license, product, free: 0, devices_in_use: 0, held, by_share, taken_at };
        facts.insert(known.license.id, known);
    }
    count(ledger, &mut facts, named).await?;
    Ok(facts)
}

/// Counts what is free, where it is asked for.
async fn count(
    ledger: &mut SqliteLedger<'_>,
    facts: &mut BTreeMap<LicenseId, LicenseFacts>,
    named: &[LicenseId],
) -> Reading<()> {
    let asked = |facts: &&mut LicenseFacts| facts.may_grow() || named.contains(&facts.license.id);
    let mut asked: Vec<_> = facts.values_mut().filter(asked).collect();
    for some in asked.chunks_mut(1024) {
        let ids: Vec<LicenseId> = some.iter().map(|facts| facts.license.id).collect();
        let used = usage(ledger, &ids).await?;
        for facts in some {
            let (units, devices) = used.get(&facts.license.id).copied().unwrap_or_default();
            facts.free = facts.license.quantity.saturating_sub(units);
            facts.devices_in_use = devices;
        }
    }
    Ok(())
}

/// Units and devices in use.
async fn usage(
    ledger: &mut SqliteLedger<'_>,
    named: &[LicenseId],
) -> Reading<HashMap<LicenseId, (u32, u32)>> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT license, SUM(units) AS units, COUNT(*) AS devices FROM holding WHERE units > 0 AND license IN (",
    );
    push_all(&mut query, named.iter().map(|id| id.0.to_vec()));
    query.push(" GROUP BY license");
    let rows = ledger.all(query.build()).await?;
    let usage = |row| {
        let row = Columns(row);
        Ok((LicenseId(row.bytes("license")?), (row.small("units")?, row.small("devices")?)))
    };
    rows.iter().map(usage).collect()
}

fn push_all(query: &mut QueryBuilder<Sqlite>, values: impl Iterator<Item = Vec<u8>>) {
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}
