//! The one write that ends a transaction.

use crate::domain::catalog::{License, Organization, Product, Term};
use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::history::{Chain, Entry};
use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{Columns, Reading, json, listed, number, time};
use crate::storage::{Archived, Case, Changes, PASSING, Passing};
use landfast_protocol::response::OperationResult;
use landfast_protocol::{DeviceId, Digest, LicenseId, Timestamp};

/// Rows of three values that one statement takes: far fewer values than the 32,766 of SQLite.
const ROWS: usize = 512;

/// Everything or nothing: a failure leaves the transaction as it was before.
pub async fn save(ledger: &mut SqliteLedger<'_>, mut changes: Changes) -> Reading<()> {
    let mut batch = Batch::default();
    batch.push("SAVEPOINT own");
    let history = std::mem::take(&mut changes.history);
    put(&mut batch, changes)?;
    let chain = match history.is_empty() {
        true => ledger.chain,
        false => Some(append(ledger, &mut batch, &history).await?),
    };
    batch.push("RELEASE own");
    if let Err(error) = batch.run(ledger.connection).await {
        ledger.undo().await;
        return Err(error);
    }
    ledger.chain = chain;
    Ok(())
}

fn put(batch: &mut Batch, changes: Changes) -> Reading<()> {
    if let Some(organization) = changes.organization {
        add_organization(batch, &organization);
    }
    if let Some(product) = changes.product {
        add_product(batch, &product)?;
    }
    if let Some(license) = changes.license {
        add_license(batch, &license);
    }
    if let Some(license) = changes.changed {
        change_license(batch, &license);
    }
    if let Some(epoch) = changes.epoch {
        batch.push("UPDATE setting SET value = $1 WHERE name = 'epoch'").bind(epoch.to_string());
    }
    if let Some(device) = changes.device {
        let id = device.id();
        put_device(batch, &id, &device)?;
        if let Some(frame) = changes.grant {
            put_grant(batch, &id, frame);
        }
        put_results(batch, &id, &changes.results)?;
    }
    for (license, at) in changes.started {
        start(batch, &license, at);
    }
    for holding in changes.holdings {
        put_holding(batch, &holding);
    }
    if let Some(archived) = changes.archived {
        archive(batch, archived);
    }
    if let Some(passing) = changes.passing {
        pass(batch, passing);
    }
    if let Some(case) = changes.case {
        put_case(batch, &case)?;
    }
    Ok(())
}

fn add_organization(batch: &mut Batch, organization: &Organization) {
    batch
        .push("INSERT INTO organization (name, added_at) VALUES ($1, $2)")
        .bind(organization.name.to_string())
        .bind(time(organization.added_at));
}

fn add_product(batch: &mut Batch, product: &Product) -> Reading<()> {
    batch
        .push("INSERT INTO product (name, features, policy, added_at) VALUES ($1, $2, $3, $4)")
        .bind(product.name.to_string())
        .bind(json("features", &product.features)?)
        .bind(json("policy", &product.policy)?)
        .bind(time(product.added_at));
    Ok(())
}

/// The columns not_after, term and started_at.
fn term(term: Term) -> (Option<i64>, Option<i64>, Option<i64>) {
    match term {
        Term::Endless => (None, None, None),
        Term::Until(until) => (Some(time(until)), None, None),
        Term::Counted { length, started } => (None, Some(number(length.0)), started.map(time)),
    }
}

fn change_license(batch: &mut Batch, license: &License) {
    let (until, length, _) = term(license.term);
    batch
        .push(
            "UPDATE license SET not_after = $2, term = $3, support_until = $4, quantity = $5, devices = $6, \
         withdrawn_at = $7 WHERE id = $1",
        )
        .bind(license.id.0.to_vec())
        .bind(until)
        .bind(length)
        .bind(license.support_until.map(time))
        .bind(license.quantity)
        .bind(license.devices)
        .bind(license.withdrawn_at.map(time));
}

