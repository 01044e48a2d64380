//! Hardware as it was read on this machine, in clear. It never leaves the machine: [`crate::evidence`] does.

use crate::evidence::Factor;
use std::fmt;
use zeroize::Zeroize;

/// A value that identifies hardware: wiped when dropped, masked when printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Zeroize)]
#[zeroize(drop)]
pub struct Identity(String);

impl Identity {
    /// Takes a value that is already normalised (trimmed, lower case).
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Never log it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Enough for an owner to recognise it: up to two characters at each end, the rest as dots.
    #[must_use]
    pub fn masked(&self) -> String {
        let length = self.0.chars().count();
        let shown = if length >= 8 { 2 } else { usize::from(length >= 4) };
        let head: String = self.0.chars().take(shown).collect();
        let tail: String = self.0.chars().skip(length - shown).collect();
        format!("{head}…{tail}")
    }
}
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.masked())
    }
}

/// What reading one factor gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A usable value.
    Present(Identity),
    /// The machine has none.
    Absent,
    /// There may be one, but it could not be read: the reason, without any value.
    Unreadable(String),
    /// A value that many machines share.
    Placeholder(Identity),
}

/// One factor and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorReading {
    /// Which factor.
    pub factor: Factor,
    /// A name that an administrator knows: `eth0`, `sda`, `product_uuid`.
    pub source: String,
    /// For disks: the root file system is on it.
    pub primary: bool,
    /// What was found.
    pub reading: Reading,
}

/// A device that was looked at and does not count, and why, for the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// A name that an administrator knows.
    pub source: String,
    /// In plain words.
    pub reason: String,
}

/// Everything that one look at the hardware gave. Order means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HardwareReading {
    /// The factors that count, in any state.
    pub factors: Vec<FactorReading>,
    /// What does not count.
    pub ignored: Vec<Ignored>,
    /// This is a virtual machine (its network cards weigh less).
    pub virtual_machine: bool,
}

#[cfg(test)]
mod tests {
    use super::Identity;

    #[test]
    fn an_identity_is_masked_wherever_it_is_printed() {
        for (value, shown) in
            [("", "…"), ("abc", "…"), ("abcd", "a…d"), ("ß234567ü", "ß2…7ü"), ("s4evnf0m123456", "s4…56")]
        {
            assert_eq!(Identity::new(value).masked(), shown);
            assert_eq!(format!("{:?}", Identity::new(value)), format!("Identity({shown})"));
        }
    }
}
