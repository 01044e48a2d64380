//! Lists for people and programs. They read; they decide nothing.

use crate::domain::catalog::{License, Organization, Product};
use crate::domain::device::DeviceRecord;
use crate::domain::history::{Entry, Event, Link};
use crate::storage::sqlite::rows::{self, Columns, Reading, failed, number};
use crate::storage::{Case, StorageError};
use landfast_protocol::{DeviceId, Digest, IssuerId, LicenseId, Text};
use sqlx::SqliteConnection;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};

async fn all(
    connection: &mut SqliteConnection,
    query: Query<'_, sqlx::Sqlite, SqliteArguments>,
) -> Reading<Vec<SqliteRow>> {
    query.fetch_all(connection).await.map_err(failed("be read"))
}

/// Every customer, by name, with the number of its licenses.
pub async fn organizations(connection: &mut SqliteConnection) -> Reading<Vec<(Organization, u64)>> {
    let query = sqlx::query(
        "SELECT name, added_at, (SELECT COUNT(*) FROM license l WHERE l.organization = o.id) AS licenses \
         FROM organization o ORDER BY name",
    );
    let organization = |row| {
        let row = Columns(row);
        let organization = Organization { name: row.text("name")?, added_at: row.time("added_at")? };
        Ok((organization, row.number("licenses")?))
    };
    all(connection, query).await?.iter().map(organization).collect()
}

/// Every product, by name.
pub async fn products(connection: &mut SqliteConnection) -> Reading<Vec<Product>> {
    let query = sqlx::query(
        "SELECT name AS product_name, features AS product_features, policy AS product_policy, \
         added_at AS product_added_at FROM product ORDER BY name",
    );
    all(connection, query).await?.iter().map(rows::product).collect()
}

/// A license with what is held of it.
#[derive(Clone, Debug)]
pub struct Held {
    /// As sold.
    pub license: License,
    /// Units that devices hold.
    pub units: u32,
    /// Devices that hold units.
    pub devices: u32,
}

/// Every license, the newest last.
pub async fn licenses(connection: &mut SqliteConnection) -> Reading<Vec<Held>> {
    let query = sqlx::query(
        "SELECT l.*, o.name AS organization_name, p.name AS product_name, COALESCE(h.units, 0) AS held_units, \
         COALESCE(h.devices, 0) AS held_devices FROM license l JOIN organization o ON o.id = l.organization \
         JOIN product p ON p.id = l.product LEFT JOIN (SELECT license, SUM(units) AS units, COUNT(*) AS devices \
         FROM holding WHERE units > 0 GROUP BY license) h ON h.license = l.id ORDER BY l.added_at, l.id",
    );
    let held = |row| {
        let columns = Columns(row);
        let (units, devices) = (columns.small("held_units")?, columns.small("held_devices")?);
        Ok(Held { license: rows::license(row)?, units, devices })
    };
    all(connection, query).await?.iter().map(held).collect()
}

/// A device that holds units of a license.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its id.
    pub device: DeviceId,
    /// The name that its administrator chose.
    pub label: Option<Text<64>>,
    /// Units.
    pub units: u32,
}

/// Who holds a license.
pub async fn holders(connection: &mut SqliteConnection, license: &LicenseId) -> Reading<Vec<Holder>> {
    let query = sqlx::query(
        "SELECT h.device, h.units, d.label FROM holding h JOIN device d ON d.id = h.device \
         WHERE h.license = $1 AND h.units > 0 ORDER BY h.device",
    )
    .bind(license.0.to_vec());
    let holder = |row| {
        let row = Columns(row);
        let label: Option<String> = row.get("label")?;
        let label = label.map(|label| Text::lossy(&label));
        Ok(Holder { device: DeviceId(row.bytes("device")?), label, units: row.small("units")? })
    };
    all(connection, query).await?.iter().map(holder).collect()
}

/// Every device, the newest last, with the number of licenses it holds.
pub async fn devices(connection: &mut SqliteConnection) -> Reading<Vec<(DeviceRecord, u64)>> {
    let query = sqlx::query(
        "SELECT d.*, (SELECT COUNT(*) FROM holding h WHERE h.device = d.id AND h.units > 0) AS licenses \
         FROM device d ORDER BY first_seen, id",
    );
    let device = |row| Ok((rows::device(row)?, Columns(row).number("licenses")?));
    all(connection, query).await?.iter().map(device).collect()
}

/// What a device holds, with the units.
pub async fn holdings(connection: &mut SqliteConnection, device: &DeviceId) -> Reading<Vec<(License, u32)>> {
    let query = sqlx::query(
        "SELECT l.*, o.name AS organization_name, p.name AS product_name, h.units AS held_units FROM holding h \
         JOIN license l ON l.id = h.license JOIN organization o ON o.id = l.organization \
         JOIN product p ON p.id = l.product WHERE h.device = $1 AND h.units > 0 ORDER BY l.id",
    )
    .bind(device.0.to_vec());
    let holding = |row| Ok((rows::license(row)?, Columns(row).small("held_units")?));
    all(connection, query).await?.iter().map(holding).collect()
}

