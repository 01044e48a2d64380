//! `landfast-authority init`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::Report;
use crate::home::{Address, Setup};
use clap::Args;
use serde_json::json;

/// Set up an authority in an empty directory.
#[derive(Debug, Args)]
pub struct Init {
    /// The vendor, in a word: a-z, 0-9 and -. It names the issuer on devices.
    #[arg(long)]
    name: String,
    /// Where devices find the authority: https://HOST:PORT. May be given several times.
    #[arg(long, required = true, value_name = "URL")]
    address: Vec<Address>,
    /// Another host name or IP address that the TLS certificate is good for.
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
}

impl Init {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let setup = Setup { name: self.name.clone(), addresses: self.address, tls_names: self.tls_name };
        let (home, file) = setup.run(&context.data, &context.act(), &context.entropy).await?;
        let issuer_file = home.issuer_file(&self.name);
        let (data, path) = (context.data.display(), issuer_file.display());
        let text = format!(
            "issuer {} ({}) is set up in {data}\n\
             - give {path} to the administrators of devices: it goes to /etc/landfast/issuers.d/\n\
             - keep a copy of {data}/root.key in a safe place; for daily work it may be away\n\
             - next: landfast-authority --data {data} organization add NAME",
            file.name, file.id
        );
        Ok(Report::new(
            text,
            json!({ "name": file.name, "id": file.id, "roots": file.roots, "issuer_file": issuer_file }),
        ))
    }
}
