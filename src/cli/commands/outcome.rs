//! What became of operations, told alike by every command that makes some.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::Report;
use crate::text::{clean, count, time};
use landfast_client::LicenseId;
use landfast_client::api::{CommandReply, License, OperationResult};

/// What helps to tell results: what is held now, and how the caller named the licenses.
pub(crate) struct Told<'a> {
    pub(crate) held: &'a [License],
    pub(crate) named: &'a dyn Fn(&LicenseId) -> Option<String>,
    /// The request is carried by hand: that its operations wait is no news.
    pub(crate) by_hand: bool,
}

/// A line for each result; for what was not done, the reason and the next step.
pub(crate) fn tell(reply: &CommandReply, told: &Told<'_>) -> Report {
    let mut report = Report::new("", reply);
    for result in &reply.results {
        report.text.push_str(&line(result, told));
        report.exit = report.exit.worse(exit(result, told.by_hand));
        report.notes.extend(note(result, told));
    }
    report
}

fn line(result: &OperationResult, told: &Told<'_>) -> String {
    let subject = match &result.license {
        Some(license) => format!("license {}", license.short()),
        None => clean(&result.issuer),
    };
    let what = match (result.outcome.as_str(), result.action.as_str()) {
        ("done", "activate") => "activated".to_owned(),
        ("done", "return") => "given back".to_owned(),
        ("done", "reclaim") => "up to date".to_owned(),
        ("done", "plan_change") => "the change is planned".to_owned(),
        ("pending", "plan_change") if told.by_hand => "waits for the response".to_owned(),
        ("pending", "activate") if told.by_hand => "waits for the response".to_owned(),
        ("pending", "return") if told.by_hand => "given back; the request tells the authority".to_owned(),
        (outcome, "activate") => format!("activation {}", clean(outcome)),
        (outcome, "plan_change") => format!("planned change {}", clean(outcome)),
        (outcome, action) => format!("{} {}", clean(action), clean(outcome)),
    };
    let held = result.license.and_then(|license| told.held.iter().find(|held| held.license == license));
    let now = match held.filter(|_| result.outcome == "done") {
        Some(held) => {
            let units = count(usize::try_from(held.quantity).unwrap_or(usize::MAX), "unit");
            let end =
                held.not_after.map_or_else(|| "without end".to_owned(), |end| format!("until {}", time(end)));
            let kept = if result.action == "return" { "still here: " } else { "" };
            format!(" ({kept}{}, {units}, {end})", clean(&held.product))
        }
        None => String::new(),
    };
    format!("{subject}: {what}{now}\n")
}

/// Why it was not done, and what to do.
fn note(result: &OperationResult, told: &Told<'_>) -> Option<Failure> {
    let waits = result.outcome == "pending";
    if matches!(result.outcome.as_str(), "done" | "possible")
        || (waits && told.by_hand && result.detail.is_none())
    {
        return None;
    }
    let license = result.license.as_ref();
    let thing = match (license.and_then(told.named), license) {
        (Some(name), Some(license)) => format!("{name} (license {})", license.short()),
        (_, Some(license)) => format!("license {}", license.short()),
        _ => result.issuer.clone(),
    };
    let reason = result.detail.clone().or_else(|| result.reason.as_ref().map(|code| code.replace('_', " ")));
    let reason = reason.unwrap_or_else(|| match waits {
        true => "no answer yet".to_owned(),
        false => result.outcome.clone(),
    });
    // The reason of a pending operation is its case, which its advice names.
    let code = result.reason.clone().filter(|_| !waits).unwrap_or_else(|| result.outcome.clone());
    let advice = result.advice.clone().unwrap_or_default();
    Some(Failure { thing, code, message: reason, advice, exit: exit(result, told.by_hand) })
}

