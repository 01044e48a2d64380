//! `landfast what-if --replace PART`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::{Mood, Screen};
use crate::table::Table;
use crate::text::{clean, span, thousandths};
use landfast_client::api::{Prospect, Prospects};

/// Options of `landfast what-if`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What would be replaced: nic:NAME, disk:NAME, board, cpu, chassis, tpm, system (the operating system installed
    /// anew) or vm (the identity of a virtual machine). Give it again for each part that would go at the same time.
    /// A board takes the network cards that are built in with it. `landfast fingerprint` shows the names.
    #[arg(long = "replace", value_name = "PART", required = true)]
    parts: Vec<String>,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let answer = context.agent.what_if(&options.parts).await;
    let mut found = answer.map_err(|error| Failure::of("what-if", &error))?;
    let names: Vec<String> = found.issuers.iter().map(|prospect| prospect.issuer.clone()).collect();
    context.known("what-if", &names)?;
    found.issuers.retain(|prospect| context.wants(&prospect.issuer));
    Ok(Report::new(render(&found, context.screen), &found))
}

fn render(found: &Prospects, screen: &Screen) -> String {
    if found.issuers.is_empty() {
        return "no issuer is configured\nnext: run `landfast doctor`\n".to_owned();
    }
    let shown: Vec<String> = found.issuers.iter().map(|prospect| one(prospect, screen)).collect();
    shown.join("\n")
}

fn one(prospect: &Prospect, screen: &Screen) -> String {
    let mood = match prospect.would_be.as_str() {
        "bound" | "unbound" => Mood::Good,
        "broken" => Mood::Bad,
        _ => Mood::Warning,
    };
    let mut text = format!(
        "{}: {} now, would be {}\n",
        clean(&prospect.issuer),
        clean(&prospect.state),
        screen.paint(mood, &clean(&prospect.would_be))
    );
    if !prospect.groups.is_empty() {
        text.push_str(&margin(prospect));
    }
    text.push_str(&format!("{}\n", clean(&prospect.advice)));
    if prospect.would_be == "broken" {
        text.push_str(&format!("the grace would be {}\n", span(prospect.grace_seconds)));
    }
    if !prospect.replaced.is_empty() {
        text.push_str(&format!("replaced: {}\n", clean(&prospect.replaced.join(", "))));
    }
    for why in &prospect.without_effect {
        text.push_str(&format!("without effect: {}\n", clean(why)));
    }
    if !prospect.groups.is_empty() {
        let mut table = Table::new(screen, &["GROUP", "WEIGHT", "WOULD MATCH", "STATE"]);
        for group in &prospect.groups {
            let matched = match group.state.as_str() {
                "unreadable" => "does not count".to_owned(),
                _ => thousandths(group.matched_milli),
            };
            table.row([
                group.group.clone(),
                group.weight.to_string(),
                matched,
                group.state.replace('_', " "),
            ]);
        }
        text.push('\n');
        text.push_str(&table.text());
    }
    text
}

/// The score, and how far it would be from another verdict.
fn margin(prospect: &Prospect) -> String {
    let (score, bound, drifted) = (
        prospect.would_score_permille,
        u32::from(prospect.bound_permille),
        u32::from(prospect.drifted_permille),
    );
    let distance = match prospect.would_be.as_str() {
        "bound" => format!("{} above drifted", thousandths(score.saturating_sub(bound))),
        "drifted" => format!(
            "{} short of bound, {} above broken",
            thousandths(bound.saturating_sub(score)),
            thousandths(score.saturating_sub(drifted))
        ),
        // A score can be high enough and no anchor left.
        "broken" if score >= drifted => "no board, SoC, TPM or disk would be left to know it by".to_owned(),
        "broken" => format!("{} short of drifted", thousandths(drifted - score)),
        _ => "too little would be readable".to_owned(),
    };
    format!("score {} -> {}: {distance}\n", thousandths(prospect.score_permille), thousandths(score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::api::ProspectGroup;

    fn prospect(would_be: &str, score: u32) -> Prospect {
        let group = |group: &str, weight: u32, state: &str| ProspectGroup {
            group: group.to_owned(),
            state: state.to_owned(),
            weight,
            matched_milli: if state == "match" { weight * 1000 } else { 0 },
        };
        Prospect {
            issuer: "acme".to_owned(),
            state: "bound".to_owned(),
            score_permille: 1000,
            would_be: would_be.to_owned(),
            would_score_permille: score,
            bound_permille: 750,
            drifted_permille: 500,
            grace_seconds: 14 * 86_400,
            groups: vec![group("board", 30, "match"), group("network", 15, "changed")],
            replaced: vec!["network_card eno1".to_owned()],
            without_effect: vec!["disk:vdb does not count: it has no serial number".to_owned()],
            advice: "do this first".to_owned(),
        }
    }

    #[test]
    fn b7_what_it_would_mean_with_score_and_margin() {
        assert_eq!(
            one(&prospect("drifted", 667), &Screen::plain()),
            "\
acme: bound now, would be drifted
score 1.000 -> 0.667: 0.083 short of bound, 0.167 above broken
do this first
replaced: network_card eno1
without effect: disk:vdb does not count: it has no serial number

GROUP    WEIGHT  WOULD MATCH  STATE
board    30      30.000       match
network  15      0.000        changed
"
        );
        let broken = one(&prospect("broken", 437), &Screen::plain());
        assert!(broken.contains("0.063 short of drifted\n"), "{broken}");
        assert!(broken.contains("the grace would be 14 days\n"), "{broken}");
        assert!(margin(&prospect("broken", 600)).contains("no board"));
        assert!(margin(&prospect("bound", 800)).contains("0.050 above drifted"));
    }
}
