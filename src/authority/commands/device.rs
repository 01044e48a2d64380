//! `landfast-authority device`

use crate::commands::Context;
use crate::commands::aside::Aside;
use crate::commands::error::CommandError;
use crate::commands::output::{Report, optional_time, table, time};
use crate::domain::device::DeviceRecord;
use crate::storage::admin::{self, AdminError};
use crate::storage::sqlite::{report, transaction};
use clap::Subcommand;
use landfast_protocol::DeviceId;
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use std::path::PathBuf;

/// The machines that hold licenses.
#[derive(Debug, Subcommand)]
pub enum Device {
    /// List all devices.
    List,
    /// Show one device and what it holds.
    Show {
        /// Its id, or the first digits of it.
        device: String,
    },
    /// Write a response file with the newest terms of what a device holds, to be imported there.
    Update {
        /// Its id, or the first digits of it.
        device: String,
        /// The file to write.
        #[arg(long, value_name = "FILE.lfres")]
        output: PathBuf,
    },
}

impl Device {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        let mut connection = context.connect().await?;
        match self {
            Self::List => list(&mut connection).await,
            Self::Show { device } => show(&mut connection, &device).await,
            Self::Update { device, output } => {
                let id = find_device(&mut connection, &device).await?;
                let (act, signer) = (context.act(), context.home()?.signer()?);
                // What cannot be written is not issued, and what was issued is not lost half-written.
                let file = transaction(&mut connection, async |ledger| {
                    Aside::write(&output, &admin::update(ledger, &act, &signer, &id).await?)
                })
                .await?;
                file.put()?;
                let text = format!(
                    "wrote {}; on the device: landfast import {}",
                    output.display(),
                    output.file_name().unwrap_or_default().display()
                );
                Ok(Report::new(text, json!({ "device": id, "output": output })))
            }
        }
    }
}

async fn list(connection: &mut SqliteConnection) -> Result<Report, CommandError> {
    let devices = report::devices(connection).await?;
    let rows = devices.iter().map(|(device, licenses)| {
        [
            device.id().short(),
            device.label.as_deref().unwrap_or("-").to_owned(),
            licenses.to_string(),
            state(device).to_owned(),
            time(device.last_seen),
        ]
    });
    let header = ["DEVICE", "LABEL", "LICENSES", "STATE", "LAST SEEN"];
    let text = table(header, rows.collect(), "no device has activated anything yet");
    let json = devices.iter().map(|(device, licenses)| view(device, *licenses));
    Ok(Report::new(text, Value::Array(json.collect())))
}

async fn show(connection: &mut SqliteConnection, named: &str) -> Result<Report, CommandError> {
    let id = find_device(connection, named).await?;
    let devices = report::devices(connection).await?;
    let Some((device, licenses)) = devices.into_iter().find(|(device, _)| device.id() == id) else {
        return Err(unknown(named));
    };
    let holdings = report::holdings(connection, &id).await?;
    let rows = holdings.iter().map(|(license, units)| {
        let (organization, product) = (license.organization.to_string(), license.product.to_string());
        [license.id.short(), organization, product, units.to_string()]
    });
    let holding = table(["LICENSE", "ORGANIZATION", "PRODUCT", "UNITS"], rows.collect(), "it holds nothing");
    let text = format!(
        "device       {id}\nlabel        {}\nsystem       {} {}, agent {}\nstate        {}\nlease until  {}\n\
         swap until   {}\nfirst seen   {}\nlast seen    {}\n\n{holding}",
        device.label.as_deref().unwrap_or("-"),
        device.system.os,
        device.system.architecture,
        device.system.agent,
        state(&device),
        optional_time(device.lease_until),
        optional_time(device.planned.map(|plan| plan.until)),
        time(device.first_seen),
        time(device.last_seen),
    );
    let mut json = view(&device, licenses);
    json["holdings"] = holdings
        .iter()
        .map(|(license, units)| {
            json!({
                "license": license.id,
                "organization": license.organization,
                "product": license.product,
                "units": units,
            })
        })
        .collect();
    Ok(Report::new(text, json))
}

/// In a word.
fn state(device: &DeviceRecord) -> &'static str {
    match () {
        () if device.retired => "retired",
        () if device.case.is_some() => "on hold",
        () if device.lease_until.is_some() => "leased",
        () if device.binding.is_some() => "bound",
        () => "not bound",
    }
}

fn view(device: &DeviceRecord, licenses: u64) -> Value {
    json!({
        "device": device.id(),
        "label": device.label,
        "state": state(device),
        "verdict": device.verdict,
        "case": device.case.map(|case| case.id),
        "licenses": licenses,
        "lease_until": device.lease_until.map(time),
        "planned_change_until": device.planned.map(|plan| time(plan.until)),
        "position": device.position,
        "system": device.system,
        "first_seen": time(device.first_seen),
        "last_seen": time(device.last_seen),
    })
}

/// By id, or the first digits of it.
pub async fn find_device(connection: &mut SqliteConnection, named: &str) -> Result<DeviceId, CommandError> {
    match report::devices_starting(connection, named).await?.as_slice() {
        [] => Err(unknown(named)),
        [one] => Ok(*one),
        _ => Err(CommandError::Input(format!("several devices start with {named}; give more digits"))),
    }
}

fn unknown(named: &str) -> CommandError {
    let (what, name, command) = ("device", named.to_owned(), "device list");
    CommandError::Admin(AdminError::Missing { what, name, command })
}
