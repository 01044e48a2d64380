//! io.landfast.Licenses1: one license held, one object each.

use super::entitlements::{given, time};
use landfast_protocol::local::{Feature, License};
use std::collections::HashMap;
use zbus::OwnedVariant;
use zbus::fdo::ManagedObjects;

const INTERFACE: &str = "io.landfast.Licenses1";

/// name, quantity, newest version (empty for all), never switched off.
type Row = (String, u32, String, bool);

/// The licenses among the objects, by license id.
pub(super) fn held(objects: ManagedObjects) -> zbus::Result<Vec<License>> {
    let of_object = objects.into_values().filter_map(|mut interfaces| {
        let name = interfaces.keys().find(|name| name.as_str() == INTERFACE)?.clone();
        interfaces.remove(&name)
    });
    let mut licenses = of_object.map(license).collect::<zbus::Result<Vec<License>>>()?;
    licenses.sort_by_key(|license| license.license);
    Ok(licenses)
}

fn license(mut properties: HashMap<String, OwnedVariant>) -> zbus::Result<License> {
    let id: String = take(&mut properties, "License")?;
    let rows: Vec<Row> = take(&mut properties, "Features")?;
    Ok(License {
        issuer: take(&mut properties, "Issuer")?,
        license: id.parse().map_err(|error| zbus::Error::Failure(format!("License: {error}")))?,
        product: take(&mut properties, "Product")?,
        model: take(&mut properties, "Model")?,
        quantity: take(&mut properties, "Quantity")?,
        not_before: time(take(&mut properties, "NotBefore")?).unwrap_or_default(),
        not_after: time(take(&mut properties, "NotAfter")?),
        support_until: time(take(&mut properties, "SupportUntil")?),
        features: rows.into_iter().map(feature).collect(),
    })
}

fn feature((name, quantity, limit, advisory): Row) -> Feature {
    Feature { name, quantity, version_limit: given(limit), advisory }
}

fn take<T: TryFrom<OwnedVariant>>(
    properties: &mut HashMap<String, OwnedVariant>,
    name: &str,
) -> zbus::Result<T> {
    let wrong = || zbus::Error::Failure(format!("the agent's license has no usable {name}"));
    T::try_from(properties.remove(name).ok_or_else(wrong)?).map_err(|_| wrong())
}
