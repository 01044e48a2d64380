//! A database of an earlier release is brought up to date, with what is in it.

use crate::support::*;
use landfast_authority::domain::catalog::ProductPolicy;
use landfast_authority::storage::Ledger;
use landfast_authority::storage::sqlite::{self, SqliteLedger, transaction};
use landfast_authority::storage::{StorageError, admin};
use landfast_protocol::Duration;

/// Undoes the second migration, as far as anything tells.
const BACK: [&str; 4] = [
    "ALTER TABLE device DROP COLUMN planned_operation",
    "ALTER TABLE device DROP COLUMN planned_until",
    "UPDATE product SET policy = json_remove(policy, '$.longest_planned_change')",
    "DELETE FROM _sqlx_migrations WHERE version = 2",
];

#[tokio::test]
async fn b8_products_from_before_planned_changes_allow_thirty_days() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("authority.db");
    sqlite::create(&path).await.unwrap();
    let mut connection = sqlite::connect(&path).await.unwrap();
    let mut old = strict_product("Safety");
    old.policy.longest_planned_change = Duration(0);
    let add = async |ledger: &mut SqliteLedger<'_>| admin::add_product(ledger, &act(), old.clone()).await;
    transaction(&mut connection, add).await.unwrap();
    for statement in BACK {
        sqlx::query(statement).execute(&mut connection).await.unwrap();
    }
    sqlite::close(connection).await.unwrap();

    let mut connection = sqlite::connect(&path).await.unwrap();
    let read = async |ledger: &mut SqliteLedger<'_>| ledger.product(&name("Safety")).await;
    let found = transaction::<_, StorageError>(&mut connection, read).await.unwrap().unwrap();
    let expected = ProductPolicy { longest_planned_change: Duration::days(30), ..old.policy };
    assert_eq!(found.policy, expected);
}
