//! Permanent MAC addresses, and where they come from.

use crate::root::{OrMissing, Root};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The address that a card was made with, as opposed to the one that it uses now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Whether it is no single card's address.
    pub(crate) fn is_multicast(self) -> bool {
        self.0[0] & 0x01 != 0
    }

    /// Whether somebody other than the manufacturer chose it (IEEE 802, the U/L bit).
    pub(crate) fn is_locally_administered(self) -> bool {
        self.0[0] & 0x02 != 0
    }
}
impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
impl fmt::Debug for MacAddress {
    /// Without the half that tells one card from another.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "MacAddress({a:02x}:{b:02x}:{c:02x}:…)")
    }
}
impl FromStr for MacAddress {
    type Err = MacError;
    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part =
                parts.next().filter(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = part.and_then(|part| u8::from_str_radix(part, 16).ok()).ok_or(MacError::Malformed)?;
        }
        if parts.next().is_some() { Err(MacError::Malformed) } else { Ok(Self(bytes)) }
    }
}

/// Why a permanent address could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The kernel refused or garbled the operation.
    #[error("the kernel did not tell it: {operation}: {reason}")]
    Kernel {
        /// What was asked.
        operation: &'static str,
        /// The kernel's answer.
        reason: String,
    },
    /// The interface went away, or was renamed, while it was looked at.
    #[error("the interface went away while it was read; it is looked at again with the next change")]
    Vanished,
    /// A file is there and cannot be read.
    #[error("/{file}: {reason}")]
    File {
        /// Below the root.
        file: String,
        /// In words.
        reason: String,
    },
    /// The text has not the form `00:11:22:33:44:55`.
    #[error("it does not have the form of a MAC address")]
    Malformed,
    /// A recording that holds the address in use, which somebody has set, and not the permanent one.
    #[error("only the address in use was recorded: write the permanent one into /{file}")]
    NotRecorded {
        /// Below the root.
        file: String,
    },
}

/// What a source knows about each interface: its permanent address, that it has none, or why it is unknown.
pub type PermanentMacs = BTreeMap<String, Result<Option<MacAddress>, MacError>>;

/// Tells permanent addresses by interface name.
pub trait MacSource: fmt::Debug + Send + Sync {
    /// One answer for each name.
    fn permanent(&self, names: &[String]) -> PermanentMacs;
}

/// Reads permanent addresses from a recorded root: `sys/class/net/NAME/permanent_address`, a file that a real kernel
/// does not have.
///
/// Where it is missing, the address in use (`address`) is taken if the recording says that it is the permanent one
/// (`addr_assign_type` 0, `NET_ADDR_PERM` in `include/uapi/linux/netdevice.h`), or if it says nothing and the interface
/// is not enslaved: recordings of others hold `address` only. An address made up at boot (type 1) means that the
/// interface has none; a stolen or set one (2, 3) leaves it unknown.
#[derive(Clone, Debug)]
pub struct FileMacs {
    root: Root,
}

impl FileMacs {
    /// Reads below `root`.
    #[must_use]
    pub fn new(root: Root) -> Self {
        Self { root }
    }

    fn one(&self, name: &str) -> Result<Option<MacAddress>, MacError> {
        let at = |file: &str| format!("sys/class/net/{name}/{file}");
        let text = |file: &str| {
            let read = self.root.text(at(file)).or_missing();
            read.map_err(|error| MacError::File { file: at(file), reason: error.why.to_string() })
        };
        if let Some(recorded) = text("permanent_address")? {
            return if recorded.is_empty() { Ok(None) } else { recorded.parse().map(Some) };
        }
        let in_use_is_permanent = match text("addr_assign_type")?.as_deref() {
            Some("0") => true,
            Some("1") => return Ok(None),
            Some(_) => false,
            None => !self.root.exists(at("master")),
        };
        match text("address")? {
            Some(address) if in_use_is_permanent => address.parse().map(Some),
            Some(_) => Err(MacError::NotRecorded { file: at("permanent_address") }),
            None => Err(MacError::File { file: at("address"), reason: "it is not there".into() }),
        }
    }
}

impl MacSource for FileMacs {
    fn permanent(&self, names: &[String]) -> PermanentMacs {
        names.iter().map(|name| (name.clone(), self.one(name))).collect()
    }
}
