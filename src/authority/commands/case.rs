//! `landfast-authority case`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::{Report, table, time};
use crate::storage::sqlite::{report, transaction};
use crate::storage::{self, admin};
use clap::Subcommand;
use landfast_protocol::CaseId;
use serde_json::{Value, json};

/// Forked histories.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// List all cases.
    List,
    /// Let the device's history go on from here. What its copies asked for before is not executed; whichever asks
    /// next goes on. Make sure first that only one of them is left.
    Resolve {
        /// The case's number.
        case: CaseId,
    },
}

impl Case {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::List => {
                let cases = report::cases(&mut connection).await?;
                let rows = cases.iter().map(|case| {
                    let state = if case.resolved_at.is_some() { "resolved" } else { "open" };
                    let (opened, until) = (time(case.opened_at), time(case.until));
                    [
                        case.id.to_string(),
                        case.device.short(),
                        state.to_owned(),
                        opened,
                        until,
                        case.fork.explain(),
                    ]
                });
                let header = ["CASE", "DEVICE", "STATE", "OPENED", "GRACE UNTIL", "WHAT SHOWED IT"];
                let text = table(header, rows.collect(), "no case was ever opened");
                Ok(Report::new(text, Value::Array(cases.iter().map(view).collect())))
            }
            Self::Resolve { case } => {
                let act = context.act();
                let resolved =
                    transaction(&mut connection, async |ledger| admin::resolve(ledger, &act, &case).await)
                        .await?;
                let text = format!("case {case} is resolved; device {} goes on", resolved.device.short());
                Ok(Report::new(text, view(&resolved)))
            }
        }
    }
}

fn view(case: &storage::Case) -> Value {
    json!({
        "case": case.id,
        "device": case.device,
        "counter": case.counter,
        "fork": case.fork,
        "explanation": case.fork.explain(),
        "opened_at": time(case.opened_at),
        "grace_until": time(case.until),
        "resolved_at": case.resolved_at.map(time),
    })
}
