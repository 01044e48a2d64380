//! `landfast-authority key`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::{Report, time};
use crate::home;
use crate::signer::Signer;
use clap::Subcommand;
use serde_json::{Value, json};

/// The key that signs answers.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Show the signing key and until when it may sign.
    Show,
    /// Make a new signing key, certified by root.key in the data directory. Devices need no change; `serve` takes it
    /// up when it is started again.
    Rotate,
}

impl Key {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let home = context.home()?;
        match self {
            Self::Show => {
                let signer = home.signer()?;
                Ok(Report::new(text(&signer), view(&signer)))
            }
            Self::Rotate => {
                let signer = home::rotate(&home, context.act().now, &context.entropy).await?;
                Ok(Report::new(format!("{}\nrestart `serve` to use it", text(&signer)), view(&signer)))
            }
        }
    }
}

fn text(signer: &Signer) -> String {
    let certificate = signer.certificate();
    let (from, to) = (time(certificate.not_before), time(certificate.not_after));
    format!("signing key {} of issuer {} may sign from {from} to {to}", certificate.key, certificate.issuer)
}

fn view(signer: &Signer) -> Value {
    let certificate = signer.certificate();
    json!({
        "issuer": certificate.issuer,
        "key": certificate.key,
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
    })
}
