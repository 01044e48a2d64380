//! What a device asks for, and what became of it.

use crate::bounded::{Blob, Text};
use crate::ids::{CaseId, LicenseId, OperationId};
use crate::time::Duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One operation. Its id is random and stays the same in every request that carries it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Names it for ever.
    pub id: OperationId,
    /// What is asked.
    pub action: Action,
}

/// What an operation asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// Take units of a license.
    Activate {
        /// Which license.
        license: LicenseId,
        /// How many units; none for the license's usual share.
        quantity: Option<u32>,
        /// That the maker knows the activation id: [`crate::keys::activation_proof`].
        #[serde(with = "proof")]
        proof: [u8; 32],
    },
    /// Give units of a license back, held or still being activated.
    Return {
        /// Which license.
        license: LicenseId,
        /// How many units; none for all.
        quantity: Option<u32>,
    },
    /// Open a window in which the device takes over changed hardware by itself, once.
    PlanChange {
        /// How long it stays open once the authority agreed.
        window: Duration,
    },
    /// From a newer release. It is answered, not refused with the rest.
    Unknown {
        /// The number on the wire.
        kind: u16,
        /// What it says, to this release unreadable.
        body: Blob<1024>,
    },
}

mod proof {
    use crate::ids::Digest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub fn serialize<S: Serializer>(proof: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        Digest(*proof).serialize(to)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        Digest::deserialize(from).map(|digest| digest.0)
    }
}

impl Action {
    /// The license it is about, where this release can tell.
    #[must_use]
    pub fn license(&self) -> Option<LicenseId> {
        match self {
            Self::Activate { license, .. } | Self::Return { license, .. } => Some(*license),
            Self::PlanChange { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The number of units it names.
    #[must_use]
    pub fn quantity(&self) -> Option<u32> {
        match self {
            Self::Activate { quantity, .. } | Self::Return { quantity, .. } => *quantity,
            Self::PlanChange { .. } | Self::Unknown { .. } => None,
        }
    }

    /// What it asks must not be nothing.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::PlanChange { window: Duration(0) } => Err("an operation plans a change for no time"),
            _ if self.quantity() == Some(0) => Err("an operation is about no units"),
            _ => Ok(()),
        }
    }

    /// The stable name in JSON, history and screens.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Activate { .. } => "activate",
            Self::Return { .. } => "return",
            Self::PlanChange { .. } => "plan_change",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// On the wire an operation is its id, a number for its kind and the encoded content, so that an older reader
/// can tell where the next one begins.
#[derive(Serialize, Deserialize)]
struct Wire {
    id: OperationId,
    kind: u16,
    body: Blob<1024>,
}

#[derive(Serialize, Deserialize)]
struct ActivateBody {
    license: LicenseId,
    quantity: Option<u32>,
    #[serde(with = "proof")]
    proof: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct ReturnBody {
    license: LicenseId,
    quantity: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct PlanChangeBody {
    window: Duration,
}

const ACTIVATE: u16 = 1;
const RETURN: u16 = 2;
const PLAN_CHANGE: u16 = 3;

impl Wire {
    fn encode(operation: &Operation) -> Result<Self, String> {
        let (kind, body) = match &operation.action {
            Action::Activate { license, quantity, proof } => {
                let body = ActivateBody { license: *license, quantity: *quantity, proof: *proof };
                (ACTIVATE, postcard::to_stdvec(&body))
            }
            Action::Return { license, quantity } => {
                (RETURN, postcard::to_stdvec(&ReturnBody { license: *license, quantity: *quantity }))
            }
            Action::PlanChange { window } => {
                (PLAN_CHANGE, postcard::to_stdvec(&PlanChangeBody { window: *window }))
            }
            Action::Unknown { kind: kind @ (ACTIVATE | RETURN | PLAN_CHANGE), .. } => {
                return Err(format!("operation kind {kind} is a known one"));
            }
            Action::Unknown { kind, body } => (*kind, Ok(body.to_vec())),
        };
        let body = Blob::new(body.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        Ok(Self { id: operation.id, kind, body })
    }

    fn decode(self) -> Result<Operation, &'static str> {
        let action = match self.kind {
            ACTIVATE => {
                let ActivateBody { license, quantity, proof } = exactly(&self.body)?;
                Action::Activate { license, quantity, proof }
            }
            RETURN => {
                let ReturnBody { license, quantity } = exactly(&self.body)?;
                Action::Return { license, quantity }
            }
            PLAN_CHANGE => {
                let PlanChangeBody { window } = exactly(&self.body)?;
                Action::PlanChange { window }
            }
            kind => Action::Unknown { kind, body: self.body },
        };
        Ok(Operation { id: self.id, action })
    }
}

fn exactly<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, &'static str> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err("an operation does not decode"),
    }
}

/// Whether no operation is named twice.
pub(crate) fn distinct(ids: impl Iterator<Item = OperationId>) -> bool {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.windows(2).all(|pair| pair[0] != pair[1])
}

#[derive(Serialize, Deserialize)]
struct Shown {
    id: OperationId,
    #[serde(flatten)]
    action: Action,
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            return Shown { id: self.id, action: self.action.clone() }.serialize(to);
        }
        Wire::encode(self).map_err(serde::ser::Error::custom)?.serialize(to)
    }
}
impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return Shown::deserialize(from).map(|Shown { id, action }| Self { id, action });
        }
        Wire::deserialize(from)?.decode().map_err(serde::de::Error::custom)
    }
}

