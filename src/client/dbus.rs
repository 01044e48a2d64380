//! The same over D-Bus, for applications that are on the bus anyway: feature `dbus`.
//!
//! ```no_run
//! use landfast_client::{Question, dbus::Bus};
//!
//! # async fn example() -> zbus::Result<()> {
//! let bus = Bus::system().await?;
//! let answer = bus.check(&Question::of("analytics").quantity(4)).await?;
//! println!("{}: {}", answer.feature, if answer.granted { "on" } else { "off" });
//! # Ok(())
//! # }
//! ```
//!
//! [`Bus::entitlements`] and [`Bus::binding`] give the proxies themselves, with their signals.

mod binding;
mod entitlements;
mod licenses;

pub use binding::{BindingProxy, Factor, Group};
pub use entitlements::{Answer, EntitlementsProxy, Entry};
/// The zbus that the proxies are made with.
pub use zbus;

use crate::Question;
use landfast_protocol::local::{Check, License};
use zbus::Connection;
use zbus::fdo::ObjectManagerProxy;

/// The agent's well-known name.
pub const NAME: &str = "io.landfast.Agent1";
/// The agent's object; licenses are below it.
pub const PATH: &str = "/io/landfast/Agent1";

/// The agent, as its bus shows it.
#[derive(Clone, Debug)]
pub struct Bus {
    connection: Connection,
}

impl Bus {
    /// On the bus of the machine, where an installed agent is.
    pub async fn system() -> zbus::Result<Self> {
        Connection::system().await.map(Self::on)
    }

    /// On the bus of the user, for an agent that was started with `--bus session`.
    pub async fn session() -> zbus::Result<Self> {
        Connection::session().await.map(Self::on)
    }

    /// On a connection that the application has already.
    #[must_use]
    pub fn on(connection: Connection) -> Self {
        Self { connection }
    }

    /// May this feature be used? A denial is an answer, not an error.
    pub async fn check(&self, question: &Question) -> zbus::Result<Check> {
        let (feature, quantity, version, issuer) = question.parts();
        let answer = self.entitlements().await?.check(feature, quantity, version, issuer).await?;
        Ok(entitlements::check(feature, answer))
    }

    /// Every feature that an issuer knows here, each checked for one unit.
    pub async fn list(&self) -> zbus::Result<Vec<Check>> {
        let entries = self.entitlements().await?.list().await?;
        Ok(entries.into_iter().map(entitlements::entry).collect())
    }

    /// Every license held, less what was given back.
    pub async fn licenses(&self) -> zbus::Result<Vec<License>> {
        let manager = ObjectManagerProxy::new(&self.connection, NAME, PATH).await?;
        licenses::held(manager.get_managed_objects().await?)
    }

    /// `io.landfast.Entitlements1`, with its signal.
    pub async fn entitlements(&self) -> zbus::Result<EntitlementsProxy<'static>> {
        EntitlementsProxy::new(&self.connection).await
    }

    /// `io.landfast.Binding1`, with its properties and its signal.
    pub async fn binding(&self) -> zbus::Result<BindingProxy<'static>> {
        BindingProxy::new(&self.connection).await
    }
}
