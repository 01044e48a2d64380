//! What commands print: a text for people, JSON for programs.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use landfast_protocol::{Duration, Timestamp};
use serde_json::Value;
use std::io::Write as _;
use std::process::ExitCode;

/// The outcome of a command.
#[derive(Debug)]
pub struct Report {
    text: String,
    json: Value,
}

impl Report {
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json }
    }

    /// Prints it. A reader that went away is no error.
    pub fn print(&self, json: bool) -> ExitCode {
        let mut out = std::io::stdout().lock();
        let text = if json { self.json.to_string() } else { self.text.trim_end().to_owned() };
        if !text.is_empty() {
            let _ = writeln!(out, "{text}");
        }
        ExitCode::SUCCESS
    }
}

/// A table for people; `none` stands in place of an empty one.
pub fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header).add_rows(rows);
    table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

/// In UTC, as RFC 3339.
pub fn time(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{} seconds since 1970", at.0), |at| at.to_string())
}

/// A time, or a dash.
pub fn optional_time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), time)
}

/// A date or a time, as RFC 3339; a date is its first instant in UTC.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let date =
        || text.parse::<jiff::civil::Date>()?.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp());
    let at = text.parse::<jiff::Timestamp>().or_else(|_| date());
    at.ok()
        .and_then(|at| u64::try_from(at.as_second()).ok())
        .map(Timestamp)
        .ok_or_else(|| "write a date like 2027-12-31, or a time like 2027-12-31T12:00:00Z".to_owned())
}

/// A number of days: `365d`, or plain `365`.
pub fn parse_days(text: &str) -> Result<Duration, String> {
    let days: Option<u64> = text.strip_suffix('d').unwrap_or(text).parse().ok();
    days.filter(|days| (1..=36_500).contains(days))
        .map(Duration::days)
        .ok_or_else(|| "write a number of days from 1 to 36500, like 365d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_in_utc() {
        assert_eq!(parse_time("1970-01-02"), Ok(Timestamp(86_400)));
        assert_eq!(parse_time("1970-01-02T01:00:00+01:00"), Ok(Timestamp(86_400)));
        assert!(parse_time("1969-01-01").is_err() && parse_time("soon").is_err());
        assert_eq!(time(Timestamp(86_400)), "1970-01-02T00:00:00Z");
    }

    #[test]
    fn terms_are_days() {
        assert_eq!(parse_days("365d"), Ok(Duration::days(365)));
        assert_eq!(parse_days("30"), Ok(Duration::days(30)));
        assert!(parse_days("0d").is_err() && parse_days("1y").is_err());
    }
}