/// Why the authority denied an operation: a closed, documented list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DenialReason {
    /// No license has this activation id.
    UnknownLicense,
    /// All units are held.
    NoUnitsLeft,
    /// The license is on as many devices as it allows.
    TooManyDevices,
    /// The license's term has ended.
    LicenseExpired,
    /// The license was withdrawn by the vendor.
    LicenseWithdrawn,
    /// The device's hardware cannot be told from others, and the product's policy refuses such devices.
    TooLittleEvidence,
    /// The device no longer matches the hardware that its licenses are bound to.
    BindingBroken,
    /// The vendor's policy does not allow it.
    Policy,
    /// The device holds as many licenses as fit into one grant.
    TooManyLicenses,
    /// The device holds no license, so nothing is bound to its hardware.
    NothingHeld,
    /// The authority does not know this kind of operation.
    UnsupportedOperation,
    /// A reason of a newer release.
    Other(Text<40>),
}

impl DenialReason {
    const KNOWN: [Self; 11] = [
        Self::UnknownLicense,
        Self::NoUnitsLeft,
        Self::TooManyDevices,
        Self::LicenseExpired,
        Self::LicenseWithdrawn,
        Self::TooLittleEvidence,
        Self::BindingBroken,
        Self::Policy,
        Self::TooManyLicenses,
        Self::NothingHeld,
        Self::UnsupportedOperation,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UnknownLicense => "unknown_license",
            Self::NoUnitsLeft => "no_units_left",
            Self::TooManyDevices => "too_many_devices",
            Self::LicenseExpired => "license_expired",
            Self::LicenseWithdrawn => "license_withdrawn",
            Self::TooLittleEvidence => "too_little_evidence",
            Self::BindingBroken => "binding_broken",
            Self::Policy => "policy",
            Self::TooManyLicenses => "too_many_licenses",
            Self::NothingHeld => "nothing_held",
            Self::UnsupportedOperation => "unsupported_operation",
            Self::Other(code) => code,
        }
    }

    /// What the administrator can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::UnknownLicense => {
                "compare the activation id with the one in the vendor's letter, digit by digit"
            }
            Self::NoUnitsLeft => "return units on a device that holds them, or ask for fewer with --quantity",
            Self::TooManyDevices => {
                "return the license on one of the devices that hold it, then activate again"
            }
            Self::LicenseExpired => "renew the license with the vendor, then activate again",
            Self::LicenseWithdrawn => "ask the vendor why the license was withdrawn",
            Self::TooLittleEvidence => {
                "run `landfast fingerprint` and give the agent access to what is unreadable"
            }
            Self::BindingBroken => {
                "return the licenses with `landfast return --all`, then activate them again"
            }
            Self::Policy => "ask the vendor",
            Self::TooManyLicenses => "return licenses that are no longer needed, then activate again",
            Self::NothingHeld => "activate a license first; without one the hardware may change as it likes",
            Self::UnsupportedOperation => "ask the vendor to update the authority",
            Self::Other(_) => "update landfast to see what this means, or ask the vendor",
        }
    }
}
impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for DenialReason {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for DenialReason {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = Text::<40>::deserialize(from)?;
        Ok(Self::KNOWN.into_iter().find(|known| known.code() == &*code).unwrap_or(Self::Other(code)))
    }
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out. The grant shows the effect.
    Done,
    /// Refused.
    Denied {
        /// The reason.
        reason: DenialReason,
        /// The evidence for it, in a sentence.
        detail: Text<300>,
    },
    /// The license was taken from this device meanwhile, and the request did not know of it.
    Stale,
    /// A person decides. Not final: it is asked again.
    Pending {
        /// The case to look up.
        case: CaseId,
    },
}