fn add_license(batch: &mut Batch, license: &License) {
    let (until, length, started) = term(license.term);
    batch
        .push(
        "INSERT INTO license (id, activation_id, organization, product, model, not_before, not_after, term, \
         started_at, support_until, quantity, devices, withdrawn_at, added_at) VALUES ($1, $2, \
         (SELECT id FROM organization WHERE name = $3), (SELECT id FROM product WHERE name = $4), \
         $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(license.id.0.to_vec())
    .bind(license.activation.as_bytes().to_vec())
    .bind(license.organization.to_string())
    .bind(license.product.to_string())
    .bind(license.model.name())
    .bind(time(license.not_before))
    .bind(until)
    .bind(length)
    .bind(started)
    .bind(license.support_until.map(time))
    .bind(license.quantity)
    .bind(license.devices)
    .bind(license.withdrawn_at.map(time))
    .bind(time(license.added_at));
}

fn put_device(batch: &mut Batch, id: &DeviceId, device: &DeviceRecord) -> Reading<()> {
    batch
        .push(
        "INSERT INTO device (id, public_key, first_seen, last_seen, label, system, epoch, sequence, \
         seen_counter, seen_digest, highest_counter, highest_digest, cut_epoch, cut_sequence, retired, case_id, \
         case_until, binding, verdict, lease_until, granted_epoch, granted_sequence, planned_operation, \
         planned_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
         $19, $20, $21, $22, $23, $24) \
         ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen, label = excluded.label, \
         system = excluded.system, epoch = excluded.epoch, sequence = excluded.sequence, \
         seen_counter = excluded.seen_counter, seen_digest = excluded.seen_digest, \
         highest_counter = excluded.highest_counter, highest_digest = excluded.highest_digest, \
         cut_epoch = excluded.cut_epoch, cut_sequence = excluded.cut_sequence, retired = excluded.retired, \
         case_id = excluded.case_id, case_until = excluded.case_until, binding = excluded.binding, \
         verdict = excluded.verdict, lease_until = excluded.lease_until, \
         granted_epoch = excluded.granted_epoch, granted_sequence = excluded.granted_sequence, \
         planned_operation = excluded.planned_operation, planned_until = excluded.planned_until",
    )
    .bind(id.0.to_vec())
    .bind(device.key.as_bytes().to_vec())
    .bind(time(device.first_seen))
    .bind(time(device.last_seen))
    .bind(device.label.as_ref().map(ToString::to_string))
    .bind(json("system", &device.system)?)
    .bind(device.position.epoch)
    .bind(number(device.position.sequence))
    .bind(device.seen.map(|name| number(name.counter)))
    .bind(device.seen.map(|name| name.digest.0.to_vec()))
    .bind(device.highest.map(|name| number(name.counter)))
    .bind(device.highest.map(|name| name.digest.0.to_vec()))
    .bind(device.cut.epoch)
    .bind(number(device.cut.sequence))
    .bind(device.retired)
    .bind(device.case.map(|case| case.id.0.to_vec()))
    .bind(device.case.map(|case| time(case.until)))
    .bind(device.binding.as_ref().map(|binding| json("binding", binding)).transpose()?)
    .bind(device.verdict.map(|verdict| json("verdict", &verdict)).transpose()?)
    .bind(device.lease_until.map(time))
    .bind(device.granted.map(|position| position.epoch))
    .bind(device.granted.map(|position| number(position.sequence)))
    .bind(device.planned.map(|plan| plan.operation.0.to_vec()))
    .bind(device.planned.map(|plan| time(plan.until)));
    Ok(())
}

fn put_grant(batch: &mut Batch, device: &DeviceId, frame: Vec<u8>) {
    batch
        .push(
            "INSERT INTO device_grant (device, frame) VALUES ($1, $2) \
             ON CONFLICT (device) DO UPDATE SET frame = excluded.frame",
        )
        .bind(device.0.to_vec())
        .bind(frame);
}

