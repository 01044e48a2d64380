//! What a request's place in its device's history is judged by.

use crate::domain::device::DeviceRecord;
use crate::domain::fork::{ENOUGH, Known, KnownRequest, previous_position, speaks_from};
use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{self, Columns, Reading, number};
use landfast_protocol::grant::{Position, RequestName};
use landfast_protocol::request::Opened;
use landfast_protocol::{DeviceId, Digest};
use sqlx::sqlite::SqliteRow;

/// What [`crate::domain::fork::pick`] picks. A request above all known ones, which is nearly every request,
/// takes one short read.
pub async fn known(ledger: &mut SqliteLedger<'_>, device: &DeviceRecord, opened: &Opened) -> Reading<Known> {
    let mut batch = Batch::default();
    push_below(&mut batch, opened);
    let rows = ledger.rows(batch).await?;
    let mut known = read_below(rows.first().map_or(&[], Vec::as_slice))?;
    complete(ledger, device, opened, &mut known).await?;
    Ok(known)
}

/// What only requests ask for that are not above all known ones.
pub async fn complete(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceRecord,
    opened: &Opened,
    known: &mut Known,
) -> Reading<()> {
    let own = Own { device: device.id(), counter: opened.name.counter, cut: device.cut };
    if device.highest.is_some_and(|highest| own.counter <= highest.counter) {
        let above = above(ledger, &own).await?;
        known.same = above.iter().filter(|other| other.name.counter == own.counter).map(|o| o.name).collect();
        known.above =
            above.into_iter().filter(|other| other.name.counter > own.counter).take(ENOUGH).collect();
        known.lowest_previous_above = lowest_previous_above(ledger, &own).await?;
        known.next_executed = next_executed(ledger, &own).await?;
    }
    Ok(())
}

/// The request that is judged.
struct Own {
    device: DeviceId,
    counter: u64,
    cut: Position,
}

/// Asks for requests below that this one speaks for, and for the highest previous grant that one below knew. Only one
/// above the request's own says anything, so that index is entered there.
pub fn push_below(batch: &mut Batch, opened: &Opened) {
    let previous = previous_position(&opened.request);
    batch
        .push(
            "SELECT * FROM (SELECT counter, digest, NULL AS previous_epoch, NULL AS previous_sequence \
             FROM request WHERE device = $1 AND counter >= $2 AND counter < $3 \
             AND (previous_epoch, previous_sequence) >= (SELECT cut_epoch, cut_sequence FROM device WHERE id = $1) \
             ORDER BY counter LIMIT $4) \
             UNION ALL SELECT * FROM (SELECT NULL, NULL, previous_epoch, previous_sequence \
             FROM request WHERE device = $1 AND counter < $3 AND (previous_epoch, previous_sequence) > ($5, $6) \
             AND (previous_epoch, previous_sequence) >= (SELECT cut_epoch, cut_sequence FROM device WHERE id = $1) \
             ORDER BY previous_epoch DESC, previous_sequence DESC LIMIT 1)",
        )
        .bind(opened.key.device().0.to_vec())
        .bind(number(speaks_from(&opened.request)))
        .bind(number(opened.name.counter))
        .bind(ENOUGH as i64)
        .bind(previous.epoch)
        .bind(number(previous.sequence));
}

pub fn read_below(rows: &[SqliteRow]) -> Reading<Known> {
    let mut known = Known::default();
    for row in rows {
        let row = Columns(row);
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
