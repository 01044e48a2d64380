//! `landfast-authority product`

use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::organization::name;
use crate::commands::output::{Report, table, time};
use crate::domain::catalog::{self, Name, ProductPolicy, ReturnPolicy, TooLittleEvidence};
use crate::storage::admin::add_product;
use crate::storage::sqlite::{report, transaction};
use clap::{Args, Subcommand, ValueEnum};
use landfast_protocol::grant::Feature;
use landfast_protocol::{Duration, List, Text};
use serde_json::{Value, json};

/// What is licensed.
#[derive(Debug, Subcommand)]
pub enum Product {
    /// Add a product with its features.
    Add(Add),
    /// List all products.
    List,
}

/// Add a product with its features.
#[derive(Debug, Args)]
pub struct Add {
    /// Its name, unique here.
    #[arg(value_parser = name)]
    name: Name,
    /// What one unit grants: NAME, NAME=QUANTITY, and after colons `version=2.5` for the newest version it may be
    /// used with, and `advisory` for a feature that is never switched off. May be given several times.
    #[arg(long, required = true, value_name = "FEATURE", value_parser = feature)]
    feature: Vec<Feature>,
    /// For devices whose hardware cannot be told from others.
    #[arg(long, value_enum, default_value_t = TooLittle::Lease)]
    too_little_evidence: TooLittle,
    /// How long a leased grant lasts without another exchange.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    lease_days: u16,
    /// How long a broken binding stays granted.
    #[arg(long, default_value_t = 14, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(0..=3650))]
    grace_days: u16,
    /// Whether devices may give licenses back.
    #[arg(long, value_enum, default_value_t = Returns::Allow)]
    return_policy: Returns,
    /// The longest window for a planned change (`landfast plan-change`), in which a device takes over changed
    /// hardware by itself, once. 0 refuses all.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(0..=3650))]
    planned_change_days: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TooLittle {
    /// Lend to them.
    Lease,
    /// Refuse them.
    Refuse,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Returns {
    /// At any time.
    Allow,
    /// Never.
    Deny,
}

/// `NAME[=QUANTITY][:version=V][:advisory]`
fn feature(text: &str) -> Result<Feature, String> {
    let mut parts = text.split(':');
    let head = parts.next().unwrap_or_default();
    let (name, quantity) = head.split_once('=').unwrap_or((head, "1"));
    if name.is_empty() {
        return Err("a feature needs a name".to_owned());
    }
    let mut feature = Feature {
        name: Text::new(name).map_err(|error| format!("the feature's name does not fit: {error}"))?,
        quantity: quantity
            .parse()
            .ok()
            .filter(|quantity| *quantity > 0)
            .ok_or("the quantity is a number from 1 on")?,
        version_limit: None,
        advisory: false,
    };
    for part in parts {
        match part.split_once('=') {
            Some(("version", limit)) => feature.version_limit = Some(limit.parse()?),
            None if part == "advisory" => feature.advisory = true,
            _ => return Err(format!("{part:?} is neither version=V nor advisory")),
        }
    }
    Ok(feature)
}

impl Add {
    fn product(self, context: &Context) -> Result<catalog::Product, CommandError> {
        let mut names: Vec<_> = self.feature.iter().map(|feature| feature.name.clone()).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(CommandError::Usage(format!(
                "the feature {} is given twice; name each once",
                twice[0]
            )));
        }
        let too_many =
            |_| CommandError::Usage("a product has at most 32 features; split it in two".to_owned());
        Ok(catalog::Product {
            name: self.name,
            features: List::new(self.feature).map_err(too_many)?,
            policy: ProductPolicy {
                too_little_evidence: match self.too_little_evidence {
                    TooLittle::Lease => TooLittleEvidence::Lease,
                    TooLittle::Refuse => TooLittleEvidence::Refuse,
                },
                lease: Duration::days(self.lease_days.into()),
                grace: Duration::days(self.grace_days.into()),
                returns: match self.return_policy {
                    Returns::Allow => ReturnPolicy::Allow,
                    Returns::Deny => ReturnPolicy::Deny,
                },
                longest_planned_change: Duration::days(self.planned_change_days.into()),
            },
            added_at: context.act().now,
        })
    }
}

impl Product {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::Add(add) => {
                let product = add.product(context)?;
                let (act, added) = (context.act(), product.clone());
                transaction(&mut connection, async |ledger| add_product(ledger, &act, added).await).await?;
                Ok(Report::new(format!("added product {}", product.name), view(&product)))
            }
            Self::List => {
                let products = report::products(&mut connection).await?;
                let rows = products.iter().map(|product| {
                    let features: Vec<_> = product.features.iter().map(short).collect();
                    [product.name.to_string(), features.join(" "), policy(&product.policy)]
                });
                let none =
                    "no products yet; add one with `landfast-authority product add NAME --feature FEATURE`";
                let text = table(["PRODUCT", "FEATURES OF ONE UNIT", "POLICY"], rows.collect(), none);
                Ok(Report::new(text, Value::Array(products.iter().map(view).collect())))
            }
        }
    }
}

/// As it was written.
fn short(feature: &Feature) -> String {
    let mut text = format!("{}={}", feature.name, feature.quantity);
    if let Some(limit) = &feature.version_limit {
        text.push_str(&format!(":version={limit}"));
    }
    if feature.advisory {
        text.push_str(":advisory");
    }
    text
}

fn policy(policy: &ProductPolicy) -> String {
    let days = |span: Duration| span.0 / 86_400;
    let evidence = match policy.too_little_evidence {
        TooLittleEvidence::Lease => format!("lease {}d", days(policy.lease)),
        TooLittleEvidence::Refuse => "refuse".to_owned(),
    };
    let returns = if policy.returns == ReturnPolicy::Deny { ", no returns" } else { "" };
    let planned = match policy.longest_planned_change {
        Duration(0) => "no planned changes".to_owned(),
        longest => format!("planned change {}d", days(longest)),
    };
    format!("grace {}d, {planned}, too little evidence: {evidence}{returns}", days(policy.grace))
}

fn view(product: &catalog::Product) -> Value {
    let features = product.features.iter().map(|feature| {
        json!({
            "name": feature.name,
            "quantity": feature.quantity,
            "version_limit": feature.version_limit.as_ref().map(ToString::to_string),
            "advisory": feature.advisory,
        })
    });
    json!({
        "product": product.name,
        "features": features.collect::<Vec<_>>(),
        "policy": product.policy,
        "added_at": time(product.added_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_as_they_are_shown() {
        for text in ["points=500:version=2.5:advisory", "editor=1", "camera=16:advisory"] {
            assert_eq!(short(&feature(text).unwrap()), text);
        }
        assert_eq!(short(&feature("editor").unwrap()), "editor=1");
        for wrong in ["", "=3", "a=0", "a=x", "a:version=x", "a:free"] {
            assert!(feature(wrong).is_err(), "{wrong}");
        }
    }
}
