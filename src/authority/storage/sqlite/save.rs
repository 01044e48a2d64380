//! The one write that ends a transaction.

use crate::domain::catalog::{License, Organization, Product, Term};
use crate::domain::device::{DeviceRecord, Holding};
use crate::domain::history::{Chain, Entry};
use crate::storage::sqlite::ledger::SqliteLedger;
use crate::storage::sqlite::rows::{Columns, Reading, json, listed, number, time};
use crate::storage::{Archived, Case, Changes, PASSING, Passing};
use landfast_protocol::response::OperationResult;
use landfast_protocol::{DeviceId, Digest, LicenseId, Timestamp};
use sqlx::{QueryBuilder, Sqlite};

pub async fn save(ledger: &mut SqliteLedger<'_>, changes: Changes) -> Reading<()> {
    if let Some(organization) = changes.organization {
        add_organization(ledger, &organization).await?;
    }
    if let Some(product) = changes.product {
        add_product(ledger, &product).await?;
    }
    if let Some(license) = changes.license {
        add_license(ledger, &license).await?;
    }
    if let Some(license) = changes.changed {
        change_license(ledger, &license).await?;
    }
    if let Some(epoch) = changes.epoch {
        let query = sqlx::query("UPDATE setting SET value = $1 WHERE name = 'epoch'");
        ledger.write(query.bind(epoch.to_string())).await?;
    }
    if let Some(device) = changes.device {
        let id = device.id();
        put_device(ledger, &id, &device).await?;
        if let Some(frame) = changes.grant {
            put_grant(ledger, &id, frame).await?;
        }
        put_results(ledger, &id, &changes.results).await?;
    }
    for (license, at) in changes.started {
        start(ledger, &license, at).await?;
    }
    for holding in changes.holdings {
        put_holding(ledger, &holding).await?;
    }
    if let Some(archived) = changes.archived {
        archive(ledger, archived).await?;
    }
    if let Some(passing) = changes.passing {
        pass(ledger, passing).await?;
    }
    if let Some(case) = changes.case {
        put_case(ledger, &case).await?;
    }
    append(ledger, &changes.history).await
}

async fn add_organization(ledger: &mut SqliteLedger<'_>, organization: &Organization) -> Reading<()> {
    let query = sqlx::query("INSERT INTO organization (name, added_at) VALUES ($1, $2)")
        .bind(organization.name.to_string())
        .bind(time(organization.added_at));
    ledger.write(query).await
}

async fn add_product(ledger: &mut SqliteLedger<'_>, product: &Product) -> Reading<()> {
    let query = sqlx::query("INSERT INTO product (name, features, policy, added_at) VALUES ($1, $2, $3, $4)")
        .bind(product.name.to_string())
        .bind(json("features", &product.features)?)
        .bind(json("policy", &product.policy)?)
        .bind(time(product.added_at));
    ledger.write(query).await
}

/// The columns not_after, term and started_at.
fn term(term: Term) -> (Option<i64>, Option<i64>, Option<i64>) {
    match term {
        Term::Endless => (None, None, None),
        Term::Until(until) => (Some(time(until)), None, None),
        Term::Counted { length, started } => (None, Some(number(length.0)), started.map(time)),
    }
}

async fn change_license(ledger: &mut SqliteLedger<'_>, license: &License) -> Reading<()> {
    let (until, length, _) = term(license.term);
    let query = sqlx::query(
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
    ledger.write(query).await
}

async fn add_license(ledger: &mut SqliteLedger<'_>, license: &License) -> Reading<()> {
    let (until, length, started) = term(license.term);
    let query = sqlx::query(
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
    ledger.write(query).await
}

async fn put_device(ledger: &mut SqliteLedger<'_>, id: &DeviceId, device: &DeviceRecord) -> Reading<()> {
    let query = sqlx::query(
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
    ledger.write(query).await
}

async fn put_grant(ledger: &mut SqliteLedger<'_>, device: &DeviceId, frame: Vec<u8>) -> Reading<()> {
    let query = sqlx::query(
        "INSERT INTO device_grant (device, frame) VALUES ($1, $2) \
         ON CONFLICT (device) DO UPDATE SET frame = excluded.frame",
    );
    ledger.write(query.bind(device.0.to_vec()).bind(frame)).await
}

async fn put_results(
    ledger: &mut SqliteLedger<'_>,
    device: &DeviceId,
    results: &[OperationResult],
) -> Reading<()> {
    if results.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(results.len());
    for result in results {
        rows.push((result.id.0.to_vec(), json("outcome", &result.outcome)?));
    }
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO operation (device, id, outcome) ");
    query.push_values(rows, |mut row, (id, outcome)| {
        row.push_bind(device.0.to_vec()).push_bind(id).push_bind(outcome);
    });
    ledger.write(query.build()).await
}

async fn start(ledger: &mut SqliteLedger<'_>, license: &LicenseId, at: Timestamp) -> Reading<()> {
    let query = sqlx::query("UPDATE license SET started_at = $2 WHERE id = $1 AND started_at IS NULL");
    ledger.write(query.bind(license.0.to_vec()).bind(time(at))).await
}

async fn put_holding(ledger: &mut SqliteLedger<'_>, holding: &Holding) -> Reading<()> {
    let query = sqlx::query(
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
    ledger.write(query).await
}

async fn archive(ledger: &mut SqliteLedger<'_>, archived: Archived) -> Reading<()> {
    let known = archived.known;
    let query = sqlx::query(
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
    ledger.write(query).await
}

/// Numbers rise by one, so that the oldest answers are those furthest below the newest.
async fn pass(ledger: &mut SqliteLedger<'_>, passing: Passing) -> Reading<()> {
    let query = sqlx::query("INSERT INTO passing (digest, response) VALUES ($1, $2)")
        .bind(passing.digest.0.to_vec())
        .bind(passing.response);
    ledger.write(query).await?;
    let query = sqlx::query("DELETE FROM passing WHERE number <= (SELECT MAX(number) FROM passing) - $1");
    ledger.write(query.bind(PASSING)).await
}

async fn put_case(ledger: &mut SqliteLedger<'_>, case: &Case) -> Reading<()> {
    let query = sqlx::query(
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
    ledger.write(query).await
}

/// Links the entries to the chain. The head is read each time: other processes append, too.
async fn append(ledger: &mut SqliteLedger<'_>, entries: &[Entry]) -> Reading<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let head =
        ledger.one(sqlx::query("SELECT number, hash FROM history ORDER BY number DESC LIMIT 1")).await?;
    let mut chain = match head {
        Some(row) => {
            Chain { length: Columns(&row).number("number")?, head: Digest(Columns(&row).bytes("hash")?) }
        }
        None => Chain::default(),
    };
    let mut links = Vec::with_capacity(entries.len());
    for entry in entries {
        links.push(chain.append(json("history", entry)?));
    }
    // Three values each, well below the 32,766 that one statement takes.
    for some in links.chunks(512) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO history (number, entry, hash) ");
        query.push_values(some, |mut row, link| {
            row.push_bind(number(link.number)).push_bind(link.text.clone()).push_bind(link.hash.0.to_vec());
        });
        ledger.write(query.build()).await?;
    }
    Ok(())
}