fn exit(result: &OperationResult, by_hand: bool) -> Exit {
    match result.outcome.as_str() {
        "done" | "possible" => Exit::Done,
        "pending" if by_hand => Exit::Done,
        "pending" => Exit::Pending,
        "refused" => result.reason.as_deref().and_then(Exit::of_code).unwrap_or(Exit::Denied),
        _ => Exit::Denied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::api::Rfc3339;

    fn result(action: &str, outcome: &str, license: u8) -> OperationResult {
        OperationResult {
            issuer: "acme".to_owned(),
            action: action.to_owned(),
            outcome: outcome.to_owned(),
            license: (license > 0).then_some(LicenseId([license; 16])),
            ..OperationResult::default()
        }
    }

    fn told(results: Vec<OperationResult>, by_hand: bool) -> Report {
        let held = [License {
            issuer: "acme".to_owned(),
            license: LicenseId([0xab; 16]),
            product: "Plant View".to_owned(),
            model: "perpetual".to_owned(),
            quantity: 2,
            not_before: Rfc3339::default(),
            not_after: None,
            support_until: None,
            features: Vec::new(),
        }];
        let named = |license: &LicenseId| (license.0[0] == 1).then(|| "activation id 2 of 2".to_owned());
        let reply = CommandReply { results, changed: true, request: None };
        tell(&reply, &Told { held: &held, named: &named, by_hand })
    }

    #[test]
    fn what_was_activated_is_shown_with_its_term() {
        let report = told(vec![result("activate", "done", 0xab), result("activate", "done", 2)], false);
        assert_eq!(
            report.text,
            "license abababab: activated (Plant View, 2 units, without end)\nlicense 02020202: activated\n"
        );
        assert_eq!((report.exit, report.notes), (Exit::Done, Vec::new()));
    }

    #[test]
    fn a_denial_names_the_id_the_reason_and_the_next_step() {
        let denied = OperationResult {
            reason: Some("unknown_license".to_owned()),
            detail: Some("no license has this activation id".to_owned()),
            advice: Some("compare it".to_owned()),
            ..result("activate", "denied", 1)
        };
        let report = told(vec![result("activate", "done", 0xab), denied], false);
        assert_eq!(report.exit, Exit::Denied);
        assert!(report.text.ends_with("license 01010101: activation denied\n"), "{}", report.text);
        assert_eq!(
            report.notes[0].text(),
            "landfast: activation id 2 of 2 (license 01010101): no license has this activation id [unknown_license]\nnext: compare it\n"
        );
    }

    #[test]
    fn a_case_is_pending_and_a_carried_request_is_done() {
        let waits = OperationResult {
            reason: Some("0011223344556677".to_owned()),
            detail: Some("a person at the vendor decides".to_owned()),
            advice: Some("name case 0011223344556677 to the vendor".to_owned()),
            ..result("activate", "pending", 1)
        };
        let report = told(vec![waits], false);
        assert_eq!((report.exit, report.notes.len()), (Exit::Pending, 1));
        let report = told(vec![result("return", "pending", 3)], true);
        assert_eq!((report.exit, report.notes.len()), (Exit::Done, 0));
        assert_eq!(report.text, "license 03030303: given back; the request tells the authority\n");
    }

    #[test]
    fn one_issuer_of_several_that_refuses_decides_the_exit_code() {
        let refused = OperationResult {
            reason: Some("authority_unreachable".to_owned()),
            detail: Some("the authority cannot be reached".to_owned()),
            ..result("reclaim", "refused", 0)
        };
        let report = told(vec![result("reclaim", "done", 0), refused], false);
        assert_eq!(report.text, "acme: up to date\nacme: reclaim refused\n");
        assert_eq!(report.exit, Exit::NotReachable);
        assert_eq!(
            report.notes[0].text(),
            "landfast: acme: the authority cannot be reached [authority_unreachable]\n"
        );
    }

    #[test]
    fn a_part_that_stays_after_a_return() {
        let report = told(vec![result("return", "done", 0xab)], false);
        assert_eq!(
            report.text,
            "license abababab: given back (still here: Plant View, 2 units, without end)\n"
        );
    }
}
