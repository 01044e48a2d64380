//! `landfast runway`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::{Mood, Screen};
use crate::table::Table;
use crate::text::{clean, span, time};
use landfast_client::api::{Runway, Runways};

/// Options of `landfast runway`.
#[derive(Debug, clap::Args)]
pub struct Options {}

/// Less than this needs somebody soon.
const SOON: u64 = 14 * 86_400;

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    context.status("runway").await?;
    let mut found = context.agent.runway().await.map_err(|error| Failure::of("runway", &error))?;
    found.features.retain(|feature| feature.issuer.as_deref().is_some_and(|issuer| context.wants(issuer)));
    Ok(Report::new(render(&found, context.screen), &found))
}

fn render(found: &Runways, screen: &Screen) -> String {
    if found.features.is_empty() {
        return "no feature is known here\nnext: activate a license with `landfast activate`\n".to_owned();
    }
    let mut table = Table::new(screen, &["FEATURE", "ISSUER", "LEFT", "UNTIL", "THEN"]);
    for feature in &found.features {
        let left = match feature.seconds {
            None => "without end".to_owned(),
            Some(0) => screen.paint(Mood::Bad, "none"),
            Some(seconds) if seconds < SOON => screen.paint(Mood::Warning, &span(seconds)),
            Some(seconds) => span(seconds),
        };
        table.row([
            feature.feature.clone(),
            feature.issuer.clone().unwrap_or_default(),
            left,
            feature.until.map_or_else(|| "-".to_owned(), time),
            then(feature),
        ]);
    }
    let mut text = table.text();
    let first = found.features.iter().filter(|feature| feature.seconds.is_some()).min_by_key(|f| f.seconds);
    if let Some((feature, advice)) = first.and_then(|f| Some((&f.feature, f.advice.as_ref()?))) {
        text.push_str(&format!("next: {}: {}\n", clean(feature), clean(advice)));
    }
    text
}

fn then(feature: &Runway) -> String {
    match feature.seconds {
        None if feature.reason == "advisory" => "never switched off".to_owned(),
        None => "-".to_owned(),
        Some(_) => feature.reason.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::Timestamp;
    use landfast_client::api::Rfc3339;

    fn feature(name: &str, seconds: Option<u64>, reason: &str) -> Runway {
        let start = 1_795_318_260;
        let until = seconds.filter(|left| *left > 0).map(|left| Rfc3339(Timestamp(start + left)));
        let advice = seconds.map(|_| "renew it".to_owned());
        Runway {
            feature: name.to_owned(),
            issuer: Some("acme".to_owned()),
            seconds,
            until,
            reason: reason.to_owned(),
            advice,
        }
    }

    #[test]
    fn b9_each_feature_with_what_ends_it() {
        let features = vec![
            feature("alarms", None, "advisory"),
            feature("editor", Some(0), "expired"),
            feature("points", Some(9 * 86_400), "binding_broken"),
            feature("reports", None, "licensed"),
        ];
        assert_eq!(
            render(&Runways { features }, &Screen::plain()),
            "\
FEATURE  ISSUER  LEFT         UNTIL                 THEN
alarms   acme    without end  -                     never switched off
editor   acme    none         -                     expired
points   acme    9 days       2026-12-01 03:31 UTC  binding broken
reports  acme    without end  -                     -
next: editor: renew it
"
        );
        let none = render(&Runways::default(), &Screen::plain());
        assert!(none.contains("landfast activate"), "{none}");
    }
}
