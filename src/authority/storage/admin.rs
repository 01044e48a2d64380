//! What the vendor's people do, each as one transaction over any [`Ledger`].

use crate::domain::catalog::{License, LicenseRule, Name, Organization, Product, Term};
use crate::domain::history::Event;
use crate::domain::intervention;
use crate::signer::{SignError, Signer};
use crate::storage::{Case, Changes, Ledger, StorageError};
use landfast_protocol::{BoundError, CaseId, DeviceId, Duration, LicenseId, Text, Timestamp};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Names are unique.
    #[error("there is a {what} named {name:?} already; choose another name")]
    Exists {
        /// Of which kind.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It cannot be found.
    #[error("there is no {what} {name}; see `landfast-authority {command}`")]
    Missing {
        /// Of which kind.
        what: &'static str,
        /// How it was named.
        name: String,
        /// Where to look.
        command: &'static str,
    },
    /// The license makes no sense.
    #[error(transparent)]
    License(#[from] LicenseRule),
    /// Nothing would change.
    #[error("{0}")]
    Nothing(String),
    /// Epochs only rise.
    #[error("epoch {wanted} is not above {current}, where the database is; give a higher one with --to")]
    EpochNotHigher {
        /// The database's.
        current: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// The store has trouble.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An update could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// An update breaks a limit of the protocol.
    #[error("the update breaks a limit of the protocol: {0}")]
    Limit(#[from] BoundError),
}

/// Who acts, and when.
#[derive(Clone, Debug)]
pub struct Act {
    /// For the history: `operator` and a name.
    pub actor: Text<80>,
    /// The time.
    pub now: Timestamp,
}

impl Act {
    fn change(&self, changes: Changes, event: Event) -> Changes {
        changes.note(self.now, &self.actor, event)
    }
}

/// Creates a customer.
pub async fn add_organization<L: Ledger>(ledger: &mut L, act: &Act, name: Name) -> Result<(), AdminError> {
    if ledger.organization(&name).await?.is_some() {
        return Err(AdminError::Exists { what: "organization", name: name.to_string() });
    }
    let event = Event::OrganizationAdded { organization: name.clone() };
    let organization = Some(Organization { name, added_at: act.now });
    Ok(ledger.save(act.change(Changes { organization, ..Changes::default() }, event)).await?)
}

/// Creates a product.
pub async fn add_product<L: Ledger>(ledger: &mut L, act: &Act, product: Product) -> Result<(), AdminError> {
    if ledger.product(&product.name).await?.is_some() {
        return Err(AdminError::Exists { what: "product", name: product.name.to_string() });
    }
    let event = Event::ProductAdded { product: product.name.clone() };
    Ok(ledger.save(act.change(Changes { product: Some(product), ..Changes::default() }, event)).await?)
}

/// Creates a license of an existing product for an existing customer.
pub async fn add_license<L: Ledger>(ledger: &mut L, act: &Act, license: License) -> Result<(), AdminError> {
    license.check()?;
    let missing = |what, name: &Name, command| AdminError::Missing { what, name: name.to_string(), command };
    if ledger.organization(&license.organization).await?.is_none() {
        return Err(missing("organization", &license.organization, "organization list"));
    }
    if ledger.product(&license.product).await?.is_none() {
        return Err(missing("product", &license.product, "product list"));
    }
    let event = Event::LicenseAdded {
        license: license.id,
        organization: license.organization.clone(),
        product: license.product.clone(),
        model: license.model,
        quantity: license.quantity,
        devices: license.devices,
    };
    Ok(ledger.save(act.change(Changes { license: Some(license), ..Changes::default() }, event)).await?)
}

/// What is to change of a license; none leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewTerms {
    /// Units that there are.
    pub quantity: Option<u32>,
    /// On how many devices at a time.
    pub devices: Option<u32>,
    /// When it ends.
    pub not_after: Option<Timestamp>,
    /// How long it lasts, counted from the first activation on.
    pub length: Option<Duration>,
    /// Until when it is supported.
    pub support_until: Option<Timestamp>,
}

impl NewTerms {
    fn apply(self, license: &mut License) {
        license.quantity = self.quantity.unwrap_or(license.quantity);
        license.devices = self.devices.unwrap_or(license.devices);
        license.support_until = self.support_until.or(license.support_until);
        if let Some(until) = self.not_after {
            license.term = Term::Until(until);
        }
        if let Some(length) = self.length {
            let started = match license.term {
                Term::Counted { started, .. } => started,
                Term::Endless | Term::Until(_) => None,
            };
            license.term = Term::Counted { length, started };
        }
    }
}

/// Expands or renews a license. Devices get the new terms with their next exchange.
pub async fn change_license<L: Ledger>(
    ledger: &mut L,
    act: &Act,
    id: &LicenseId,
    terms: NewTerms,
) -> Result<License, AdminError> {
    let before = ledger.license(id).await?.ok_or_else(|| missing_license(id))?;
    let mut license = before.clone();
    terms.apply(&mut license);
    license.check()?;
    if license == before {
        return Err(AdminError::Nothing("the license has these terms already".to_owned()));
    }
    let holders = ledger.holders(id).await?;
    let units = holders.iter().fold(0u32, |sum, (_, units)| sum.saturating_add(*units));
    if units > license.quantity || holders.len() > license.devices as usize {
        return Err(AdminError::Nothing(format!(
            "{} devices hold {units} units of license {id}; return or reset some first, see `landfast-authority \
             license show`",
            holders.len()
        )));
    }
    let event = Event::LicenseChanged {
        license: *id,
        quantity: license.quantity,
        devices: license.devices,
        not_after: license.ends(),
        support_until: license.support_until,
    };
    let changes = Changes { changed: Some(license.clone()), ..Changes::default() };
    ledger.save(act.change(changes, event)).await?;
    Ok(license)
}

/// Stops further activations of a license. Gives the number of devices that hold it.
pub async fn withdraw<L: Ledger>(ledger: &mut L, act: &Act, id: &LicenseId) -> Result<usize, AdminError> {
    let found = ledger.license(id).await?.ok_or_else(|| missing_license(id))?;
    if found.withdrawn_at.is_some() {
        return Err(AdminError::Nothing(format!("license {id} was withdrawn before")));
    }
    let holders = ledger.holders(id).await?.len();
    let changed = Some(License { withdrawn_at: Some(act.now), ..found });
    let event = Event::LicenseWithdrawn { license: *id };
    ledger.save(act.change(Changes { changed, ..Changes::default() }, event)).await?;
    Ok(holders)
}

/// Frees what a device holds of a license without the device's proof. Gives the number of units freed.
pub async fn reset<L: Ledger>(
    ledger: &mut L,
    act: &Act,
    device: &DeviceId,
    license: &LicenseId,
) -> Result<u32, AdminError> {
    let record = ledger.device(device).await?.ok_or_else(|| missing_device(device))?;
    let held = ledger.licenses(device, &[*license]).await?.get(license).map_or(0, |facts| facts.held);
    if held == 0 {
        let short = device.short();
        return Err(AdminError::Nothing(format!(
            "device {short} does not hold this license; nothing to free"
        )));
    }
    let (record, holding, event) = intervention::reset(record, *license, held, ledger.epoch().await?);
    let changes = Changes { device: Some(record), holdings: vec![holding], ..Changes::default() };
    ledger.save(act.change(changes, event)).await?;
    Ok(held)
}

/// Answers an open case: the device's history goes on from here.
pub async fn resolve<L: Ledger>(ledger: &mut L, act: &Act, case: &CaseId) -> Result<Case, AdminError> {
    let missing = || AdminError::Missing { what: "case", name: case.to_string(), command: "case list" };
    let found = ledger.case(case).await?.ok_or_else(missing)?;
    let record = ledger.device(&found.device).await?.ok_or_else(|| missing_device(&found.device))?;
    if record.case.map(|open| open.id) != Some(*case) {
        return Err(AdminError::Nothing(format!("case {case} was resolved before")));
    }
    let resolved = intervention::resolve(record, ledger.epoch().await?);
    let Some((record, _, event)) = resolved else { return Err(missing()) };
    let closed = Case { resolved_at: Some(act.now), ..found };
    let changes = Changes { device: Some(record), case: Some(closed), ..Changes::default() };
    ledger.save(act.change(changes, event)).await?;
    Ok(closed)
}

/// Signs an answer without a request, with the newest terms of what the device holds.
pub async fn update<L: Ledger>(
    ledger: &mut L,
    act: &Act,
    signer: &Signer,
    device: &DeviceId,
) -> Result<Vec<u8>, AdminError> {
    let record = ledger.device(device).await?.ok_or_else(|| missing_device(device))?;
    let licenses = ledger.licenses(device, &[]).await?;
    let epoch = ledger.epoch().await?;
    let (record, grant, response, event) =
        intervention::update(record, &licenses, signer.issuer(), epoch, act.now)?;
    let grant = signer.grant(&grant)?;
    let response = signer.response(response, grant.clone())?;
    let changes = Changes { device: Some(record), grant: Some(grant), ..Changes::default() };
    ledger.save(act.change(changes, event)).await?;
    Ok(response)
}

/// Begins a new epoch after the database was set back: the next one, or a given higher one.
pub async fn raise_epoch<L: Ledger>(
    ledger: &mut L,
    act: &Act,
    to: Option<u32>,
) -> Result<(u32, u32), AdminError> {
    let from = ledger.epoch().await?;
    let to = to.unwrap_or(from.saturating_add(1));
    if to <= from {
        return Err(AdminError::EpochNotHigher { current: from, wanted: to });
    }
    let changes = Changes { epoch: Some(to), ..Changes::default() };
    ledger.save(act.change(changes, Event::EpochRaised { from, to })).await?;
    Ok((from, to))
}

fn missing_device(device: &DeviceId) -> AdminError {
    AdminError::Missing { what: "device", name: device.to_string(), command: "device list" }
}

fn missing_license(license: &LicenseId) -> AdminError {
    AdminError::Missing { what: "license", name: license.to_string(), command: "license list" }
}
