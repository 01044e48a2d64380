//! io.landfast.Licenses1: one license held, one object each, below the agent's ObjectManager. For everyone.

use crate::dbus::PATH;
use landfast_core::Snapshot;
use landfast_core::view::LicenseView;
use landfast_protocol::{LicenseId, Timestamp};
use std::collections::{BTreeMap, HashMap};
use zbus::object_server::Interface;
use zbus::{Connection, Variant};

/// One license, as the bus sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    issuer: String,
    view: LicenseView,
}

/// name, quantity, newest version (empty for all), never switched off.
type Feature = (String, u32, String, bool);

#[zbus::interface(name = "io.landfast.Licenses1", introspection_docs = false)]
impl License {
    /// The issuer's configured name.
    #[zbus(property(emits_changed_signal = "const"))]
    fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The license id.
    #[zbus(property(emits_changed_signal = "const"))]
    fn license(&self) -> String {
        self.view.license.to_string()
    }

    /// The product.
    #[zbus(property)]
    fn product(&self) -> &str {
        &self.view.product
    }

    /// `perpetual`, `subscription` or `trial`.
    #[zbus(property)]
    fn model(&self) -> &str {
        self.view.model
    }

    /// Units held here.
    #[zbus(property)]
    fn quantity(&self) -> u32 {
        self.view.quantity
    }

    /// Start of the right, in seconds since 1970.
    #[zbus(property)]
    fn not_before(&self) -> i64 {
        seconds(Some(self.view.not_before))
    }

    /// End of the right, in seconds since 1970; 0 for never.
    #[zbus(property)]
    fn not_after(&self) -> i64 {
        seconds(self.view.not_after)
    }

    /// End of the vendor's support, in seconds since 1970; 0 for none.
    #[zbus(property)]
    fn support_until(&self) -> i64 {
        seconds(self.view.support_until)
    }

    /// What it grants.
    #[zbus(property)]
    fn features(&self) -> Vec<Feature> {
        let feature = |feature: &landfast_core::view::FeatureView| {
            let limit = feature.version_limit.clone().unwrap_or_default();
            (feature.name.clone(), feature.quantity, limit, feature.advisory)
        };
        self.view.features.iter().map(feature).collect()
    }
}

fn seconds(at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| i64::try_from(at.0).unwrap_or(i64::MAX))
}

impl License {
    /// The properties that differ from `before`, with their new values.
    fn news(&self, before: &Self) -> HashMap<&'static str, Variant<'_>> {
        let mut news = HashMap::new();
        let mut tell = |name, differs: bool, value| {
            if differs {
                news.insert(name, value);
            }
        };
        tell("Product", self.product() != before.product(), Variant::from(self.product()));
        tell("Model", self.model() != before.model(), Variant::from(self.model()));
        tell("Quantity", self.quantity() != before.quantity(), Variant::from(self.quantity()));
        tell("NotBefore", self.not_before() != before.not_before(), Variant::from(self.not_before()));
        tell("NotAfter", self.not_after() != before.not_after(), Variant::from(self.not_after()));
        tell(
            "SupportUntil",
            self.support_until() != before.support_until(),
            Variant::from(self.support_until()),
        );
        tell("Features", self.features() != before.features(), Variant::from(self.features()));
        news
    }
}

/// The license objects that are on the bus.
#[derive(Default)]
pub struct Shelf {
    shown: BTreeMap<LicenseId, License>,
}

impl Shelf {
    /// Adds, removes and changes objects until they are what `snapshot` holds.
    pub async fn arrange(&mut self, connection: &Connection, snapshot: &Snapshot) -> zbus::Result<()> {
        let held: BTreeMap<LicenseId, License> = snapshot
            .issuers
            .iter()
            .flat_map(|view| view.licenses.iter().map(|license| (license.license, of(&view.name, license))))
            .collect();
        let server = connection.object_server();
        let gone: Vec<LicenseId> = self.shown.keys().filter(|id| !held.contains_key(id)).copied().collect();
        for id in gone {
            server.remove::<License, _>(path(id)).await?;
            self.shown.remove(&id);
        }
        for (id, license) in held {
            match self.shown.get(&id) {
                Some(shown) if *shown == license => {}
                Some(shown) => {
                    let object = server.interface::<_, License>(path(id)).await?;
                    *object.get_mut().await = license.clone();
                    let (name, news) = (License::name(), license.news(shown));
                    let emitter = object.signal_emitter();
                    zbus::fdo::Properties::properties_changed(emitter, name, news, [].as_slice().into())
                        .await?;
                    self.shown.insert(id, license);
                }
                None => {
                    server.at(path(id), license.clone()).await?;
                    self.shown.insert(id, license);
                }
            }
        }
        Ok(())
    }
}

fn of(issuer: &str, view: &LicenseView) -> License {
    License { issuer: issuer.to_owned(), view: view.clone() }
}

/// The object of a license.
pub fn path(license: LicenseId) -> String {
    format!("{PATH}/license_{license}")
}