impl Outcome {
    /// Whether the operation ends here.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending { .. })
    }

    /// The stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied { .. } => "denied",
            Self::Stale => "stale",
            Self::Pending { .. } => "pending",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(action: Action) -> Operation {
        Operation { id: OperationId([1; 16]), action }
    }

    #[test]
    fn an_operation_says_where_the_next_one_begins() {
        let give = operation(Action::Return { license: LicenseId([2; 16]), quantity: Some(3) });
        let mut bytes = [1; 16].to_vec();
        bytes.extend([2, 18]);
        bytes.extend([2; 16]);
        bytes.extend([1, 3]);
        assert_eq!(postcard::to_stdvec(&give).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Operation>(&bytes).unwrap(), give);
        bytes[17] = 19;
        bytes.push(0);
        assert!(postcard::from_bytes::<Operation>(&bytes).is_err(), "a byte follows the content");
    }

    #[test]
    fn an_unknown_operation_cannot_pass_for_a_known_one() {
        for kind in [ACTIVATE, RETURN, PLAN_CHANGE] {
            let unknown = operation(Action::Unknown { kind, body: Blob::default() });
            assert!(postcard::to_stdvec(&unknown).is_err());
        }
        for kind in [0, 4, u16::MAX] {
            let unknown = operation(Action::Unknown { kind, body: Blob::new(vec![1, 2]).unwrap() });
            let bytes = postcard::to_stdvec(&unknown).unwrap();
            assert_eq!(postcard::from_bytes::<Operation>(&bytes).unwrap(), unknown);
            let json = serde_json::to_string(&unknown).unwrap();
            assert_eq!(serde_json::from_str::<Operation>(&json).unwrap(), unknown);
        }
    }

    #[test]
    fn b8_a_planned_change_is_kind_three_and_has_a_window() {
        let plan = operation(Action::PlanChange { window: Duration::days(7) });
        let mut bytes = [1; 16].to_vec();
        bytes.extend([3, 3, 0x80, 0xf5, 0x24]);
        assert_eq!(postcard::to_stdvec(&plan).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<Operation>(&bytes).unwrap(), plan);
        assert_eq!((plan.action.license(), plan.action.quantity()), (None, None));
        assert_eq!(plan.action.check(), Ok(()));
        assert!(Action::PlanChange { window: Duration(0) }.check().is_err());
        assert_eq!(
            serde_json::to_value(&plan).unwrap(),
            serde_json::json!({ "id": "01".repeat(16), "action": "plan_change", "window": 604_800 })
        );
    }

    #[test]
    fn an_operation_shows_as_one_flat_object() {
        let give = operation(Action::Return { license: LicenseId([2; 16]), quantity: None });
        assert_eq!(
            serde_json::to_value(&give).unwrap(),
            serde_json::json!({
                "id": "01".repeat(16), "action": "return", "license": "02".repeat(16), "quantity": null
            })
        );
    }

    #[test]
    fn b13_each_reason_has_a_code_and_advice() {
        for reason in DenialReason::KNOWN {
            assert_eq!(serde_json::from_value::<DenialReason>(reason.code().into()).unwrap(), reason);
            assert!(!reason.advice().is_empty());
            assert!(reason.code().len() <= 40);
        }
        let newer: DenialReason = serde_json::from_str("\"moon_phase\"").unwrap();
        assert_eq!(newer, DenialReason::Other(Text::new("moon_phase").unwrap()));
        assert_eq!(newer.to_string(), "moon_phase");
        let mut codes = DenialReason::KNOWN.map(|reason| reason.code().to_owned());
        codes.sort();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn only_a_pending_outcome_is_asked_again() {
        let denied = Outcome::Denied { reason: DenialReason::Policy, detail: Text::default() };
        for (outcome, last) in [
            (Outcome::Done, true),
            (denied, true),
            (Outcome::Stale, true),
            (Outcome::Pending { case: CaseId([0; 8]) }, false),
        ] {
            assert_eq!(outcome.is_final(), last, "{}", outcome.name());
        }
    }
}
