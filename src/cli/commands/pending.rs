//! `landfast pending`

use super::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::Screen;
use crate::table::Table;
use crate::text::{attempts, clean, time};
use landfast_client::api::{IssuerStatus, Pending};

/// Options of `landfast pending`.
#[derive(Debug, clap::Args)]
pub struct Options {}

pub(crate) async fn run(context: &Context<'_>) -> Result<Report, Failure> {
    let status = context.status("pending").await?;
    let mut list = context.agent.pending().await.map_err(|error| Failure::of("pending", &error))?;
    list.pending.retain(|pending| context.wants(&pending.issuer));
    Ok(Report::new(render(&list.pending, &status.issuers, context.screen), &list))
}

fn render(pending: &[Pending], issuers: &[IssuerStatus], screen: &Screen) -> String {
    if pending.is_empty() {
        return "nothing is pending\n".to_owned();
    }
    let mut table = Table::new(screen, &["OPERATION", "LICENSE", "UNITS", "ISSUER", "SINCE", "CASE"]);
    for operation in pending {
        table.row([
            operation.action.clone(),
            operation.license.map_or_else(|| "-".to_owned(), |license| license.short()),
            match (operation.quantity, operation.action.as_str()) {
                (Some(units), _) => units.to_string(),
                (None, "activate") => "usual".to_owned(),
                (None, "plan_change") => "-".to_owned(),
                (None, _) => "all".to_owned(),
            },
            operation.issuer.clone(),
            time(operation.since),
            operation.case.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let mut text = table.text();
    for issuer in issuers.iter().filter(|issuer| issuer.contact.waiting) {
        let name = clean(&issuer.name);
        match &issuer.contact.last_failure {
            Some(failure) if issuer.contact.attempts > 0 => text.push_str(&format!(
                "{name}: {} ({}); the agent tries again by itself\n",
                clean(failure),
                attempts(issuer.contact.attempts)
            )),
            _ => text.push_str(&format!("{name}: the request waits for its answer\n")),
        }
    }
    if pending.iter().any(|operation| operation.case.is_some()) {
        text.push_str("next: name the case to the vendor, who decides it\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::api::{Contact, Rfc3339};
    use landfast_client::{DeviceId, IssuerId, LicenseId, OperationId, Timestamp};

    #[test]
    fn what_waits_and_for_whom() {
        let operation = |case: Option<&str>| Pending {
            issuer: "acme".to_owned(),
            operation: OperationId([1; 16]),
            action: "return".to_owned(),
            license: Some(LicenseId([0xab; 16])),
            quantity: None,
            since: Rfc3339(Timestamp(1_795_318_260)),
            case: case.map(str::to_owned),
        };
        let issuer = IssuerStatus {
            name: "acme".to_owned(),
            id: IssuerId([0; 16]),
            device: DeviceId([0; 32]),
            counter: 1,
            licensing_time: Rfc3339::default(),
            grant: None,
            binding: Default::default(),
            planned_change: None,
            licenses: 0,
            pending: 2,
            contact: Contact {
                waiting: true,
                attempts: 3,
                last_failure: Some("the authority cannot be reached".to_owned()),
                ..Contact::default()
            },
            alerts: Vec::new(),
        };
        assert_eq!(
            render(&[operation(None), operation(Some("0011223344556677"))], &[issuer], &Screen::plain()),
            "\
OPERATION  LICENSE   UNITS  ISSUER  SINCE                 CASE
return     abababab  all    acme    2026-11-22 03:31 UTC  -
return     abababab  all    acme    2026-11-22 03:31 UTC  0011223344556677
acme: the authority cannot be reached (3 attempts); the agent tries again by itself
next: name the case to the vendor, who decides it
"
        );
        assert_eq!(render(&[], &[], &Screen::plain()), "nothing is pending\n");
    }
}
