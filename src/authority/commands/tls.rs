//! `landfast-authority tls`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::Report;
use crate::home::{Address, renew_certificate};
use clap::Subcommand;
use serde_json::json;

/// The certificate that `serve` shows.
#[derive(Debug, Subcommand)]
pub enum Tls {
    /// Make a new server certificate under the CA in the issuer file. Devices need no change; `serve` takes it up
    /// when it is started again.
    Renew {
        /// The addresses that devices use.
        #[arg(long, required = true, value_name = "URL")]
        address: Vec<Address>,
        /// Another host name or IP address that it is good for.
        #[arg(long, value_name = "NAME")]
        tls_name: Vec<String>,
    },
}

impl Tls {
    pub fn run(self, context: &Context) -> Result<Report, CommandError> {
        let Self::Renew { address, tls_name } = self;
        let mut hosts: Vec<_> = address.into_iter().map(|address| address.host).chain(tls_name).collect();
        hosts.sort();
        hosts.dedup();
        let home = context.home()?;
        renew_certificate(&home, &hosts, context.act().now)?;
        let text = format!("made a certificate for {}; restart `serve` to use it", hosts.join(", "));
        Ok(Report::new(text, json!({ "names": hosts, "certificate": home.tls_files().0 })))
    }
}
