//! `landfast-authority license`

use crate::adapters::Entropy;
use crate::commands::Context;
use crate::commands::device::find_device;
use crate::commands::error::CommandError;
use crate::commands::organization::name;
use crate::commands::output::{Report, optional_time, parse_days, parse_time, table, time};
use crate::domain::catalog::{self, Name, Term};
use crate::home::HomeError;
use crate::storage::admin::{self, AdminError, NewTerms};
use crate::storage::sqlite::report::{self, Held, Holder};
use crate::storage::sqlite::transaction;
use clap::{Args, Subcommand, ValueEnum};
use landfast_protocol::grant::Model;
use landfast_protocol::{ActivationId, Duration, LicenseId, Timestamp};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

/// What is sold, and who holds it.
#[derive(Debug, Subcommand)]
pub enum License {
    /// Add a license; prints the activation id to give to the customer.
    Add(Add),
    /// List all licenses.
    List,
    /// Show one license with its activation id and the devices that hold it.
    Show {
        /// Its activation id, its license id, or the first digits of that.
        license: String,
    },
    /// Expand or renew a license. Devices get the new terms with their next exchange (`landfast reclaim`), or with a
    /// file from `device update`.
    Change(Change),
    /// Stop further activations. Devices that hold the license keep it until it is reset there.
    Withdraw {
        /// Its activation id, its license id, or the first digits of that.
        license: String,
    },
    /// Free what a device holds without the device's proof, because the device is gone. The device may go on using
    /// it until its next exchange.
    Reset {
        /// Its activation id, its license id, or the first digits of that.
        license: String,
        /// The device's id, or the first digits of it.
        #[arg(long)]
        device: String,
    },
}

/// Add a license.
#[derive(Debug, Args)]
pub struct Add {
    /// The customer.
    #[arg(long, value_name = "NAME", value_parser = name)]
    organization: Name,
    /// The product.
    #[arg(long, value_name = "NAME", value_parser = name)]
    product: Name,
    /// How long it lasts.
    #[arg(long, value_enum, default_value_t = Kind::Perpetual)]
    model: Kind,
    /// First day or instant of the right; now if left out.
    #[arg(long, value_name = "DATE", value_parser = parse_time)]
    not_before: Option<Timestamp>,
    /// First day or instant after the right.
    #[arg(long, value_name = "DATE", value_parser = parse_time, conflicts_with = "term")]
    not_after: Option<Timestamp>,
    /// Instead: how long it lasts from the first activation on, like 365d.
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    term: Option<Duration>,
    /// Until when it is supported.
    #[arg(long, value_name = "DATE", value_parser = parse_time)]
    support_until: Option<Timestamp>,
    /// How many units there are.
    #[arg(long, default_value_t = 1, value_name = "N")]
    quantity: u32,
    /// On how many devices at a time.
    #[arg(long, default_value_t = 1, value_name = "N")]
    devices: u32,
}

/// Expand or renew a license.
#[derive(Debug, Args)]
pub struct Change {
    /// Its activation id, its license id, or the first digits of that.
    license: String,
    /// How many units there are. Devices that took their share get more, if there is more.
    #[arg(long, value_name = "N")]
    quantity: Option<u32>,
    /// On how many devices at a time.
    #[arg(long, value_name = "N")]
    devices: Option<u32>,
    /// First day or instant after the right.
    #[arg(long, value_name = "DATE", value_parser = parse_time, conflicts_with = "term")]
    not_after: Option<Timestamp>,
    /// Instead: how long it lasts from the first activation on, like 365d.
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    term: Option<Duration>,
    /// Until when it is supported.
    #[arg(long, value_name = "DATE", value_parser = parse_time)]
    support_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// For the life of the hardware.
    Perpetual,
    /// A paid term.
    Subscription,
    /// A free term.
    Trial,
}

