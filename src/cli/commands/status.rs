//! `landfast status`: what an administrator reads at 3 a.m.

mod endings;
mod trouble;

use self::endings::Ending;
use self::trouble::{Level, Trouble};
use super::{Context, plan_change};
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::{Mood, Screen};
use crate::table::Table;
use crate::text::{clean, count, distance, thousandths, time};
use landfast_client::api::{Check, IssuerStatus, License, Status};

/// Options of `landfast status`.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// More endings than this are a matter for `landfast licenses`.
const MAX_ENDINGS: usize = 8;

/// Everything that the page is made of.
struct Page {
    status: Status,
    checks: Vec<Check>,
    licenses: Vec<License>,
}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let failed = |error: &landfast_client::Error| Failure::of("status", error);
    let status = context.status("status").await?;
    let mut checks = context.agent.entitlements().await.map_err(|error| failed(&error))?.entitlements;
    let mut licenses = context.agent.licenses().await.map_err(|error| failed(&error))?.licenses;
    checks.retain(|check| check.issuer.as_deref().is_none_or(|issuer| context.wants(issuer)));
    licenses.retain(|license| context.wants(&license.issuer));
    let page = Page { status, checks, licenses };
    Ok(Report::new(render(&page, context.screen), &page.status))
}

fn render(page: &Page, screen: &Screen) -> String {
    let troubles = trouble::find(page);
    let mut text = headline(page, &troubles, screen);
    for trouble in &troubles {
        text.push_str(&format!("- {}\n", clean(&trouble.what)));
        if !trouble.next.is_empty() {
            text.push_str(&format!("  next: {}\n", clean(&trouble.next)));
        }
    }
    for issuer in &page.status.issuers {
        text.push_str(&format!("\nissuer {}\n", clean(&issuer.name)));
        text.push_str(&facts(issuer));
    }
    text.push_str(&ends(&endings::find(page), screen));
    let Status { version, trust, .. } = &page.status;
    text.push_str(&format!("\nlandfastd {}, trust: {}\n", clean(version), clean(trust)));
    text
}

/// The state in one line, before anything else.
fn headline(page: &Page, troubles: &[Trouble], screen: &Screen) -> String {
    let worst = troubles.iter().map(|trouble| trouble.level).max();
    match worst {
        Some(Level::Stopped) => {
            let features = count(trouble::stopped(&page.checks).count(), "feature");
            format!("{}: {features} denied on this machine\n", screen.paint(Mood::Bad, "STOPPED"))
        }
        Some(Level::Attention) => {
            let things = count(troubles.len(), "thing");
            let verb = if troubles.len() == 1 { "needs" } else { "need" };
            format!(
                "{}: everything licensed works, {things} {verb} you\n",
                screen.paint(Mood::Warning, "ATTENTION")
            )
        }
        None if page.licenses.is_empty() => {
            let word = screen.paint(Mood::Warning, "NO LICENSE");
            format!("{word}: nothing is held here\n  next: activate a license with `landfast activate`\n")
        }
        None => format!("{}: everything licensed works, nothing needs you\n", screen.paint(Mood::Good, "OK")),
    }
}

fn facts(issuer: &IssuerStatus) -> String {
    let binding = &issuer.binding;
    let leased = issuer.grant.as_ref().is_some_and(|grant| grant.lease_until.is_some());
    let hardware = match binding.state.as_str() {
        "unbound" => "unbound, as nothing is held".to_owned(),
        "indeterminate" if leased => "too little can be read to bind to; leased instead".to_owned(),
        state => format!("{}, score {}", clean(state), thousandths(binding.score_permille)),
    };
    let planned = issuer.planned_change.map_or_else(String::new, |plan| {
        format!("  planned    a change {}\n", plan_change::sentence(&plan, issuer.licensing_time))
    });
    let pending = match issuer.pending {
        0 => String::new(),
        number => format!(", {} pending", count(number, "operation")),
    };
    let contact = match issuer.contact.last_answer {
        Some(at) => format!("last answer {} ({})", time(at), distance(at, issuer.licensing_time)),
        None => "has not answered yet".to_owned(),
    };
    format!(
        "  licenses   {} held{pending}\n  hardware   {hardware}\n{planned}  authority  {contact}\n  device     {}\n",
        issuer.licenses,
        issuer.device.short()
    )
}

fn ends(endings: &[Ending], screen: &Screen) -> String {
    if endings.is_empty() {
        return String::new();
    }
    let mut table = Table::new(screen, &["ENDS", "", "WHAT", "ISSUER"]);
    for ending in endings.iter().take(MAX_ENDINGS) {
        table.row([
            time(ending.at),
            distance(ending.at, ending.now),
            ending.what.clone(),
            ending.issuer.clone(),
        ]);
    }
    let more = endings.len().saturating_sub(MAX_ENDINGS);
    let rest = if more > 0 { format!("and {more} more: see `landfast licenses`\n") } else { String::new() };
    format!("\n{}{rest}", table.text())
}

#[cfg(test)]
mod tests;
