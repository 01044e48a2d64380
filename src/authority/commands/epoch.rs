//! `landfast-authority epoch`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::Report;
use crate::storage::sqlite::transaction;
use crate::storage::{Ledger as _, admin};
use clap::Subcommand;
use serde_json::json;

/// What to do after the database was restored from a backup.
#[derive(Debug, Subcommand)]
pub enum Epoch {
    /// Show the epoch of the database.
    Show,
    /// Begin a new epoch: run this once, before `serve`, after the database was restored from a backup. Devices hold
    /// grants that the backup does not know; grants of the new epoch go before those.
    Raise {
        /// To this epoch, if devices report an even higher one than the next.
        #[arg(long, value_name = "EPOCH")]
        to: Option<u32>,
    },
}

impl Epoch {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::Show => {
                let epoch = transaction(&mut connection, async |ledger| ledger.epoch().await).await?;
                Ok(Report::new(format!("epoch {epoch}"), json!({ "epoch": epoch })))
            }
            Self::Raise { to } => {
                let act = context.act();
                let (from, to) =
                    transaction(&mut connection, async |ledger| admin::raise_epoch(ledger, &act, to).await)
                        .await?;
                Ok(Report::new(
                    format!("epoch {from} ended, epoch {to} begins"),
                    json!({ "from": from, "to": to }),
                ))
            }
        }
    }
}
