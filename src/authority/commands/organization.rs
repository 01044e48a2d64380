//! `landfast-authority organization`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::{Report, table, time};
use crate::domain::catalog::Name;
use crate::storage::admin::add_organization;
use crate::storage::sqlite::{report, transaction};
use clap::Subcommand;
use serde_json::{Value, json};

/// Customers.
#[derive(Debug, Subcommand)]
pub enum Organization {
    /// Add a customer.
    Add {
        /// Its name, unique here.
        #[arg(value_parser = name)]
        name: Name,
    },
    /// List all customers.
    List,
}

/// A name that fits.
pub fn name(text: &str) -> Result<Name, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a name cannot be empty".to_owned());
    }
    Name::new(text).map_err(|error| format!("a name has at most 64 bytes and no control characters: {error}"))
}

impl Organization {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::Add { name } => {
                let act = context.act();
                let added = name.clone();
                transaction(&mut connection, async |ledger| add_organization(ledger, &act, added).await)
                    .await?;
                Ok(Report::new(format!("added organization {name}"), json!({ "organization": name })))
            }
            Self::List => {
                let organizations = report::organizations(&mut connection).await?;
                let rows = organizations.iter().map(|(organization, licenses)| {
                    [organization.name.to_string(), licenses.to_string(), time(organization.added_at)]
                });
                let none = "no organizations yet; add one with `landfast-authority organization add NAME`";
                let text = table(["ORGANIZATION", "LICENSES", "ADDED"], rows.collect(), none);
                let json = organizations.iter().map(|(organization, licenses)| {
                    let added = time(organization.added_at);
                    json!({ "organization": organization.name, "licenses": licenses, "added_at": added })
                });
                Ok(Report::new(text, Value::Array(json.collect())))
            }
        }
    }
}
