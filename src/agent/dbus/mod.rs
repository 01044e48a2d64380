//! The D-Bus interfaces of the agent: name `io.landfast.Agent1`, path `/io/landfast/Agent1`. `docs/dbus.md` describes
//! them; the `.xml` files beside this one are compared with what the bus is told.

mod admin;
mod binding;
mod bus;
mod entitlements;
mod error;
mod face;
mod licenses;
#[cfg(test)]
mod tests;

pub use bus::{Bus, BusError};
pub use face::Face;

use crate::desk::Desk;
use tokio::sync::watch;

/// The well-known name.
pub const NAME: &str = "io.landfast.Agent1";
/// The object that has all interfaces but the licenses, which are below it.
pub const PATH: &str = "/io/landfast/Agent1";

/// Connects to the bus and takes the name. Without a bus the agent goes on: [`Face::problem`] says why, and
/// [`Face::run`] tries again from time to time. It ends when `shutdown` becomes true or its sender is dropped.
pub async fn serve(desk: Desk, bus: Bus, shutdown: watch::Receiver<bool>) -> Face {
    Face::connect(desk, bus, shutdown).await
}
