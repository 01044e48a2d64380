//! `landfast history`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::Screen;
use crate::table::Table;
use crate::text::{seconds, time};
use landfast_client::Timestamp;
use landfast_client::api::{HistoryEntry, Rfc3339};

/// Options of `landfast history`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only from here on: 2026-11-22, 2026-11-22T03:31:00Z, or back from now: 7d, 12h, 30m.
    #[arg(long, value_name = "T")]
    since: Option<String>,
    /// At most so many entries, the newest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let since = match options.since.as_deref() {
        None => None,
        Some(text) => match seconds(text) {
            // Licensing time is what the entries are stamped with; the wall clock may say something else.
            Some(span) => {
                let status = context.status("history").await?;
                let now = status.issuers.iter().map(|issuer| issuer.licensing_time).max();
                now.map(|now| Rfc3339(Timestamp(now.0.0.saturating_sub(span))))
            }
            None => Some(text.parse::<Rfc3339>().map_err(|error| {
                let message = format!("--since: {error}");
                Failure::new("history", "bad_time", message, "or give a span back from now: 7d, 12h, 30m")
            })?),
        },
    };
    let history = context.agent.history(since, Some(options.limit), context.issuer.as_deref()).await;
    let history = history.map_err(|error| Failure::of("history", &error))?;
    Ok(Report::new(render(&history.entries, context.screen), &history))
}

fn render(entries: &[HistoryEntry], screen: &Screen) -> String {
    if entries.is_empty() {
        return "nothing happened\n".to_owned();
    }
    let mut table = Table::new(screen, &["WHEN", "ISSUER", "WHAT"]);
    for entry in entries {
        table.row([time(entry.at), entry.issuer.clone(), entry.message.clone()]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_entry() {
        let entry = HistoryEntry {
            issuer: "acme".to_owned(),
            at: Rfc3339(Timestamp(1_795_318_260)),
            code: "license_returned".to_owned(),
            message: "license abababab given back".to_owned(),
        };
        assert_eq!(
            render(&[entry], &Screen::plain()),
            "WHEN                  ISSUER  WHAT\n2026-11-22 03:31 UTC  acme    license abababab given back\n"
        );
    }
}
