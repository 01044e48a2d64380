//! `landfast plan-change`

use super::outcome::{Told, tell};
use super::{Context, delivery};
use crate::failure::Failure;
use crate::report::Report;
use crate::text::{clean, distance, seconds, time};
use landfast_client::api::{CommandRequest, PlannedChange, Rfc3339, Status, Verb};

/// Options of `landfast plan-change`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long it may take until the swap: 7d, 12h, 30m. The vendor decides how long at most.
    #[arg(long, value_name = "SPAN", value_parser = window)]
    window: u64,
    #[command(flatten)]
    delivery: delivery::ByHand,
}

fn window(text: &str) -> Result<u64, &'static str> {
    seconds(text).filter(|window| *window > 0).ok_or("write days, hours or minutes: 7d, 12h, 30m")
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let carrier = options.delivery.open("plan-change")?;
    let request = CommandRequest {
        command: Verb::PlanChange,
        issuer: context.issuer.clone(),
        licenses: Vec::new(),
        all: false,
        dry_run: false,
        window_seconds: Some(options.window),
        delivery: carrier.kind(),
    };
    let reply = match context.agent.command(&request).await {
        Ok(reply) => reply,
        Err(error) => {
            carrier.abandon();
            return Err(Failure::of("plan-change", &error));
        }
    };
    let by_hand = options.delivery.by_hand();
    let mut report = tell(&reply, &Told { held: &[], named: &|_| None, by_hand });
    if !by_hand {
        // Only to show until when; the results stand without it.
        let status = context.agent.status().await.unwrap_or_default();
        let done = |issuer: &str| reply.results.iter().any(|r| r.issuer == issuer && r.outcome == "done");
        report.text.push_str(&windows(&status, done));
    }
    Ok(delivery::tell(report, carrier.keep(&reply)?.as_deref()))
}

fn windows(status: &Status, done: impl Fn(&str) -> bool) -> String {
    let issuers = status.issuers.iter().filter(|issuer| done(&issuer.name));
    let line = |issuer: &landfast_client::api::IssuerStatus| {
        let plan = issuer.planned_change?;
        Some(format!("{}: open {}\n", clean(&issuer.name), sentence(&plan, issuer.licensing_time)))
    };
    issuers.filter_map(line).collect()
}

/// How it stands with a planned change.
pub(crate) fn sentence(plan: &PlannedChange, now: Rfc3339) -> String {
    match plan.used_at {
        Some(at) => format!("used up: this hardware was taken over {}", time(at)),
        None => format!(
            "until {} ({}): the next hardware change is taken over, once",
            time(plan.until),
            distance(plan.until, now)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::{OperationId, Timestamp};

    #[test]
    fn a_window_has_some_time() {
        assert_eq!(window("7d"), Ok(604_800));
        for wrong in ["0d", "7", "", "-1d", "2026-11-22"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn b8_an_open_window_and_a_used_one() {
        let now = Rfc3339(Timestamp(1_795_318_260));
        let until = Rfc3339(Timestamp(1_795_318_260 + 604_800));
        let open = PlannedChange { operation: OperationId([1; 16]), until, used_at: None };
        assert_eq!(
            sentence(&open, now),
            "until 2026-11-29 03:31 UTC (in 7 days): the next hardware change is taken over, once"
        );
        assert_eq!(
            sentence(&PlannedChange { used_at: Some(now), ..open }, now),
            "used up: this hardware was taken over 2026-11-22 03:31 UTC"
        );
    }
}
