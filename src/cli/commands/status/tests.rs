use super::*;
use landfast_client::api::{Alert, BindingSummary, Contact, Grant, Rfc3339};
use landfast_client::{DeviceId, IssuerId, LicenseId, Timestamp};

const NOW: u64 = 1_795_318_260;

fn later(days: u64) -> Rfc3339 {
    Rfc3339(Timestamp(NOW + days * 86_400))
}

fn check(feature: &str, granted: bool, reason: &str) -> Check {
    Check {
        feature: feature.to_owned(),
        granted,
        reason: reason.to_owned(),
        advice: (!granted).then(|| "renew it".to_owned()),
        ..Check::default()
    }
}

fn license(days: Option<u64>) -> License {
    License {
        issuer: "acme".to_owned(),
        license: LicenseId([0xab; 16]),
        product: "Plant View".to_owned(),
        model: "subscription".to_owned(),
        quantity: 1,
        not_before: Rfc3339::default(),
        not_after: days.map(later),
        support_until: Some(later(90)),
        features: Vec::new(),
    }
}

fn page() -> Page {
    let issuer = IssuerStatus {
        name: "acme".to_owned(),
        id: IssuerId([1; 16]),
        device: DeviceId([2; 32]),
        counter: 7,
        licensing_time: later(0),
        grant: Some(Grant { epoch: 1, sequence: 3, issued_at: later(0), lease_until: None, hold: None }),
        binding: BindingSummary { state: "bound".to_owned(), score_permille: 1000, grace_until: None },
        planned_change: None,
        licenses: 1,
        pending: 0,
        contact: Contact { last_answer: Some(Rfc3339(Timestamp(NOW - 7_200))), ..Contact::default() },
        alerts: Vec::new(),
    };
    Page {
        status: Status { version: "0.1.0".to_owned(), trust: "production".to_owned(), issuers: vec![issuer] },
        checks: vec![check("points", true, "licensed"), check("old", false, "returned")],
        licenses: vec![license(Some(400))],
    }
}

fn shown(page: &Page) -> String {
    render(page, &Screen::plain())
}

#[test]
fn all_is_well() {
    assert_eq!(
        shown(&page()),
        "\
OK: everything licensed works, nothing needs you

issuer acme
  licenses   1 held
  hardware   bound, score 1.000
  authority  last answer 2026-11-22 01:31 UTC (2 hours ago)
  device     02020202

ENDS                               WHAT                              ISSUER
2027-02-20 03:31 UTC  in 90 days   support of abababab (Plant View)  acme
2027-12-27 03:31 UTC  in 400 days  license abababab (Plant View)     acme

landfastd 0.1.0, trust: production
"
    );
}

#[test]
fn what_stopped_comes_first_and_says_what_to_do() {
    let mut page = page();
    page.checks.extend([check("alarms", false, "expired"), check("trends", false, "expired")]);
    page.status.issuers[0].pending = 2;
    let text = shown(&page);
    assert!(
        text.starts_with(
            "STOPPED: 2 features denied on this machine\n- denied, expired: alarms, trends\n  next: renew it\n\
             - acme: 2 operations wait for a result\n  next: see `landfast pending`\n"
        ),
        "{text}"
    );
}

#[test]
fn d3_broken_hardware_shows_the_end_of_its_grace() {
    let mut page = page();
    let issuer = &mut page.status.issuers[0];
    issuer.binding =
        BindingSummary { state: "broken".to_owned(), score_permille: 300, grace_until: Some(later(14)) };
    issuer
        .alerts
        .push(Alert { code: "binding_broken".to_owned(), message: "the hardware changed".to_owned() });
    let text = shown(&page);
    let first = "ATTENTION: everything licensed works, 1 thing needs you\n\
                 - acme: the hardware is not the one that was licensed; \
                 licenses stay granted until 2026-12-06 03:31 UTC, in 14 days\n  next: put it back";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("2026-12-06 03:31 UTC  in 14 days   the grace of the changed hardware"), "{text}");
}

#[test]
fn what_ends_soon_is_told_before_it_ends() {
    let mut page = page();
    page.licenses = vec![license(Some(9)), license(None)];
    let text = shown(&page);
    let first = "ATTENTION: everything licensed works, 1 thing needs you\n\
                 - license abababab (Plant View) ends in 9 days, 2026-12-01 03:31 UTC\n  next: renew it";
    assert!(text.starts_with(first), "{text}");
}

#[test]
fn p12_an_authority_that_is_down_stops_nothing_and_is_told() {
    let mut page = page();
    let contact = &mut page.status.issuers[0].contact;
    contact.attempts = 3;
    contact.last_failure = Some("the authority cannot be reached: connection refused".to_owned());
    let text = shown(&page);
    assert!(
        text.contains("- acme: the authority cannot be reached: connection refused (3 attempts)\n"),
        "{text}"
    );
    assert!(text.contains("no license stops by this"), "{text}");
}

#[test]
fn nothing_held_and_nothing_configured() {
    let mut page = page();
    page.licenses.clear();
    page.checks.clear();
    assert!(shown(&page).starts_with("NO LICENSE: nothing is held here\n  next: activate"));
    page.status.issuers.clear();
    assert!(shown(&page).starts_with("ATTENTION: everything licensed works, 1 thing needs you\n- no issuer"));
}

#[test]
fn many_endings_are_cut() {
    let mut page = page();
    page.licenses = (0..9).map(|at| license(Some(100 + at))).collect();
    assert!(shown(&page).contains("and 10 more: see `landfast licenses`\n"));
}