impl Change {
    fn terms(&self) -> Result<NewTerms, CommandError> {
        let terms = NewTerms {
            quantity: self.quantity,
            devices: self.devices,
            not_after: self.not_after,
            length: self.term,
            support_until: self.support_until,
        };
        if terms == NewTerms::default() {
            let options = "--quantity, --devices, --not-after, --term or --support-until";
            return Err(CommandError::Usage(format!("say what to change: give {options}")));
        }
        Ok(terms)
    }
}

impl Add {
    fn license(self, context: &Context) -> Result<catalog::License, CommandError> {
        let now = context.act().now;
        let mut random = [0; 16];
        context.entropy.fill(&mut random).map_err(HomeError::from)?;
        let random = uuid::Builder::from_random_bytes(random).into_uuid().into_bytes();
        let activation = ActivationId::from_bytes(random);
        Ok(catalog::License {
            id: activation.license(&context.home()?.signer()?.issuer()),
            activation,
            organization: self.organization,
            product: self.product,
            model: match self.model {
                Kind::Perpetual => Model::Perpetual,
                Kind::Subscription => Model::Subscription,
                Kind::Trial => Model::Trial,
            },
            not_before: self.not_before.unwrap_or(now),
            term: match (self.not_after, self.term) {
                (Some(until), _) => Term::Until(until),
                (None, Some(length)) => Term::Counted { length, started: None },
                (None, None) => Term::Endless,
            },
            support_until: self.support_until,
            quantity: self.quantity,
            devices: self.devices,
            withdrawn_at: None,
            added_at: now,
        })
    }
}

impl License {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::Add(add) => {
                let license = add.license(context)?;
                let (act, added) = (context.act(), license.clone());
                transaction(&mut connection, async |ledger| admin::add_license(ledger, &act, added).await)
                    .await?;
                let mut json = view(&Held { license: license.clone(), units: 0, devices: 0 });
                json["activation_id"] = Value::from(license.activation.reveal());
                let text = format!(
                    "{}\nThis is the activation id of {} for {}. Treat it like a password.",
                    license.activation.reveal(),
                    license.product,
                    license.organization
                );
                Ok(Report::new(text, json))
            }
            Self::List => list(&mut connection).await,
            Self::Show { license } => show(&mut connection, context, &license).await,
            Self::Change(change) => {
                let id = find_license(&mut connection, context, &change.license).await?;
                let act = context.act();
                let terms = change.terms()?;
                transaction(&mut connection, async |ledger| {
                    admin::change_license(ledger, &act, &id, terms).await
                })
                .await?;
                show(&mut connection, context, &id.to_string()).await
            }
            Self::Withdraw { license } => {
                let id = find_license(&mut connection, context, &license).await?;
                let act = context.act();
                let holders =
                    transaction(&mut connection, async |ledger| admin::withdraw(ledger, &act, &id).await)
                        .await?;
                let text =
                    format!("withdrew license {id}; {holders} devices hold it until it is reset there");
                Ok(Report::new(text, json!({ "license": id, "devices_in_use": holders })))
            }
            Self::Reset { license, device } => {
                let id = find_license(&mut connection, context, &license).await?;
                let device = find_device(&mut connection, &device).await?;
                let act = context.act();
                let units = transaction(&mut connection, async |ledger| {
                    admin::reset(ledger, &act, &device, &id).await
                })
                .await?;
                let text = format!(
                    "freed {units} units of license {id}; device {} may go on until its next exchange",
                    device.short()
                );
                Ok(Report::new(text, json!({ "license": id, "device": device, "units": units })))
            }
        }
    }
}

