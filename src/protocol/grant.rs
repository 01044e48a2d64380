//! The grant: the authority's signed statement of everything that one device holds.

use crate::binding::BindingPolicy;
use crate::bounded::{List, Text};
use crate::certificate::Issued;
use crate::codec::Body;
use crate::evidence::Evidence;
use crate::frame::Kind;
use crate::ids::{CaseId, DeviceId, Digest, IssuerId, LicenseId, OperationId};
use crate::time::{Duration, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// How many licenses of one issuer a device can hold.
pub const MAX_TOKENS: usize = 1024;

/// Where a grant stands among all grants of a device: epoch first, then sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Rises when the authority's database was set back.
    pub epoch: u32,
    /// Rises with every executed request and every update.
    pub sequence: u64,
}

/// A request, named by its counter and the digest of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestName {
    /// Its counter.
    pub counter: u64,
    /// SHA-256 of its frame.
    pub digest: Digest,
}

/// How long a license lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The life of the hardware.
    Perpetual,
    /// A paid term.
    Subscription,
    /// A free term.
    Trial,
}

impl Model {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Perpetual => "perpetual",
            Self::Subscription => "subscription",
            Self::Trial => "trial",
        }
    }
}

/// A dotted version of one to four numbers.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "List<u32, 4>", into = "List<u32, 4>")]
pub struct Version(List<u32, 4>);

const NOT_A_VERSION: &str = "a version is one to four numbers with dots, like 2.5.1";

impl Version {
    /// Whether this limit admits `version`: only the numbers that the limit names are compared, so the
    /// limit `2` admits every 2.x, and `2.5` admits 2.5.9 but not 2.6.
    #[must_use]
    pub fn admits(&self, version: &Self) -> bool {
        for (at, limit) in self.0.iter().enumerate() {
            match version.0.get(at).unwrap_or(&0).cmp(limit) {
                Ordering::Less => return true,
                Ordering::Greater => return false,
                Ordering::Equal => {}
            }
        }
        true
    }
}
impl FromStr for Version {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?;
        let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>().ok_or(NOT_A_VERSION)?;
        List::new(numbers).map(Self).map_err(|_| NOT_A_VERSION)
    }
}
impl TryFrom<List<u32, 4>> for Version {
    type Error = &'static str;
    fn try_from(numbers: List<u32, 4>) -> Result<Self, Self::Error> {
        if numbers.is_empty() { Err(NOT_A_VERSION) } else { Ok(Self(numbers)) }
    }
}
impl From<Version> for List<u32, 4> {
    fn from(version: Version) -> Self {
        version.0
    }
}
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}
impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

/// One feature of a license as held by a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feature {
    /// The name that applications check.
    pub name: Text<64>,
    /// How much of it, for all units held.
    pub quantity: u32,
    /// The newest version it may be used with.
    pub version_limit: Option<Version>,
    /// Never switched off: a check that would be denied is granted with a warning.
    pub advisory: bool,
}

/// One license as held by a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// Which license.
    pub license: LicenseId,
    /// The product's name.
    pub product: Text<64>,
    /// How long it lasts.
    pub model: Model,
    /// Units held.
    pub quantity: u32,
    /// First instant of the right.
    pub not_before: Timestamp,
    /// First instant after it; none for ever.
    pub not_after: Option<Timestamp>,
    /// Until when the vendor supports it. Informs; ends no right.
    pub support_until: Option<Timestamp>,
    /// What it grants.
    pub features: List<Feature, 32>,
}

/// The authority saw a forked history and holds operations until its case is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hold {
    /// The case that a person resolves.
    pub case: CaseId,
    /// The tokens stay granted until then.
    pub until: Timestamp,
}

/// The device may take over changed hardware by itself, once: a swap that its administrator announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The operation that planned it, which names it.
    pub operation: OperationId,
    /// First instant, in licensing time, at which the device may no more.
    pub until: Timestamp,
}

/// All that one device holds. A newer grant replaces an older one; nothing is ever merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who grants.
    pub issuer: IssuerId,
    /// To which device.
    pub device: DeviceId,
    /// Where it stands among this device's grants.
    pub position: Position,
    /// The newest request of this device that was executed.
    pub executed: Option<RequestName>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// The complete set, ordered by license.
    pub tokens: List<Token, MAX_TOKENS>,
    /// The evidence that the tokens are bound to; none while nothing usable enrolled.
    pub binding: Option<Evidence>,
    /// How the binding is judged.
    pub policy: BindingPolicy,
    /// After this nothing is granted until a reclaim: for devices that cannot be bound.
    pub lease_until: Option<Timestamp>,
    /// Set while the device's history is forked.
    pub hold: Option<Hold>,
    /// Set from the operation that planned it until the authority has learned that it was used, also when its time is
    /// over.
    pub planned_change: Option<PlannedChange>,
    /// How long a machine may have been switched off for its wall clock to be believed.
    pub max_off: Duration,
}

impl Body for Grant {
    const KIND: Kind = Kind::Grant;
    const MAX_BYTES: usize = 384 * 1024;
    fn check(&self) -> Result<(), &'static str> {
        self.policy.check()?;
        if let Some(evidence) = &self.binding {
            evidence.check()?;
        }
        if self.tokens.iter().any(|token| token.quantity == 0) {
            return Err("a token has no units");
        }
        if self.tokens.windows(2).all(|pair| pair[0].license < pair[1].license) {
            Ok(())
        } else {
            Err("its tokens are not in order of their licenses")
        }
    }
}
impl Issued for Grant {
    fn issuer(&self) -> IssuerId {
        self.issuer
    }
    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn a_limit_compares_only_the_numbers_it_names() {
        for (limit, admitted) in
            [("2", "2.9.9"), ("2", "1"), ("2.5", "2.5.9"), ("2.5", "2"), ("2.5.0.0", "2.5"), ("0", "0.9")]
        {
            assert!(version(limit).admits(&version(admitted)), "{limit} admits {admitted}");
        }
        for (limit, refused) in [("2", "3"), ("2.5", "2.6"), ("2.5", "3.0"), ("2.5.0.0", "2.5.0.1")] {
            assert!(!version(limit).admits(&version(refused)), "{limit} refuses {refused}");
        }
    }

    #[test]
    fn a_version_is_one_to_four_numbers() {
        assert_eq!(version("2.05").to_string(), "2.5");
        for text in ["", ".", "1.", "+1", "-1", " 1", "1.2.3.4.5", "1.x", "4294967296", "١"] {
            assert_eq!(text.parse::<Version>(), Err(NOT_A_VERSION), "{text:?}");
        }
        assert!(postcard::from_bytes::<Version>(&[0]).is_err());
        assert_eq!(postcard::to_stdvec(&version("2.5")).unwrap(), [2, 2, 5]);
        assert_eq!(serde_json::to_string(&version("2.5")).unwrap(), "[2,5]");
    }

    #[test]
    fn epochs_order_before_sequences() {
        let position = |epoch, sequence| Position { epoch, sequence };
        assert!(position(0, 9) < position(1, 0));
        assert!(position(1, 1) < position(1, 2));
    }
}
