//! What ends when, soonest first.

use super::Page;
use landfast_client::api::Rfc3339;

/// Something that ends if nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) at: Rfc3339,
    /// Licensing time of its issuer.
    pub(super) now: Rfc3339,
    pub(super) what: String,
    pub(super) issuer: String,
    /// What to do about it when it comes near; none where that is told elsewhere, or nothing stops by it.
    pub(super) next: Option<&'static str>,
}

/// Every end that lies ahead.
pub(super) fn find(page: &Page) -> Vec<Ending> {
    let mut endings: Vec<Ending> = Vec::new();
    for issuer in &page.status.issuers {
        let (name, now) = (&issuer.name, issuer.licensing_time);
        let mut add = |at: Rfc3339, what: String, next| {
            if at > now {
                endings.push(Ending { at, now, what, issuer: name.clone(), next });
            }
        };
        if let Some(until) = issuer.binding.grace_until {
            add(until, "the grace of the changed hardware".to_owned(), None);
        }
        if let Some(hold) = issuer.grant.as_ref().and_then(|grant| grant.hold.as_ref()) {
            add(hold.until, format!("the grace of case {}", hold.case), None);
        }
        if let Some(until) = issuer.grant.as_ref().and_then(|grant| grant.lease_until) {
            add(
                until,
                "the lease, unless the authority is reached".to_owned(),
                Some("run `landfast reclaim`"),
            );
        }
        for license in page.licenses.iter().filter(|license| license.issuer == *name) {
            let renew = Some("renew it with the vendor, then run `landfast reclaim`");
            if let Some(until) = license.not_after {
                add(until, format!("license {} ({})", license.license.short(), license.product), renew);
            }
            if let Some(until) = license.support_until {
                add(until, format!("support of {} ({})", license.license.short(), license.product), None);
            }
        }
    }
    endings.sort_by_key(|ending| ending.at);
    endings
}
