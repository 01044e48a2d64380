//! `landfast doctor`: from the socket to the authority, each with the next step where it is not as it should be.

mod findings;
mod socket;

use self::findings::{Finding, State};
use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::{Mood, Screen};
use crate::text::clean;
use serde_json::json;

/// Options of `landfast doctor`.
#[derive(Debug, clap::Args)]
pub struct Options {}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let mut found = socket::examine(context.agent.socket());
    let mut exit = Exit::Done;
    match ask(context).await {
        Ok((status, verdicts)) => {
            found.push(Finding::ok("agent", "answers"));
            found.extend(findings::examine(&status, &verdicts, env!("CARGO_PKG_VERSION")));
        }
        Err(failure) => {
            exit = failure.exit;
            found.push(Finding::new(State::Fail, "agent", failure.message, failure.advice));
        }
    }
    if found.iter().any(|finding| finding.state == State::Fail) {
        exit = exit.worse(Exit::Denied);
    }
    let report = Report::new(render(&found, context.screen), &json!({ "findings": found }));
    Ok(report.exit(exit))
}

type Answers = (landfast_client::api::Status, landfast_client::api::Bindings);

async fn ask(context: &Context<'_>) -> Result<Answers, Failure> {
    let failed = |error: &landfast_client::Error| Failure::of("doctor", error);
    context.agent.health().await.map_err(|error| failed(&error))?;
    let status = context.status("doctor").await?;
    let mut verdicts = context.agent.binding().await.map_err(|error| failed(&error))?;
    verdicts.issuers.retain(|binding| context.wants(&binding.issuer));
    Ok((status, verdicts))
}

fn render(found: &[Finding], screen: &Screen) -> String {
    let mut text = String::new();
    for finding in found {
        let word = match finding.state {
            State::Ok => screen.paint(Mood::Good, "OK  "),
            State::Warn => screen.paint(Mood::Warning, "WARN"),
            State::Fail => screen.paint(Mood::Bad, "FAIL"),
        };
        text.push_str(&format!("{word}  {}: {}\n", clean(&finding.name), clean(&finding.message)));
        if !finding.advice.is_empty() {
            text.push_str(&format!("      next: {}\n", clean(&finding.advice)));
        }
    }
    text
}

#[cfg(test)]
mod tests;
