//! Statements that go to the database together.
//!
//! SQLite runs on a thread of its own. Each statement on its own costs the way there and back, which takes longer than
//! the statement does; a batch costs it once.

use crate::storage::sqlite::rows::{Reading, failed};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};
use std::fmt::Write;

/// Values of one batch above which its text is not kept for the next one: there are too many different ones.
const KEPT: usize = 256;

/// Statements and their values, in order. Each statement counts its values from `$1`.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    values: SqliteArguments,
    count: usize,
    error: Option<sqlx::Error>,
}

impl Batch {
    /// One more statement; its values follow.
    pub fn push(&mut self, statement: &str) -> &mut Self {
        let mut parts = statement.split('$');
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let number: usize = part[..end].parse().unwrap_or_default();
            let _ = write!(self.text, "${}{}", self.count + number, &part[end..]);
        }
        self.text.push_str(";\n");
        self
    }

    /// One more statement that inserts `rows` rows of `width` values.
    pub fn push_rows(&mut self, insert: &str, rows: usize, width: usize) -> &mut Self {
        let row = |row: usize| {
            let values = (1..=width).map(|column| format!("${}", row * width + column));
            format!("({})", values.collect::<Vec<_>>().join(", "))
        };
        let values = (0..rows).map(row).collect::<Vec<_>>().join(", ");
        self.push(&format!("{insert} VALUES {values}"))
    }

    /// The next value of the newest statement.
    pub fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.values.add(value) {
            self.error.get_or_insert(sqlx::Error::Encode(error));
        }
        self.count += 1;
        self
    }

    /// Runs all of them, up to the first that fails.
    pub async fn run(self, connection: &mut SqliteConnection) -> Reading<()> {
        if let Some(error) = self.error {
            return Err(failed("be written")(error));
        }
        let keep = self.count <= KEPT;
        let query = sqlx::query_with(AssertSqlSafe(self.text), self.values).persistent(keep);
        query.execute(connection).await.map(|_| ()).map_err(failed("be written"))
    }
}
