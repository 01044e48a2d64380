//! `landfast reclaim`

use super::outcome::{Told, tell};
use super::{Context, delivery};
use crate::failure::Failure;
use crate::report::Report;
use landfast_client::api::{CommandRequest, Verb};

/// Options of `landfast reclaim`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    delivery: delivery::ByHand,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let carrier = options.delivery.open("reclaim")?;
    let request = CommandRequest {
        command: Verb::Reclaim,
        issuer: context.issuer.clone(),
        licenses: Vec::new(),
        all: false,
        dry_run: false,
        window_seconds: None,
        delivery: carrier.kind(),
    };
    let reply = match context.agent.command(&request).await {
        Ok(reply) => reply,
        Err(error) => {
            carrier.abandon();
            return Err(Failure::of("reclaim", &error));
        }
    };
    let by_hand = options.delivery.by_hand();
    let mut report = tell(&reply, &Told { held: &[], named: &|_| None, by_hand });
    if !by_hand {
        let news =
            if reply.changed { "the latest license information is here" } else { "nothing has changed" };
        report.text.push_str(&format!("{news}; see `landfast licenses`\n"));
    }
    Ok(delivery::tell(report, carrier.keep(&reply)?.as_deref()))
}
