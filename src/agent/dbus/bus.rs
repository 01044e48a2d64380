//! Which bus, and how to get on it.

use crate::dbus::NAME;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use zbus::Connection;
use zbus::connection::Builder;

/// How long the bus may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A message bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// The bus of the machine.
    System,
    /// The bus of the user.
    Session,
    /// Another one, by its D-Bus address such as `unix:path=/tmp/bus`.
    Address(String),
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system bus"),
            Self::Session => f.write_str("session bus"),
            Self::Address(address) => write!(f, "bus at {address}"),
        }
    }
}

impl FromStr for Bus {
    type Err = &'static str;
    /// `system`, `session`, or an address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "system" => Ok(Self::System),
            "session" => Ok(Self::Session),
            address if address.contains(':') => Ok(Self::Address(address.to_owned())),
            _ => Err("a bus is `system`, `session` or a D-Bus address such as unix:path=/tmp/bus"),
        }
    }
}

/// Why the agent is not on the bus.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BusError {
    /// There is none, or it does not let us in.
    #[error("cannot connect to the {bus}: {source}; the agent goes on without it")]
    Connect {
        /// Which.
        bus: Bus,
        /// Why not.
        source: zbus::Error,
    },
    /// The objects could not be set up.
    #[error("cannot offer the interfaces on the {bus}: {source}; the agent goes on without it")]
    Offer {
        /// Which.
        bus: Bus,
        /// Why not.
        source: zbus::Error,
    },
    /// Another agent is there already.
    #[error(
        "the name {NAME} on the {0} belongs to another agent; stop it, or give this one another bus with --bus"
    )]
    NameTaken(Bus),
    /// The policy of the bus does not let this user have the name.
    #[error(
        "the {bus} does not let this user own the name {NAME}: {source}; install the bus policy, or run the agent \
         as the user that the policy names"
    )]
    Refused {
        /// Which.
        bus: Bus,
        /// Why not.
        source: zbus::Error,
    },
}

impl Bus {
    pub(super) async fn connect(&self) -> Result<Connection, BusError> {
        let builder = match self {
            Self::System => Builder::system(),
            Self::Session => Builder::session(),
            Self::Address(address) => Builder::address(address.as_str()),
        };
        let failed = |source| BusError::Connect { bus: self.clone(), source };
        let connecting = builder.method_timeout(PATIENCE).build();
        match tokio::time::timeout(PATIENCE, connecting).await {
            Ok(connected) => connected.map_err(failed),
            Err(_) => Err(failed(zbus::Error::Failure("it does not answer".to_owned()))),
        }
    }

    /// Takes the name, and neither takes it away from another agent nor lets another take it away.
    pub(super) async fn take_name(&self, connection: &Connection) -> Result<(), BusError> {
        let flags = zbus::fdo::RequestNameFlags::DO_NOT_QUEUE;
        match connection.request_name_with_flags(NAME, flags).await {
            Ok(_) => Ok(()),
            Err(zbus::Error::NameTaken) => Err(BusError::NameTaken(self.clone())),
            Err(source) => Err(BusError::Refused { bus: self.clone(), source }),
        }
    }
}
