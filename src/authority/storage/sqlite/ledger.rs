//! [`Ledger`] over a SQLite transaction.

use crate::domain::catalog::{License, Name, Organization, Product};
use crate::domain::device::DeviceRecord;
use crate::domain::exchange::LicenseFacts;
use crate::domain::fork::Known;
use crate::domain::history::Chain;
use crate::storage::sqlite::batch::Batch;
use crate::storage::sqlite::rows::{self, Columns, failed};
use crate::storage::sqlite::{facts, forks, reads, save};
use crate::storage::{Case, Changes, Ledger, Reads, StorageError};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Opened;
use landfast_protocol::{CaseId, DeviceId, Digest, LicenseId, OperationId};
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use std::collections::BTreeMap;

/// One transaction on SQLite. Whoever opened it commits it.
pub struct SqliteLedger<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    /// The end of the history. Read once: nobody else appends while the transaction lasts.
    pub(super) chain: Option<Chain>,
    over: bool,
}

impl<'c> SqliteLedger<'c> {
    /// `connection` is inside a transaction that began as a writing one.
    pub fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, chain: None, over: false }
    }

    /// SQLite gave the whole transaction up, or may have: nothing may be asked of it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a save back that failed half-way.
    pub(super) async fn undo(&mut self) {
        let mut batch = Batch::default();
        batch.push("ROLLBACK TO own").push("RELEASE own");
        // There is no savepoint if SQLite has rolled everything back by itself.
        self.over |= batch.run(self.connection).await.is_err();
    }

    pub(super) async fn one<'q>(
        &mut self,
        query: Query<'q, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<Option<SqliteRow>, StorageError> {
        let row = query.fetch_optional(&mut *self.connection).await;
        self.over |= row.is_err();
        row.map_err(failed("be read"))
    }

    /// The rows of each statement of a batch of reads.
    pub(super) async fn rows(&mut self, batch: Batch) -> Result<Vec<Vec<SqliteRow>>, StorageError> {
        let rows = batch.fetch(self.connection).await;
        self.over |= rows.is_err();
        rows
    }

    pub(super) async fn all<'q>(
        &mut self,
        query: Query<'q, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, StorageError> {
        let rows = query.fetch_all(&mut *self.connection).await;
        self.over |= rows.is_err();
        rows.map_err(failed("be read"))
    }
}

impl Ledger for SqliteLedger<'_> {
    async fn reads(&mut self, opened: &Opened) -> Result<Reads, StorageError> {
        reads::reads(self, opened).await
    }

    async fn epoch(&mut self) -> Result<u32, StorageError> {
        let row = self.one(sqlx::query("SELECT value FROM setting WHERE name = 'epoch'")).await?;
        let missing = || StorageError::Corrupt { what: "epoch", reason: "it is missing".to_owned() };
        rows::from_json("epoch", Columns(&row.ok_or_else(missing)?).get("value")?)
    }

    async fn archived(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query(
            "SELECT response FROM request WHERE digest = $1 \
             UNION ALL SELECT response FROM passing WHERE digest = $1 LIMIT 1",
        )
        .bind(&digest.0[..]);
        self.one(query).await?.map(|row| Columns(&row).get("response")).transpose()
    }

    async fn device(&mut self, id: &DeviceId) -> Result<Option<DeviceRecord>, StorageError> {
        let query = sqlx::query("SELECT * FROM device WHERE id = $1").bind(&id.0[..]);
        self.one(query).await?.map(|row| rows::device(&row)).transpose()
    }

    async fn grant(&mut self, device: &DeviceId) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query("SELECT frame FROM device_grant WHERE device = $1").bind(&device.0[..]);
        self.one(query).await?.map(|row| Columns(&row).get("frame")).transpose()
    }

    async fn known(&mut self, device: &DeviceRecord, opened: &Opened) -> Result<Known, StorageError> {
        forks::known(self, device, opened).await
    }

    async fn first_counter(&mut self, device: &DeviceId) -> Result<Option<u64>, StorageError> {
        let query = sqlx::query("SELECT MIN(counter) AS first FROM request WHERE device = $1");
        let row = self.one(query.bind(&device.0[..])).await?;
        row.map_or(Ok(None), |row| Columns(&row).optional("first"))
    }

    async fn results(
        &mut self,
        device: &DeviceId,
        operations: &[OperationId],
    ) -> Result<BTreeMap<OperationId, Outcome>, StorageError> {
        facts::results(self, device, operations).await
    }

    async fn licenses(
        &mut self,
        device: &DeviceId,
        named: &[LicenseId],
    ) -> Result<BTreeMap<LicenseId, LicenseFacts>, StorageError> {
        facts::licenses(self, device, named).await
    }

    async fn holders(&mut self, license: &LicenseId) -> Result<Vec<(DeviceId, u32)>, StorageError> {
        let query =
            sqlx::query("SELECT device, units FROM holding WHERE license = $1 AND units > 0 ORDER BY device");
        let rows = self.all(query.bind(&license.0[..])).await?;
        let holder = |row| Ok((DeviceId(Columns(row).bytes("device")?), Columns(row).get("units")?));
        rows.iter().map(holder).collect()
    }

    async fn license(&mut self, id: &LicenseId) -> Result<Option<License>, StorageError> {
        let query = sqlx::query(
            "SELECT l.*, o.name AS organization_name, p.name AS product_name FROM license l \
             JOIN organization o ON o.id = l.organization JOIN product p ON p.id = l.product WHERE l.id = $1",
        );
        self.one(query.bind(&id.0[..])).await?.map(|row| rows::license(&row)).transpose()
    }

    async fn organization(&mut self, name: &Name) -> Result<Option<Organization>, StorageError> {
        let query = sqlx::query("SELECT name, added_at FROM organization WHERE name = $1").bind(&**name);
        let row = self.one(query).await?;
        row.map(|row| {
            Ok(Organization { name: Columns(&row).text("name")?, added_at: Columns(&row).time("added_at")? })
        })
        .transpose()
    }

    async fn product(&mut self, name: &Name) -> Result<Option<Product>, StorageError> {
        let query = sqlx::query(
            "SELECT name AS product_name, features AS product_features, policy AS product_policy, \
             added_at AS product_added_at FROM product WHERE name = $1",
        );
        self.one(query.bind(&**name)).await?.map(|row| rows::product(&row)).transpose()
    }

    async fn case(&mut self, id: &CaseId) -> Result<Option<Case>, StorageError> {
        let query = sqlx::query("SELECT * FROM fork_case WHERE id = $1").bind(&id.0[..]);
        self.one(query).await?.map(|row| rows::case(&row)).transpose()
    }

    async fn save(&mut self, changes: Changes) -> Result<(), StorageError> {
        save::save(self, changes).await
    }
}