fn put_results(batch: &mut Batch, device: &DeviceId, results: &[OperationResult]) -> Reading<()> {
    for some in results.chunks(ROWS) {
        batch.push_rows("INSERT INTO operation (device, id, outcome)", some.len(), 3);
        for result in some {
            let outcome = json("outcome", &result.outcome)?;
            batch.bind(device.0.to_vec()).bind(result.id.0.to_vec()).bind(outcome);
        }
    }
    Ok(())
}

fn start(batch: &mut Batch, license: &LicenseId, at: Timestamp) {
    batch
        .push("UPDATE license SET started_at = $2 WHERE id = $1 AND started_at IS NULL")
        .bind(license.0.to_vec())
        .bind(time(at));
}

fn put_holding(batch: &mut Batch, holding: &Holding) {
    batch
        .push(
            "INSERT INTO holding (license, device, units, by_share, taken_epoch, taken_sequence) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (license, device) DO UPDATE SET units = excluded.units, \
         by_share = excluded.by_share, taken_epoch = excluded.taken_epoch, \
         taken_sequence = excluded.taken_sequence",
        )
        .bind(holding.license.0.to_vec())
        .bind(holding.device.0.to_vec())
        .bind(holding.units)
        .bind(holding.by_share)
        .bind(holding.taken_at.map(|position| position.epoch))
        .bind(holding.taken_at.map(|position| number(position.sequence)));
}

fn archive(batch: &mut Batch, archived: Archived) {
    let known = archived.known;
    batch
        .push(
        "INSERT INTO request (digest, device, counter, previous_epoch, previous_sequence, previous_executed, \
         speaks_from, listed, executed, lost, arrived_at, request, response) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(known.name.digest.0.to_vec())
    .bind(archived.device.0.to_vec())
    .bind(number(known.name.counter))
    .bind(known.previous.epoch)
    .bind(number(known.previous.sequence))
    .bind(number(known.previous_executed))
    .bind(number(known.speaks_from))
    .bind(listed(&known.listed))
    .bind(known.executed)
    .bind(known.lost)
    .bind(time(archived.at))
    .bind(archived.request)
    .bind(archived.response);
}

/// Numbers rise by one, so that the oldest answers are those furthest below the newest.
fn pass(batch: &mut Batch, passing: Passing) {
    batch
        .push("INSERT INTO passing (digest, response) VALUES ($1, $2)")
        .bind(passing.digest.0.to_vec())
        .bind(passing.response);
    batch.push("DELETE FROM passing WHERE number <= (SELECT MAX(number) FROM passing) - $1").bind(PASSING);
}

fn put_case(batch: &mut Batch, case: &Case) -> Reading<()> {
    batch
        .push(
        "INSERT INTO fork_case (id, device, fork, counter, opened_at, until, resolved_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at",
    )
    .bind(case.id.0.to_vec())
    .bind(case.device.0.to_vec())
    .bind(json("fork", &case.fork)?)
    .bind(number(case.counter))
    .bind(time(case.opened_at))
    .bind(time(case.until))
    .bind(case.resolved_at.map(time));
    Ok(())
}

/// Links the entries to the chain, and gives its new end.
async fn append(ledger: &mut SqliteLedger<'_>, batch: &mut Batch, entries: &[Entry]) -> Reading<Chain> {
    let mut chain = match ledger.chain {
        Some(chain) => chain,
        None => read_chain(ledger).await?,
    };
    for some in entries.chunks(ROWS) {
        batch.push_rows("INSERT INTO history (number, entry, hash)", some.len(), 3);
        for entry in some {
            let link = chain.append(json("history", entry)?);
            batch.bind(number(link.number)).bind(link.text).bind(link.hash.0.to_vec());
        }
    }
    Ok(chain)
}

async fn read_chain(ledger: &mut SqliteLedger<'_>) -> Reading<Chain> {
    let newest = sqlx::query("SELECT number, hash FROM history ORDER BY number DESC LIMIT 1");
    let Some(row) = ledger.one(newest).await? else { return Ok(Chain::default()) };
    let row = Columns(&row);
    Ok(Chain { length: row.number("number")?, head: Digest(row.bytes("hash")?) })
}
