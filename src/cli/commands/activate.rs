//! `landfast activate ID...`

use super::outcome::{Told, tell};
use super::{Context, delivery};
use crate::failure::Failure;
use crate::ids;
use crate::report::Report;
use landfast_client::api::{CommandRequest, LicenseChoice, Verb};

/// Options of `landfast activate`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Activation ids as the vendor gave them; - reads them from standard input.
    ///
    /// They are secrets, and arguments are seen by other users of this machine while the command runs.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Units of each license; the license's usual share unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    quantity: Option<u32>,
    #[command(flatten)]
    delivery: delivery::ByHand,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let ids = ids::activation("activate", &ids::gather("activate", &options.ids)?)?;
    let status = context.status("activate").await?;
    let issuers: Vec<_> = status.issuers.iter().map(|issuer| issuer.id).collect();
    let carrier = options.delivery.open("activate")?;
    let request = CommandRequest {
        command: Verb::Activate,
        issuer: context.issuer.clone(),
        licenses: ids
            .iter()
            .map(|id| LicenseChoice { id: id.reveal(), quantity: options.quantity })
            .collect(),
        all: false,
        dry_run: false,
        window_seconds: None,
        delivery: carrier.kind(),
    };
    let reply = match context.agent.command(&request).await {
        Ok(reply) => reply,
        Err(error) => {
            carrier.abandon();
            return Err(Failure::of("activate", &error));
        }
    };
    // Only to show terms; the results stand without it.
    let held = context.agent.licenses().await.unwrap_or_default().licenses;
    let by_hand = options.delivery.by_hand();
    let named = |license: &_| ids::find(&ids, &issuers, license);
    let report = tell(&reply, &Told { held: &held, named: &named, by_hand });
    Ok(delivery::tell(report, carrier.keep(&reply)?.as_deref()))
}
