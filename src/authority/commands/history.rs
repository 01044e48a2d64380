//! `landfast-authority history`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::{Report, table, time};
use crate::domain::history::{Chain, Entry, Link};
use crate::storage::sqlite::report;
use clap::{Args, Subcommand};
use landfast_protocol::Digest;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

/// Everything that happened, in order.
#[derive(Debug, Args)]
pub struct History {
    /// Show the newest entries only.
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: u32,
    #[command(subcommand)]
    command: Option<Verify>,
}

#[derive(Debug, Subcommand)]
enum Verify {
    /// Check that no entry was changed, removed or put in. Note the head it prints, and check against it later.
    Verify {
        /// A head that was noted earlier, as NUMBER:HASH; it must still be in the history.
        #[arg(long, value_name = "NUMBER:HASH", value_parser = noted)]
        noted: Option<(u64, Digest)>,
    },
}

fn noted(text: &str) -> Result<(u64, Digest), String> {
    let parts =
        text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash.parse().ok()?)));
    parts.ok_or_else(|| "write it as `history verify` printed it: NUMBER:HASH".to_owned())
}

impl History {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self.command {
            Some(Verify::Verify { noted }) => verify(&mut connection, noted).await,
            None => show(&mut connection, self.last).await,
        }
    }
}

/// Entries that are held in memory at a time.
const PAGE: u32 = 1000;

async fn verify(
    connection: &mut SqliteConnection,
    noted: Option<(u64, Digest)>,
) -> Result<Report, CommandError> {
    let mut chain = Chain::default();
    let broken = |why: String| CommandError::Refused(format!("the history was tampered with: {why}"));
    loop {
        let page = report::history(connection, chain.length, PAGE).await?;
        for link in &page {
            chain.follow(link).map_err(|error| broken(error.to_string()))?;
            if let Some((number, hash)) = noted.filter(|(number, _)| *number == link.number)
                && hash != link.hash
            {
                return Err(broken(format!("entry {number} is not the one that was noted")));
            }
        }
        if page.is_empty() {
            break;
        }
    }
    if let Some((number, _)) = noted.filter(|(number, _)| *number > chain.length) {
        return Err(broken(format!("entry {number} was noted, the last one now is {}", chain.length)));
    }
    let head = format!("{}:{}", chain.length, chain.head);
    let text = format!("{} entries, none changed\nhead {head}", chain.length);
    Ok(Report::new(text, json!({ "entries": chain.length, "head": head })))
}

async fn show(connection: &mut SqliteConnection, last: u32) -> Result<Report, CommandError> {
    let length = report::history_length(connection).await?;
    let links = report::history(connection, length.saturating_sub(last.into()), last).await?;
    let mut rows = Vec::new();
    let mut entries = Vec::new();
    for link in &links {
        rows.push(row(link)?);
        let mut entry: Value = serde_json::from_str(&link.text).unwrap_or_default();
        entry["number"] = link.number.into();
        entry["hash"] = link.hash.to_string().into();
        entries.push(entry);
    }
    let text = table(["#", "TIME", "WHO", "WHAT", "DETAILS"], rows, "nothing happened yet");
    Ok(Report::new(text, Value::Array(entries)))
}

fn row(link: &Link) -> Result<[String; 5], CommandError> {
    let unreadable =
        |_| CommandError::Input(format!("entry {} cannot be read; run `history verify`", link.number));
    let entry: Entry = serde_json::from_str(&link.text).map_err(unreadable)?;
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&entry.event) else {
        return Ok([
            link.number.to_string(),
            time(entry.at),
            entry.actor.to_string(),
            String::new(),
            String::new(),
        ]);
    };
    let what = fields.remove("event").unwrap_or_default();
    let details = fields.iter().map(|(name, value)| format!("{name}={}", shown(value)));
    let details = details.collect::<Vec<_>>().join(" ");
    let what = what.as_str().unwrap_or_default().replace('_', " ");
    Ok([link.number.to_string(), time(entry.at), entry.actor.to_string(), what, details])
}

/// Long ids by their first digits.
fn shown(value: &Value) -> String {
    match value {
        Value::String(id) if id.len() >= 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => {
            id[..8].to_owned()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
