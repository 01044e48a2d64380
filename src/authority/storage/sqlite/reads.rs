//! Everything that an exchange reads, in one go.

use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{self, Columns, Reading};
use crate::storage::sqlite::{facts, forks};
use crate::storage::{Ledger, Reads, StorageError, named, operations};
use landfast_protocol::LicenseId;
use landfast_protocol::request::Opened;
use sqlx::sqlite::SqliteRow;

pub async fn reads(ledger: &mut SqliteLedger<'_>, opened: &Opened) -> Reading<Reads> {
    let (id, named) = (opened.key.device(), named(opened));
    let rows = ledger.rows(batch(opened, &named)).await?;
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

fn batch(opened: &Opened, named: &[LicenseId]) -> Batch {
    let id = opened.key.device();
    let mut batch = Batch::default();
    push_beginning(&mut batch, opened);
    forks::push_below(&mut batch, opened);
    facts::push_results(&mut batch, &id, &operations(opened));
    facts::push_licenses(&mut batch, &id, named);
    batch
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::sqlite;
    use landfast_protocol::evidence::Evidence;
    use landfast_protocol::grant::RequestName;
    use landfast_protocol::keys::SecretKey;
    use landfast_protocol::operation::{Action, Operation};
    use landfast_protocol::request::{ClockReport, Request, SystemDescription};
    use landfast_protocol::{Digest, IssuerId, List, Nonce, OperationId, Timestamp};

    fn opened(operations: u8) -> Opened {
        let operation = |number| Operation {
            id: OperationId([number; 16]),
            action: Action::Return { license: LicenseId([number; 16]), quantity: None },
        };
        let request = Request {
            issuer: IssuerId([1; 16]),
            counter: 1,
            nonce: Nonce([0; 16]),
            previous: None,
            listed: List::default(),
            clock: ClockReport { wall: Timestamp(0), licensing: Timestamp(0), trusted: false },
            system: SystemDescription::default(),
            needs: List::default(),
            label: None,
            evidence: Evidence::default(),
            planned_change_used: None,
            operations: List::new((0..operations).map(operation).collect()).unwrap(),
        };
        let name = RequestName { counter: 1, digest: Digest([3; 32]) };
        Opened { key: SecretKey::from_seed(&[9; 32]).public(), name, request }
    }

    /// A vendor may have a million licenses, and what most devices send carries no operation.
    #[tokio::test]
    async fn every_read_enters_its_tables_by_an_index() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authority.db");
        sqlite::create(&path).await.unwrap();
        let mut connection = sqlite::connect(&path).await.unwrap();
        for operations in [0, 1, 3] {
            let opened = opened(operations);
            let steps = batch(&opened, &named(&opened)).plan(&mut connection).await;
            assert!(steps.iter().any(|step| step.contains("SEARCH holding")), "{steps:?}");
            let scanned =
                ["request", "passing", "setting", "device", "d", "operation", "license", "l", "h", "holding"];
            for table in scanned {
                let scan = format!("SCAN {table}");
                let scans = |step: &String| *step == scan || step.starts_with(&format!("{scan} "));
                assert!(!steps.iter().any(scans), "{operations} operations: {scan} in {steps:#?}");
            }
        }
    }
}
