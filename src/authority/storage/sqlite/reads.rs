//! Everything that an exchange reads, in one go.

use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{self, Columns, Reading};
use crate::storage::sqlite::{facts, forks};
use crate::storage::{Ledger, Reads, StorageError, named, operations};
use landfast_protocol::request::Opened;
use sqlx::sqlite::SqliteRow;

pub async fn reads(ledger: &mut SqliteLedger<'_>, opened: &Opened) -> Reading<Reads> {
    let (id, named) = (opened.key.device(), named(opened));
    let mut batch = Batch::default();
    push_beginning(&mut batch, opened);
    forks::push_below(&mut batch, opened);
    facts::push_results(&mut batch, &id, &operations(opened));
    facts::push_licenses(&mut batch, &id, &named);
    let rows = ledger.rows(batch).await?;
    let [beginning, below, results, licenses, usage] = rows.as_slice() else {
        let reason = format!("{} answers came to five questions", rows.len());
        return Err(StorageError::Corrupt { what: "exchange", reason });
    };
    let mut reads = read_beginning(beginning)?;
    if reads.archived.is_some() {
        return Ok(reads);
    }
    reads.licenses = facts::read_licenses(licenses, usage, &named)?;
    let Some(record) = &reads.device else { return Ok(reads) };
    reads.results = facts::read_results(results)?;
    // While a case is open nothing more is looked for.
    if record.case.is_none() {
        reads.known = forks::read_below(below)?;
        forks::complete(ledger, record, opened, &mut reads.known).await?;
    }
    if opened.name.counter < record.seen_counter() {
        reads.known_from = ledger.first_counter(&id).await?;
    }
    Ok(reads)
}

/// One row in any case: what is not there is null.
fn push_beginning(batch: &mut Batch, opened: &Opened) {
    batch
        .push(
            "SELECT (SELECT value FROM setting WHERE name = 'epoch') AS authority_epoch, \
             coalesce((SELECT response FROM request WHERE digest = $1), \
             (SELECT response FROM passing WHERE digest = $1)) AS archived, d.* \
             FROM (SELECT 1) LEFT JOIN device d ON d.id = $2",
        )
        .bind(opened.name.digest.0.to_vec())
        .bind(opened.key.device().0.to_vec());
}

fn read_beginning(rows: &[SqliteRow]) -> Reading<Reads> {
    let missing = || StorageError::Corrupt { what: "epoch", reason: "it is missing".to_owned() };
    let row = rows.first().ok_or_else(missing)?;
    let columns = Columns(row);
    let epoch: Option<&str> = columns.get("authority_epoch")?;
    let known: Option<&[u8]> = columns.get("id")?;
    Ok(Reads {
        archived: columns.get("archived")?,
        epoch: rows::from_json("epoch", epoch.ok_or_else(missing)?)?,
        device: known.map(|_| rows::device(row)).transpose()?,
        ..Reads::default()
    })
}
