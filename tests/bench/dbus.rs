//! Check over D-Bus beside a bare service with a constant answer of the same signature.

use crate::figure::{Bar, Figure, Floor};
use crate::stopwatch::{Stopwatch, median};
use anyhow::Result;
use landfast_tests::harness::{Bus, Process, build_directory};
use std::path::Path;
use std::process::Command;
use zbus::Connection;

const ROUNDS: usize = 9;
const CALLS: usize = 1500;

pub fn measure(directory: &Path, bus: &Bus) -> Result<Figure> {
    let mut command = Command::new(build_directory()?.join("bare-dbus"));
    let _floor = Process::start(command.arg(&bus.address), &directory.join("bare-dbus.log"))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(compare(&bus.address))
}

async fn compare(address: &str) -> Result<Figure> {
    let connection = zbus::connection::Builder::address(address).build().await?;
    wait_for_name(&connection, "io.landfast.Bare1").await?;
    wait_for_name(&connection, "io.landfast.Agent1").await?;
    let (mut ratios, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bare = p50(&connection, "io.landfast.Bare1").await?;
        let ours = p50(&connection, "io.landfast.Agent1").await?;
        ratios.push(ours / bare);
        floors.push(bare);
    }
    Ok(Figure {
        name: "dbus_check_ratio",
        value: median(ratios),
        unit: "x",
        floor: Some(Floor { value: median(floors), unit: "us", what: "p50 of a bare zbus service" }),
        bar: Some(Bar::AtMost(1.2)),
        how: format!(
            "p50 of {CALLS} calls of Check over dbus-daemon, {ROUNDS} rounds, 100 licenses, all on one CPU"
        ),
    })
}

pub async fn wait_for_name(connection: &Connection, name: &str) -> Result<()> {
    let bus = zbus::fdo::DBusProxy::new(connection).await?;
    let mut changes = bus.receive_name_owner_changed().await?;
    while !bus.name_has_owner(name.try_into()?).await? {
        futures_util::StreamExt::next(&mut changes).await;
    }
    Ok(())
}

async fn p50(connection: &Connection, service: &str) -> Result<f64> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let watch = Stopwatch::start();
        let body = ("points", 1u32, "", "");
        let path = "/io/landfast/Agent1";
        connection
            .call_method(Some(service), path, Some("io.landfast.Entitlements1"), "Check", &body)
            .await?;
        times.push(watch.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
