//! `landfast rescan`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::text::{clean, thousandths};
use landfast_client::api::{Binding, Carriage, CommandRequest, Verb};

/// Options of `landfast rescan`.
#[derive(Debug, clap::Args)]
pub struct Options {}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let request = CommandRequest {
        command: Verb::Rescan,
        issuer: None,
        licenses: Vec::new(),
        all: false,
        dry_run: false,
        window_seconds: None,
        delivery: Carriage::Online,
    };
    let reply = context.agent.command(&request).await.map_err(|error| Failure::of("rescan", &error))?;
    let verdicts = context.agent.binding().await.map_err(|error| Failure::of("rescan", &error))?;
    let head = if reply.changed { "the verdict has changed\n" } else { "the verdict is as before\n" };
    let verdicts = verdicts.issuers.iter().filter(|binding| context.wants(&binding.issuer)).map(line);
    Ok(Report::new(format!("{head}{}", verdicts.collect::<String>()), &reply))
}

fn line(binding: &Binding) -> String {
    let (issuer, state) = (clean(&binding.issuer), clean(&binding.state));
    let advice =
        if binding.advice.is_empty() { String::new() } else { format!("; {}", clean(&binding.advice)) };
    format!("{issuer}: {state}, score {}{advice}\n", thousandths(binding.score_permille))
}