/// Every case, the newest last.
pub async fn cases(connection: &mut SqliteConnection) -> Reading<Vec<Case>> {
    let query = sqlx::query("SELECT * FROM fork_case ORDER BY opened_at, id");
    all(connection, query).await?.iter().map(rows::case).collect()
}

/// The history after an entry, in order, at most `limit` entries.
pub async fn history(connection: &mut SqliteConnection, after: u64, limit: u32) -> Reading<Vec<Link>> {
    let query =
        sqlx::query("SELECT number, entry, hash FROM history WHERE number > $1 ORDER BY number LIMIT $2")
            .bind(number(after))
            .bind(limit);
    let link = |row| {
        let row = Columns(row);
        Ok(Link { number: row.number("number")?, text: row.get("entry")?, hash: Digest(row.bytes("hash")?) })
    };
    all(connection, query).await?.iter().map(link).collect()
}

/// For whom the database was made, by the first entry of its history.
pub async fn issuer(connection: &mut SqliteConnection) -> Reading<IssuerId> {
    let first = history(connection, 0, 1).await?;
    let entry = first.first().map(|link| rows::from_json::<Entry>("history", &link.text)).transpose()?;
    match entry.map(|entry| entry.event) {
        Some(Event::Initialized { issuer, .. }) => Ok(issuer),
        _ => Err(StorageError::Corrupt {
            what: "history",
            reason: "its first entry does not say whose database this is".to_owned(),
        }),
    }
}

/// The number of the newest entry of the history.
pub async fn history_length(connection: &mut SqliteConnection) -> Reading<u64> {
    let rows = all(connection, sqlx::query("SELECT COALESCE(MAX(number), 0) AS length FROM history")).await?;
    rows.first().map_or(Ok(0), |row| Columns(row).number("length"))
}

/// Ids of a table whose hexadecimal form starts with `digits`; two at most.
async fn starting<const N: usize>(
    connection: &mut SqliteConnection,
    query: &'static str,
    digits: &str,
) -> Reading<Vec<[u8; N]>> {
    let Some((low, high)) = range::<N>(digits) else { return Ok(Vec::new()) };
    let query = sqlx::query(query).bind(low.to_vec()).bind(high.to_vec());
    all(connection, query).await?.iter().map(|row| Columns(row).bytes("id")).collect()
}

/// Licenses whose id starts with these hexadecimal digits; two at most, enough to see that it is not unique.
pub async fn licenses_starting(connection: &mut SqliteConnection, digits: &str) -> Reading<Vec<LicenseId>> {
    let query = "SELECT id FROM license WHERE id BETWEEN $1 AND $2 LIMIT 2";
    Ok(starting(connection, query, digits).await?.into_iter().map(LicenseId).collect())
}

/// Devices whose id starts with these hexadecimal digits; two at most.
pub async fn devices_starting(connection: &mut SqliteConnection, digits: &str) -> Reading<Vec<DeviceId>> {
    let query = "SELECT id FROM device WHERE id BETWEEN $1 AND $2 LIMIT 2";
    Ok(starting(connection, query, digits).await?.into_iter().map(DeviceId).collect())
}

/// The lowest and the highest id that starts with `digits`.
fn range<const N: usize>(digits: &str) -> Option<([u8; N], [u8; N])> {
    let (mut low, mut high) = ([0; N], [255; N]);
    if digits.is_empty() || digits.len() > N * 2 {
        return None;
    }
    for (at, digit) in digits.chars().enumerate() {
        let digit = u8::try_from(digit.to_digit(16)?).ok()?;
        let (shift, kept) = if at % 2 == 0 { (4, 0x0f) } else { (0, 0xf0) };
        low[at / 2] = (low[at / 2] & kept) | (digit << shift);
        high[at / 2] = (high[at / 2] & kept) | (digit << shift);
    }
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn a_prefix_spans_every_id_that_starts_with_it() {
        assert_eq!(range::<2>("a"), Some(([0xa0, 0], [0xaf, 0xff])));
        assert_eq!(range::<2>("a1B"), Some(([0xa1, 0xb0], [0xa1, 0xbf])));
        assert_eq!(range::<2>("a1b2"), Some(([0xa1, 0xb2], [0xa1, 0xb2])));
        assert_eq!(range::<2>(""), None);
        assert_eq!(range::<2>("x"), None);
        assert_eq!(range::<2>("a1b2c"), None);
    }
}
