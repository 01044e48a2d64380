//! Statements that go to the database together.
//!
//! SQLite runs on a thread of its own. Each statement on its own costs the way there and back, which takes longer than
//! the statement does; a batch costs it once. That one query may hold several statements is a trait of sqlx's SQLite driver,
//! which no other part of the authority knows of.

use crate::storage::sqlite::rows::{Reading, failed};
use futures_util::StreamExt;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Either, Encode, Executor, Sqlite, SqliteConnection, Type};
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
        let values = (0..rows).map(|row| list(width, row * width + 1)).collect::<Vec<_>>().join(", ");
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

    /// The next values of the newest statement.
    pub fn bind_all<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, values: impl Iterator<Item = T>) {
        for value in values {
            self.bind(value);
        }
    }

    /// Runs all of them, up to the first that fails.
    pub async fn run(self, connection: &mut SqliteConnection) -> Reading<()> {
        let query = self.query("be written")?;
        query.execute(connection).await.map(|_| ()).map_err(failed("be written"))
    }

    /// Runs all of them, and gives the rows of each.
    pub async fn fetch(self, connection: &mut SqliteConnection) -> Reading<Vec<Vec<SqliteRow>>> {
        let query = self.query("be read")?;
        let mut answers = Executor::fetch_many(connection, query);
        let mut all = vec![Vec::new()];
        while let Some(answer) = answers.next().await {
            match (answer.map_err(failed("be read"))?, all.last_mut()) {
                (Either::Right(row), Some(rows)) => rows.push(row),
                _ => all.push(Vec::new()),
            }
        }
        all.pop();
        Ok(all)
    }

    /// How SQLite would go about each statement.
    #[cfg(test)]
    pub async fn plan(self, connection: &mut SqliteConnection) -> Vec<String> {
        let mut steps = Vec::new();
        for statement in self.text.split_terminator(";\n") {
            let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let rows =
                sqlx::query_with(explained, self.values.clone()).fetch_all(&mut *connection).await.unwrap();
            steps.extend(rows.iter().map(|row| sqlx::Row::get::<String, _>(row, "detail")));
        }
        steps
    }

    fn query(self, operation: &'static str) -> Reading<Query<'static, Sqlite, SqliteArguments>> {
        match self.error {
            Some(error) => Err(failed(operation)(error)),
            None => {
                let keep = self.count <= KEPT;
                Ok(sqlx::query_with(AssertSqlSafe(self.text), self.values).persistent(keep))
            }
        }
    }
}

/// So many placeholders, counted from `first`: `($3, $4)`. A list of nothing holds NULL, which nothing equals: SQLite uses
/// no index for `x IN () OR …`.
pub fn list(values: usize, first: usize) -> String {
    if values == 0 {
        return "(NULL)".to_owned();
    }
    let values = (first..first + values).map(|number| format!("${number}"));
    format!("({})", values.collect::<Vec<_>>().join(", "))
}
