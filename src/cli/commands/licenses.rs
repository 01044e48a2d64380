//! `landfast licenses`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::Screen;
use crate::table::Table;
use crate::text::day;
use landfast_client::api::{Feature, License, Rfc3339};

/// Options of `landfast licenses`.
#[derive(Debug, clap::Args)]
pub struct Options {}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let status = context.status("licenses").await?;
    let mut held = context.agent.licenses().await.map_err(|error| Failure::of("licenses", &error))?;
    held.licenses.retain(|license| context.wants(&license.issuer));
    let now = |issuer: &str| {
        let found = status.issuers.iter().find(|status| status.name == issuer);
        found.map(|status| status.licensing_time)
    };
    Ok(Report::new(render(&held.licenses, now, context.screen), &held))
}

fn render(licenses: &[License], now: impl Fn(&str) -> Option<Rfc3339>, screen: &Screen) -> String {
    if licenses.is_empty() {
        return "no licenses are held here\nnext: activate one with `landfast activate`\n".to_owned();
    }
    // One vendor needs no column on a screen; in a pipe the columns stay the same.
    let screen_only = screen.width.is_some();
    let several = licenses.iter().any(|license| license.issuer != licenses[0].issuer);
    let issuers = several || !screen_only;
    let mut header = vec!["LICENSE", "PRODUCT", "KIND", "UNITS", "ENDS", "SUPPORT", "FEATURES"];
    if issuers {
        header.insert(1, "ISSUER");
    }
    let mut table = Table::new(screen, &header);
    let between = if screen_only { "\n" } else { ", " };
    for license in licenses {
        let mut cells = vec![
            license.license.short(),
            license.product.clone(),
            license.model.clone(),
            license.quantity.to_string(),
            term(license, now(&license.issuer)),
            license.support_until.map_or_else(|| "-".to_owned(), day),
            license.features.iter().map(feature).collect::<Vec<_>>().join(between),
        ];
        if issuers {
            cells.insert(1, license.issuer.clone());
        }
        table.row(cells);
    }
    table.text()
}

fn term(license: &License, now: Option<Rfc3339>) -> String {
    match (now, license.not_after) {
        (Some(now), _) if license.not_before > now => format!("starts {}", day(license.not_before)),
        (Some(now), Some(end)) if end <= now => format!("ended {}", day(end)),
        (_, Some(end)) => day(end),
        (_, None) => "never".to_owned(),
    }
}

fn feature(feature: &Feature) -> String {
    let mut text = format!("{} {}", feature.name, feature.quantity);
    if let Some(limit) = &feature.version_limit {
        text.push_str(&format!(" up to {limit}"));
    }
    if feature.advisory {
        text.push_str(" (advisory)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::{LicenseId, Timestamp};

    #[test]
    fn e8_k10_h7_licenses_with_terms_support_and_features() {
        let now = Rfc3339(Timestamp(1_795_318_260));
        let later = |days: u64| Rfc3339(Timestamp(now.0.0 + days * 86_400));
        let perpetual = License {
            issuer: "acme".to_owned(),
            license: LicenseId([0xab; 16]),
            product: "Plant View".to_owned(),
            model: "perpetual".to_owned(),
            quantity: 2,
            not_before: now,
            not_after: None,
            support_until: Some(later(12)),
            features: vec![
                Feature {
                    name: "points".to_owned(),
                    quantity: 500,
                    version_limit: Some("2.5".to_owned()),
                    advisory: false,
                },
                Feature { name: "alarms".to_owned(), quantity: 1, version_limit: None, advisory: true },
            ],
        };
        let subscription = License {
            license: LicenseId([0x12; 16]),
            model: "subscription".to_owned(),
            not_after: Some(later(400)),
            support_until: None,
            features: Vec::new(),
            ..perpetual.clone()
        };
        let ahead = License { not_before: later(3), ..subscription.clone() };
        let ended = License { not_before: Rfc3339::default(), not_after: Some(now), ..subscription.clone() };
        let held = [perpetual, subscription, ahead, ended];
        assert_eq!(
            render(&held, |_| Some(now), &Screen::plain()),
            "\
LICENSE   ISSUER  PRODUCT     KIND          UNITS  ENDS               SUPPORT     FEATURES
abababab  acme    Plant View  perpetual     2      never              2026-12-04  points 500 up to 2.5, alarms 1 (advisory)
12121212  acme    Plant View  subscription  2      2027-12-27         -
12121212  acme    Plant View  subscription  2      starts 2026-11-25  -
12121212  acme    Plant View  subscription  2      ended 2026-11-22   -
"
        );
        let narrow = Screen { width: Some(80), ..Screen::plain() };
        assert_eq!(
            render(&held[..2], |_| Some(now), &narrow),
            "\
LICENSE   PRODUCT     KIND          UNITS  ENDS        SUPPORT     FEATURES
--------------------------------------------------------------------------------
abababab  Plant View  perpetual     2      never       2026-12-04  points 500
                                                                   up to 2.5
                                                                   alarms 1
                                                                   (advisory)
12121212  Plant View  subscription  2      2027-12-27  -
"
        );
    }

    #[test]
    fn nothing_held_says_what_to_do() {
        assert!(render(&[], |_| None, &Screen::plain()).contains("landfast activate"));
    }
}
