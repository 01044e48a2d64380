//! The grant: the authority's signed statement of everything that one device holds.

use crate::binding::BindingPolicy;
use crate::bounded::{List, Text};
use crate::certificate::Issued;
use crate::codec::Body;
use crate::evidence::Evidence;
use crate::frame::Kind;
use crate::ids::{CaseId, DeviceId, Digest, IssuerId, LicenseId};
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

/// A dotted version of up to four numbers.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(List<u32, 4>);

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
        let wrong = "a version is up to four numbers with dots, like 2.5.1";
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| wrong)?;
        List::new(numbers).map(Self).map_err(|_| wrong)
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
