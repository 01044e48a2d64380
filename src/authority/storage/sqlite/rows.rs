//! Between SQL values and ours. Whatever does not fit is reported, never guessed.

use crate::domain::catalog::{License, Product, Term};
use crate::domain::device::{DeviceRecord, OpenCase};
use crate::domain::fork::KnownRequest;
use crate::storage::{Case, StorageError};
use landfast_protocol::grant::{Model, PlannedChange, Position, RequestName};
use landfast_protocol::keys::PublicKey;
use landfast_protocol::{
    ActivationId, CaseId, DeviceId, Digest, Duration, LicenseId, OperationId, Text, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Type};
use std::sync::Arc;

pub type Reading<T> = Result<T, StorageError>;

/// Names the operation in a database error.
pub fn failed(operation: &'static str) -> impl FnOnce(sqlx::Error) -> StorageError {
    move |source| StorageError::Database { operation, source: Arc::new(source) }
}

fn corrupt(what: &'static str, reason: impl ToString) -> StorageError {
    StorageError::Corrupt { what, reason: reason.to_string() }
}

/// Numbers are below 2^63: the border refuses larger ones.
pub fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub fn time(value: Timestamp) -> i64 {
    number(value.0)
}

pub fn json<T: Serialize>(what: &'static str, value: &T) -> Reading<String> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}

pub fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Reading<T> {
    serde_json::from_str(text).map_err(|error| corrupt(what, error))
}

/// A row whose columns are read by name.
pub struct Columns<'r>(pub &'r SqliteRow);

impl<'r> Columns<'r> {
    pub fn get<T: sqlx::Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &'static str) -> Reading<T> {
        self.0.try_get(column).map_err(|error| corrupt(column, error))
    }

    pub fn number(&self, column: &'static str) -> Reading<u64> {
        u64::try_from(self.get::<i64>(column)?).map_err(|error| corrupt(column, error))
    }

    pub fn optional(&self, column: &'static str) -> Reading<Option<u64>> {
        let value: Option<i64> = self.get(column)?;
        value.map(|value| u64::try_from(value).map_err(|error| corrupt(column, error))).transpose()
    }

    pub fn small(&self, column: &'static str) -> Reading<u32> {
        u32::try_from(self.get::<i64>(column)?).map_err(|error| corrupt(column, error))
    }

    pub fn time(&self, column: &'static str) -> Reading<Timestamp> {
        self.number(column).map(Timestamp)
    }

    pub fn optional_time(&self, column: &'static str) -> Reading<Option<Timestamp>> {
        Ok(self.optional(column)?.map(Timestamp))
    }

    pub fn bytes<const N: usize>(&self, column: &'static str) -> Reading<[u8; N]> {
        fixed(column, self.get(column)?)
    }

    pub fn optional_bytes<const N: usize>(&self, column: &'static str) -> Reading<Option<[u8; N]>> {
        let value: Option<&[u8]> = self.get(column)?;
        value.map(|value| fixed(column, value)).transpose()
    }

    pub fn json<T: DeserializeOwned>(&self, column: &'static str) -> Reading<T> {
        from_json(column, self.get(column)?)
    }

    pub fn optional_json<T: DeserializeOwned>(&self, column: &'static str) -> Reading<Option<T>> {
        let value: Option<&str> = self.get(column)?;
        value.map(|value| from_json(column, value)).transpose()
    }

    pub fn text<const MAX: usize>(&self, column: &'static str) -> Reading<Text<MAX>> {
        Text::new(self.get::<String>(column)?).map_err(|error| corrupt(column, error))
    }

    pub fn position(&self, epoch: &'static str, sequence: &'static str) -> Reading<Position> {
        Ok(Position { epoch: self.small(epoch)?, sequence: self.number(sequence)? })
    }

    pub fn optional_position(
        &self,
        epoch: &'static str,
        sequence: &'static str,
    ) -> Reading<Option<Position>> {
        let some: Option<i64> = self.get(epoch)?;
        some.map(|_| self.position(epoch, sequence)).transpose()
    }

    fn name(&self, counter: &'static str, digest: &'static str) -> Reading<Option<RequestName>> {
        let counter = self.optional(counter)?;
        let digest = self.optional_bytes(digest)?.map(Digest);
        Ok(counter.zip(digest).map(|(counter, digest)| RequestName { counter, digest }))
    }
}

fn fixed<const N: usize>(column: &'static str, value: &[u8]) -> Reading<[u8; N]> {
    value.try_into().map_err(|error| corrupt(column, error))
}

