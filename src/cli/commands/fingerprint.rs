//! `landfast fingerprint`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::Screen;
use crate::table::Table;
use crate::text::{clean, thousandths, time};
use landfast_client::api::{Binding, Factor, Group};

/// Options of `landfast fingerprint`.
#[derive(Debug, clap::Args)]
pub struct Options {}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let mut verdicts = context.agent.binding().await.map_err(|error| Failure::of("fingerprint", &error))?;
    let names: Vec<String> = verdicts.issuers.iter().map(|binding| binding.issuer.clone()).collect();
    context.known("fingerprint", &names)?;
    verdicts.issuers.retain(|binding| context.wants(&binding.issuer));
    if verdicts.issuers.is_empty() {
        return Ok(Report::new("no issuer is configured\nnext: run `landfast doctor`\n", &verdicts));
    }
    let shown: Vec<String> = verdicts.issuers.iter().map(|binding| render(binding, context.screen)).collect();
    Ok(Report::new(shown.join("\n"), &verdicts))
}

fn render(binding: &Binding, screen: &Screen) -> String {
    let mut text = format!("{}: {}\n{}\n", clean(&binding.issuer), clean(&binding.state), margin(binding));
    if let Some(since) = binding.broken_since {
        text.push_str(&format!("broken since {}", time(since)));
        let until = binding.grace_until.map(|until| format!(", licenses stay granted until {}", time(until)));
        text.push_str(&format!("{}\n", until.unwrap_or_default()));
    }
    if let Some(plan) = &binding.planned_change {
        text.push_str(&match plan.used_at {
            None => {
                format!("planned change until {}: the next change is taken over, once\n", time(plan.until))
            }
            Some(at) => format!("planned change used up {}\n", time(at)),
        });
    }
    if !binding.advice.is_empty() {
        text.push_str(&format!("{}\n", clean(&binding.advice)));
    }
    text.push('\n');
    let header = ["GROUP", "WEIGHT", "MATCHED", "STATE", "FACTOR", "VALUE", "NOTE"];
    let mut table = Table::new(screen, &header);
    for group in &binding.groups {
        rows(group, binding.state == "unbound", &mut table);
    }
    text.push_str(&table.text());
    for group in binding.groups.iter().filter(|group| !group.advice.is_empty()) {
        text.push_str(&format!("{}: {}\n", clean(&group.group), clean(&group.advice)));
    }
    text
}

/// How far the verdict is from another one.
fn margin(binding: &Binding) -> String {
    let (score, bound, drifted) =
        (binding.score_permille, u32::from(binding.bound_permille), u32::from(binding.drifted_permille));
    let by = |larger: u32, smaller: u32| thousandths(larger.saturating_sub(smaller));
    let limits = format!("bound from {}, drifted from {}", thousandths(bound), thousandths(drifted));
    match binding.state.as_str() {
        "unbound" => format!("nothing is bound yet; once a license is held: {limits}"),
        "bound" => format!("score {}: {} above the limit ({limits})", thousandths(score), by(score, bound)),
        "drifted" => format!(
            "score {}: {} short of bound, {} above broken ({limits})",
            thousandths(score),
            by(bound, score),
            by(score, drifted)
        ),
        "broken" => {
            format!("score {}: {} short of drifted ({limits})", thousandths(score), by(drifted, score))
        }
        _ => format!("score {} of what can be read ({limits})", thousandths(score)),
    }
}

fn rows(group: &Group, unbound: bool, table: &mut Table) {
    let usable = group.factors.iter().any(|factor| factor.state == "present");
    let matched = match group.state.as_str() {
        "not_enrolled" if unbound && usable => "would count".to_owned(),
        "not_enrolled" | "unreadable" => "does not count".to_owned(),
        _ => thousandths(group.matched_milli),
    };
    let head = [group.group.clone(), group.weight.to_string(), matched, group.state.replace('_', " ")];
    let mut head = Some(head);
    let mut next = || head.take().unwrap_or_default();
    for factor in &group.factors {
        let [name, weight, matched, state] = next();
        table.row([
            name,
            weight,
            matched,
            state,
            called(factor),
            factor.masked.clone().unwrap_or_default(),
            note(factor),
        ]);
    }
    if group.factors.is_empty() {
        let [name, weight, matched, state] = next();
        let none = String::new;
        table.row([name, weight, matched, state, none(), none(), "nothing of it is here".to_owned()]);
    }
}

/// The factor, with the device where that says more.
fn called(factor: &Factor) -> String {
    match factor.factor.as_str() {
        "disk" | "network_card" if factor.state != "absent" => format!("{} {}", factor.factor, factor.source),
        name => name.to_owned(),
    }
}