async fn list(connection: &mut SqliteConnection) -> Result<Report, CommandError> {
    let licenses = report::licenses(connection).await?;
    let rows = licenses.iter().map(|held| {
        let license = &held.license;
        [
            license.id.short(),
            license.organization.to_string(),
            license.product.to_string(),
            license.model.name().to_owned(),
            ends(license),
            format!("{}/{}", held.units, license.quantity),
            format!("{}/{}", held.devices, license.devices),
        ]
    });
    let header = ["LICENSE", "ORGANIZATION", "PRODUCT", "MODEL", "ENDS", "UNITS", "DEVICES"];
    let text = table(header, rows.collect(), "no licenses yet; see `landfast-authority license add --help`");
    Ok(Report::new(text, Value::Array(licenses.iter().map(view).collect())))
}

async fn show(
    connection: &mut SqliteConnection,
    context: &Context,
    named: &str,
) -> Result<Report, CommandError> {
    let id = find_license(connection, context, named).await?;
    let all = report::licenses(connection).await?;
    let Some(held) = all.into_iter().find(|held| held.license.id == id) else { return Err(unknown(named)) };
    let holders = report::holders(connection, &id).await?;
    let license = &held.license;
    let rows = holders.iter().map(|holder| {
        [holder.device.short(), holder.label.as_deref().unwrap_or("-").to_owned(), holder.units.to_string()]
    });
    let holding = table(["DEVICE", "LABEL", "UNITS"], rows.collect(), "no device holds it");
    let withdrawn =
        license.withdrawn_at.map_or_else(String::new, |at| format!("\nwithdrawn      {}", time(at)));
    let text = format!(
        "license        {id}\nactivation id  {}\norganization   {}\nproduct        {}\nmodel          {}\n\
         starts         {}\nends           {}\nsupport until  {}\nunits          {} of {} held\n\
         devices        {} of {} in use{withdrawn}\n\n{holding}",
        license.activation.reveal(),
        license.organization,
        license.product,
        license.model.name(),
        time(license.starts()),
        ends(license),
        optional_time(license.support_until),
        held.units,
        license.quantity,
        held.devices,
        license.devices,
    );
    let mut json = view(&held);
    json["activation_id"] = Value::from(license.activation.reveal());
    json["holders"] = holders.iter().map(holder).collect();
    Ok(Report::new(text, json))
}

fn holder(holder: &Holder) -> Value {
    json!({ "device": holder.device, "label": holder.label, "units": holder.units })
}

/// The end of a license for people.
fn ends(license: &catalog::License) -> String {
    match license.term {
        Term::Counted { length, started: None } => format!("{}d after activation", length.0 / 86_400),
        _ => license.ends().map_or_else(|| "never".to_owned(), time),
    }
}

/// A license for programs, without its activation id.
fn view(held: &Held) -> Value {
    let license = &held.license;
    let term_days = match license.term {
        Term::Counted { length, .. } => Some(length.0 / 86_400),
        _ => None,
    };
    json!({
        "license": license.id,
        "organization": license.organization,
        "product": license.product,
        "model": license.model,
        "not_before": time(license.starts()),
        "not_after": license.ends().map(time),
        "term_days": term_days,
        "support_until": license.support_until.map(time),
        "quantity": license.quantity,
        "units_in_use": held.units,
        "devices": license.devices,
        "devices_in_use": held.devices,
        "withdrawn_at": license.withdrawn_at.map(time),
        "added_at": time(license.added_at),
    })
}

/// By activation id, license id, or the first digits of that.
async fn find_license(
    connection: &mut SqliteConnection,
    context: &Context,
    named: &str,
) -> Result<LicenseId, CommandError> {
    let digits = match named.parse::<ActivationId>() {
        Ok(activation) => activation.license(&context.home()?.signer()?.issuer()).to_string(),
        Err(_) => named.to_owned(),
    };
    match report::licenses_starting(connection, &digits).await?.as_slice() {
        [] => Err(unknown(named)),
        [one] => Ok(*one),
        _ => Err(CommandError::Input(format!("several licenses start with {named}; give more digits"))),
    }
}

fn unknown(named: &str) -> CommandError {
    let (what, name, command) = ("license", named.to_owned(), "license list");
    CommandError::Admin(AdminError::Missing { what, name, command })
}
