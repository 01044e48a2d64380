use super::findings::examine;
use super::*;
use landfast_client::api::{
    Alert, Binding, BindingSummary, Bindings, Contact, Factor, Group, IssuerStatus, Rfc3339, Status,
};
use landfast_client::{DeviceId, IssuerId, Timestamp};
use std::os::unix::net::UnixListener;

fn healthy() -> (Status, Bindings) {
    let issuer = IssuerStatus {
        name: "acme".to_owned(),
        id: IssuerId([1; 16]),
        device: DeviceId([2; 32]),
        counter: 7,
        licensing_time: Rfc3339(Timestamp(1_795_318_260)),
        grant: None,
        binding: BindingSummary::default(),
        planned_change: None,
        licenses: 1,
        pending: 0,
        contact: Contact { last_answer: Some(Rfc3339(Timestamp(1_795_311_060))), ..Contact::default() },
        alerts: Vec::new(),
    };
    let status =
        Status { version: "0.1.0".to_owned(), trust: "production".to_owned(), issuers: vec![issuer] };
    let binding = Binding {
        issuer: "acme".to_owned(),
        state: "bound".to_owned(),
        score_permille: 1000,
        ..Binding::default()
    };
    (status, Bindings { issuers: vec![binding] })
}

fn shown((status, verdicts): &(Status, Bindings)) -> String {
    render(&examine(status, verdicts, "0.1.0"), &Screen::plain())
}

#[test]
fn a_healthy_agent() {
    assert_eq!(
        shown(&healthy()),
        "\
OK    release: landfastd and landfast are 0.1.0
OK    trust: only root can change whom this machine trusts
OK    acme: clock: trusted, licensing time is 2026-11-22 03:31 UTC
OK    acme: store: intact, counter 7
OK    acme: authority: answered 2 hours ago
OK    acme: hardware: bound, score 1.000
"
    );
}

#[test]
fn every_trouble_has_its_line_and_its_next_step() {
    let (mut status, mut verdicts) = healthy();
    status.version = "0.2.0".to_owned();
    status.trust = "development".to_owned();
    let issuer = &mut status.issuers[0];
    for code in ["clock_untrusted", "store_lost", "device_retired", "binding_broken", "of_a_newer_agent"] {
        issuer.alerts.push(Alert { code: code.to_owned(), message: format!("about {code}") });
    }
    issuer.contact.attempts = 2;
    issuer.contact.last_failure = Some("certificate expired".to_owned());
    issuer.contact.last_failure_code = Some("authority_tls".to_owned());
    let verdict = &mut verdicts.issuers[0];
    verdict.state = "broken".to_owned();
    verdict.advice = "put it back".to_owned();
    verdict.groups = vec![Group {
        factors: vec![Factor {
            factor: "product_uuid".to_owned(),
            source: "product_uuid".to_owned(),
            state: "unreadable".to_owned(),
            masked: None,
            note: Some("permission denied".to_owned()),
        }],
        ..Group::default()
    }];
    let text = shown(&(status, verdicts));
    for line in [
        "WARN  release: landfastd is 0.2.0, landfast is 0.1.0\n      next: restart",
        "WARN  trust: development: landfastd was started with --config, where issuer files need not be root's\n      next: ",
        "WARN  acme: clock: about clock_untrusted\n      next: look at the time source",
        "FAIL  acme: store: about store_lost\n      next: first, the vendor frees",
        "WARN  acme: authority: certificate expired (2 attempts)\n      next: check the clock, and `ca` in the issuer file",
        "FAIL  acme: hardware: broken, score 1.000; put it back\n      next: see `landfast fingerprint`\n",
        "WARN  acme: hardware: product_uuid cannot be read (product_uuid): permission denied\n      next: start",
        "WARN  acme: device retired: about device_retired\n      next: ask",
        "WARN  acme: of a newer agent: about of_a_newer_agent\n",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    assert!(!text.contains("about binding_broken"), "told by the hardware already");
}

#[test]
fn p8_each_trouble_of_the_store_has_its_own_next_step() {
    let advice = |code: &str| {
        let (mut status, verdicts) = healthy();
        status.issuers[0].alerts.push(Alert { code: code.to_owned(), message: "told".to_owned() });
        let found = examine(&status, &verdicts, "0.1.0");
        let mut found = found.into_iter().filter(|finding| finding.message == "told");
        let (only, none) = (found.next().unwrap(), found.next());
        assert_eq!((only.name.as_str(), none), ("acme: store", None), "{code}");
        (only.state, only.advice)
    };
    for (code, state, next) in [
        ("store_healed", State::Warn, "nothing was lost"),
        ("copy_renewed", State::Warn, "nothing was lost"),
        ("store_damaged", State::Warn, "healed from their copy"),
        ("store_unwritable", State::Fail, "free space"),
        ("state_unreadable", State::Fail, "install the release"),
        ("grant_untrusted", State::Fail, "compare the issuer file"),
        ("store_lost", State::Fail, "issuers/01010101010101010101010101010101 out of"),
        ("store_of_a_newer_agent", State::Fail, "see the log"),
    ] {
        let (found, told) = advice(code);
        assert_eq!(found, state, "{code}");
        assert!(told.contains(next), "{code}: {told}");
        assert!(!told.contains("landfast recover"), "{code}: there is no such command");
    }
}

#[test]
fn the_socket_is_looked_at_before_it_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.sock");
    assert_eq!(socket::examine(&path)[0].state, State::Fail);
    std::fs::write(&path, "").unwrap();
    assert!(socket::examine(&path)[0].message.ends_with("is not a socket"));
    std::fs::remove_file(&path).unwrap();
    let _listener = UnixListener::bind(&path).unwrap();
    let found = socket::examine(&path);
    assert!(found.iter().all(|finding| finding.state == State::Ok), "{found:?}");
    assert!(found[1].message.starts_with("you may activate"), "{found:?}");
}
