//! From what a device holds to the grant that says so.

use crate::domain::catalog::{License, Product, ProductPolicy};
use crate::domain::device::DeviceRecord;
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::grant::{Feature, Grant, Hold, Token};
use landfast_protocol::{BoundError, Duration, IssuerId, List, Timestamp};

/// A device's wall clock is believed after this long in the dark.
const MAX_OFF: Duration = Duration::days(180);
/// What a grant's tokens may take, encoded; the rest of its limit is for the binding and the fixed parts.
pub const TOKEN_BYTES: usize = 380 * 1024;

/// One license with the units that the device holds.
pub type Held<'a> = (&'a License, &'a Product, u32);

/// What `units` of a license grant.
fn token((license, product, units): &Held<'_>) -> Result<Token, BoundError> {
    let scale =
        |feature: &Feature| Feature { quantity: feature.quantity.saturating_mul(*units), ..feature.clone() };
    Ok(Token {
        license: license.id,
        product: product.name.clone(),
        model: license.model,
        quantity: *units,
        not_before: license.starts(),
        not_after: license.ends(),
        support_until: license.support_until,
        features: List::new(product.features.iter().map(scale).collect())?,
    })
}

/// An upper bound of the encoded size of a token, in bytes.
#[must_use]
pub fn encoded_size(product: &Product) -> usize {
    const FIXED: usize = 16 + 1 + 5 + 10 + 11 + 11 + 2;
    const FEATURE: usize = 5 + (1 + 1 + 4 * 5) + 1;
    let text = |text: &str| text.len() + 1;
    let features: usize = product.features.iter().map(|feature| FEATURE + text(&feature.name)).sum();
    FIXED + text(&product.name) + features
}

/// The strictest of what the held products allow, or the default where nothing is held.
#[must_use]
pub fn policy_of<'a>(products: impl Iterator<Item = &'a Product>) -> ProductPolicy {
    let strictest = |a: ProductPolicy, b: ProductPolicy| ProductPolicy {
        lease: a.lease.min(b.lease),
        grace: a.grace.min(b.grace),
        longest_planned_change: a.longest_planned_change.min(b.longest_planned_change),
        ..a
    };
    products.map(|product| product.policy).reduce(strictest).unwrap_or_default()
}

/// The rules of the binding, with the grace of the held products.
#[must_use]
pub fn binding_policy(policy: &ProductPolicy) -> BindingPolicy {
    BindingPolicy { grace: policy.grace, ..BindingPolicy::default() }
}

/// The grant that states `record` and what it holds. `held` is in order of licenses. It fails only if more is
/// held than activation allows.
pub fn grant(
    issuer: IssuerId,
    record: &DeviceRecord,
    held: &[Held<'_>],
    now: Timestamp,
) -> Result<Grant, BoundError> {
    let policy = policy_of(held.iter().map(|(_, product, _)| *product));
    Ok(Grant {
        issuer,
        device: record.id(),
        position: record.position,
        executed: record.seen,
        issued_at: now,
        tokens: List::new(held.iter().map(token).collect::<Result<_, _>>()?)?,
        binding: record.binding.clone(),
        policy: binding_policy(&policy),
        lease_until: record.lease_until,
        hold: record.case.map(|case| Hold { case: case.id, until: case.until }),
        planned_change: record.planned,
        max_off: MAX_OFF,
    })
}
