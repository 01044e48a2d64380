//! The local HTTP interface: a Unix socket for everybody on this machine, and, only if configured, a read-only
//! loopback port. `docs/http.md` describes it; `openapi.json` is checked against the route table.

mod access;
mod body;
mod endpoint;
mod events;
mod face;
mod guard;
mod input;
mod json;
mod listen;
mod pace;
mod places;
mod refuse;
mod reply;
mod route;
mod server;
#[cfg(test)]
mod tests;

pub use access::Access;
pub use listen::BindError;
pub use route::{ROUTES, Route};
pub use server::Server;

use crate::desk::Desk;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::sync::watch;

/// Where to listen, and for how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Unix socket. Its directory must exist; a socket left behind by a dead agent is replaced.
    pub socket: PathBuf,
    /// A loopback address for programs that cannot open a Unix socket; none opens no port at all.
    pub loopback: Option<SocketAddr>,
    /// How many connections may be open; the rest are refused with 503.
    pub max_connections: usize,
}

impl Settings {
    /// The default number of connections.
    pub const MAX_CONNECTIONS: usize = 64;
}

/// Binds the sockets; applications can connect once this has returned, and are answered while
/// [`Server::run`] runs. It ends when `shutdown` becomes true or its sender is dropped.
pub fn serve(desk: Desk, settings: &Settings, shutdown: watch::Receiver<bool>) -> Result<Server, BindError> {
    Server::bind(desk, settings, face::Limits::default(), shutdown)
}
