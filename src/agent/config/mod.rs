//! Configuration: fragments are read from trusted files, merged in order, and validated into [`Settings`].
//!
//! `agent.toml` comes first, then `agent.d/*.toml` by name, a later file winning key by key; each
//! `issuers.d/NAME.toml` pins one issuer. Nothing is believed that others than root could have written.

mod address;
mod error;
mod fragment;
mod issuer;
mod keys;
mod nearest;
mod settings;
mod trusted;

pub use address::{Address, Proxy};
pub use error::ConfigError;
pub use issuer::Issuer;
pub(crate) use issuer::ca_store;
pub use settings::{Local, Online, Settings};
pub use trusted::Owners;

use fragment::Fragment;
use std::path::Path;

/// Where the configuration lies when nothing else is said.
pub const DEFAULT_DIRECTORY: &str = "/etc/landfast";

/// Reads, merges and validates everything below `directory`.
pub fn load(directory: &Path, owners: Owners) -> Result<Settings, ConfigError> {
    let directory = trusted::Directory::open(directory, owners)?;
    let mut merged = Fragment::default();
    if let Some(file) = directory.read_optional("agent.toml")? {
        merged.merge(Fragment::parse(&file)?);
    }
    for file in directory.read_all("agent.d")? {
        merged.merge(Fragment::parse(&file)?);
    }
    let mut issuers = Vec::new();
    for file in directory.read_all("issuers.d")? {
        issuers.push(Issuer::parse(&file)?);
    }
    issuer::distinct(&issuers)?;
    Settings::validate(merged, issuers, owners.trust())
}

#[cfg(test)]
mod tests;