/// Why it does not count.
fn note(factor: &Factor) -> String {
    match (factor.state.as_str(), factor.note.as_deref()) {
        ("present", note) => note.unwrap_or_default().to_owned(),
        (state, Some(note)) => format!("{state}: {note}"),
        (state, None) => state.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::api::{PlannedChange, Rfc3339};
    use landfast_client::{OperationId, Timestamp};

    fn factor(name: &str, source: &str, state: &str, masked: Option<&str>, note: Option<&str>) -> Factor {
        Factor {
            factor: name.to_owned(),
            source: source.to_owned(),
            state: state.to_owned(),
            masked: masked.map(str::to_owned),
            note: note.map(str::to_owned),
        }
    }

    fn binding(state: &str, score: u32) -> Binding {
        let board = Group {
            group: "board".to_owned(),
            state: "match".to_owned(),
            weight: 30,
            matched_milli: 30_000,
            advice: String::new(),
            factors: vec![
                factor("product_uuid", "product_uuid", "present", Some("4c…31"), None),
                factor(
                    "board_serial",
                    "board_serial",
                    "placeholder",
                    Some("De…ng"),
                    Some("many machines share this value"),
                ),
            ],
        };
        let disks = Group {
            group: "disks".to_owned(),
            state: "changed".to_owned(),
            weight: 20,
            matched_milli: 0,
            advice: "put the original disks back".to_owned(),
            factors: Vec::new(),
        };
        let network = Group {
            group: "network".to_owned(),
            state: "unreadable".to_owned(),
            weight: 15,
            factors: vec![factor("network_card", "eth0", "unreadable", None, Some("permission denied"))],
            ..Group::default()
        };
        Binding {
            issuer: "acme".to_owned(),
            state: state.to_owned(),
            score_permille: score,
            bound_permille: 750,
            drifted_permille: 500,
            broken_since: None,
            grace_until: None,
            planned_change: None,
            groups: vec![board, disks, network],
            advice: "the next reclaim re-binds it".to_owned(),
        }
    }

    #[test]
    fn b7_each_factor_says_whether_and_why_it_counts() {
        assert_eq!(
            render(&binding("drifted", 600), &Screen::plain()),
            "\
acme: drifted
score 0.600: 0.150 short of bound, 0.100 above broken (bound from 0.750, drifted from 0.500)
the next reclaim re-binds it

GROUP    WEIGHT  MATCHED         STATE       FACTOR             VALUE  NOTE
board    30      30.000          match       product_uuid       4c…31
                                             board_serial       De…ng  placeholder: many machines share this value
disks    20      0.000           changed                               nothing of it is here
network  15      does not count  unreadable  network_card eth0         unreadable: permission denied
disks: put the original disks back
"
        );
    }

    #[test]
    fn a_broken_binding_says_until_when_it_stays_granted() {
        let broken = Binding {
            broken_since: Some(Rfc3339(Timestamp(1_795_318_260))),
            grace_until: Some(Rfc3339(Timestamp(1_795_318_260 + 14 * 86_400))),
            ..binding("broken", 200)
        };
        let text = render(&broken, &Screen::plain());
        assert!(text.starts_with(
            "acme: broken\nscore 0.200: 0.300 short of drifted (bound from 0.750, drifted from 0.500)\n\
             broken since 2026-11-22 03:31 UTC, licenses stay granted until 2026-12-06 03:31 UTC\n"
        ));
    }

    #[test]
    fn b8_a_planned_change_is_shown_until_the_authority_knows() {
        let (until, at) = (Rfc3339(Timestamp(1_795_318_260)), Rfc3339(Timestamp(1_795_318_200)));
        let open = PlannedChange { operation: OperationId([1; 16]), until, used_at: None };
        let shown = |plan| {
            render(&Binding { planned_change: Some(plan), ..binding("bound", 1000) }, &Screen::plain())
        };
        let line = "\nplanned change until 2026-11-22 03:31 UTC: the next change is taken over, once\n";
        assert!(shown(open).contains(line), "{}", shown(open));
        let used = shown(PlannedChange { used_at: Some(at), ..open });
        assert!(used.contains("\nplanned change used up 2026-11-22 03:30 UTC\n"), "{used}");
    }

    #[test]
    fn margins_of_the_other_verdicts() {
        assert!(margin(&binding("bound", 1000)).starts_with("score 1.000: 0.250 above the limit"));
        assert!(margin(&binding("unbound", 0)).starts_with("nothing is bound yet"));
        assert!(margin(&binding("indeterminate", 0)).starts_with("score 0.000 of what can be read"));
    }
}