pub fn device(row: &SqliteRow) -> Reading<DeviceRecord> {
    let row = Columns(row);
    let key = PublicKey::from_bytes(row.bytes("public_key")?);
    let label: Option<String> = row.get("label")?;
    let case = row.optional_bytes("case_id")?.map(CaseId);
    let until = row.optional_time("case_until")?;
    let planned = row.optional_bytes("planned_operation")?.map(OperationId);
    let planned_until = row.optional_time("planned_until")?;
    Ok(DeviceRecord {
        key: key.ok_or_else(|| corrupt("public_key", "it is no Ed25519 key"))?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        label: label.map(|label| Text::new(label).map_err(|error| corrupt("label", error))).transpose()?,
        system: row.json("system")?,
        position: row.position("epoch", "sequence")?,
        seen: row.name("seen_counter", "seen_digest")?,
        highest: row.name("highest_counter", "highest_digest")?,
        cut: row.position("cut_epoch", "cut_sequence")?,
        retired: row.get("retired")?,
        case: case.zip(until).map(|(id, until)| OpenCase { id, until }),
        binding: row.optional_json("binding")?,
        planned: planned.zip(planned_until).map(|(operation, until)| PlannedChange { operation, until }),
        verdict: row.optional_json("verdict")?,
        lease_until: row.optional_time("lease_until")?,
        granted: row.optional_position("granted_epoch", "granted_sequence")?,
    })
}

pub fn model(name: &str) -> Reading<Model> {
    [Model::Perpetual, Model::Subscription, Model::Trial]
        .into_iter()
        .find(|model| model.name() == name)
        .ok_or_else(|| corrupt("model", format!("{name:?} is none")))
}

/// From a row of `license` joined with the names of organization and product.
pub fn license(row: &SqliteRow) -> Reading<License> {
    let row = Columns(row);
    let until = row.optional_time("not_after")?;
    let counted = row.optional("term")?.map(Duration);
    let started = row.optional_time("started_at")?;
    Ok(License {
        id: LicenseId(row.bytes("id")?),
        activation: ActivationId::from_bytes(row.bytes("activation_id")?),
        organization: row.text("organization_name")?,
        product: row.text("product_name")?,
        model: model(row.get("model")?)?,
        not_before: row.time("not_before")?,
        term: match (until, counted) {
            (Some(until), _) => Term::Until(until),
            (None, Some(length)) => Term::Counted { length, started },
            (None, None) => Term::Endless,
        },
        support_until: row.optional_time("support_until")?,
        quantity: row.small("quantity")?,
        devices: row.small("devices")?,
        withdrawn_at: row.optional_time("withdrawn_at")?,
        added_at: row.time("added_at")?,
    })
}

/// From the columns of `product`, each with this prefix: `product_`.
pub fn product(row: &SqliteRow) -> Reading<Product> {
    let row = Columns(row);
    Ok(Product {
        name: row.text("product_name")?,
        features: row.json("product_features")?,
        policy: row.json("product_policy")?,
        added_at: row.time("product_added_at")?,
    })
}

pub fn known(row: &SqliteRow) -> Reading<KnownRequest> {
    let row = Columns(row);
    let listed: &[u8] = row.get("listed")?;
    let entry = |bytes: &[u8; 40]| {
        let (counter, digest) = bytes.split_at(8);
        Ok(RequestName {
            counter: u64::from_be_bytes(fixed("listed", counter)?),
            digest: Digest(fixed("listed", digest)?),
        })
    };
    let (entries, rest) = listed.as_chunks::<40>();
    if !rest.is_empty() {
        return Err(corrupt("listed", "it is cut off"));
    }
    Ok(KnownRequest {
        name: RequestName { counter: row.number("counter")?, digest: Digest(row.bytes("digest")?) },
        previous: row.position("previous_epoch", "previous_sequence")?,
        previous_executed: row.number("previous_executed")?,
        speaks_from: row.number("speaks_from")?,
        listed: entries.iter().map(entry).collect::<Reading<_>>()?,
        executed: row.get("executed")?,
        lost: row.get("lost")?,
    })
}

pub fn listed(names: &[RequestName]) -> Vec<u8> {
    names.iter().flat_map(|name| name.counter.to_be_bytes().into_iter().chain(name.digest.0)).collect()
}

pub fn case(row: &SqliteRow) -> Reading<Case> {
    let row = Columns(row);
    Ok(Case {
        id: CaseId(row.bytes("id")?),
        device: DeviceId(row.bytes("device")?),
        fork: row.json("fork")?,
        counter: row.number("counter")?,
        opened_at: row.time("opened_at")?,
        until: row.time("until")?,
        resolved_at: row.optional_time("resolved_at")?,
    })
}
