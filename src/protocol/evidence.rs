//! Hardware evidence as it travels: keyed digests of factors, never the values themselves.

use crate::bounded::List;
use crate::ids::IssuerId;
use crate::keys::hmac;
use crate::reading::{HardwareReading, Reading};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What can tell one machine from another. The number is the one on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// Group A: SMBIOS system UUID.
    ProductUuid,
    /// Group A: SMBIOS board serial number.
    BoardSerial,
    /// Group A: SMBIOS system serial number.
    ProductSerial,
    /// Group B: the TPM's endorsement key.
    TpmKey,
    /// Group C: serial number of the SoC, or the id of a soldered eMMC.
    SocSerial,
    /// Group V: the id of a virtual machine or cloud instance.
    VirtualId,
    /// Group D: one fixed disk, model and serial number.
    Disk,
    /// Group E: permanent MAC address of one built-in network card.
    NetworkCard,
    /// Group F: CPU vendor, family, model, stepping.
    Cpu,
    /// Group G: chassis serial number.
    ChassisSerial,
    /// Group H: the machine id of the installed system.
    MachineId,
}

impl Factor {
    /// Every factor, in the order of the wire.
    pub const ALL: [Self; 11] = [
        Self::ProductUuid,
        Self::BoardSerial,
        Self::ProductSerial,
        Self::TpmKey,
        Self::SocSerial,
        Self::VirtualId,
        Self::Disk,
        Self::NetworkCard,
        Self::Cpu,
        Self::ChassisSerial,
        Self::MachineId,
    ];

    /// The stable name in JSON, on D-Bus and on screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ProductUuid => "product_uuid",
            Self::BoardSerial => "board_serial",
            Self::ProductSerial => "product_serial",
            Self::TpmKey => "tpm_key",
            Self::SocSerial => "soc_serial",
            Self::VirtualId => "virtual_id",
            Self::Disk => "disk",
            Self::NetworkCard => "network_card",
            Self::Cpu => "cpu",
            Self::ChassisSerial => "chassis_serial",
            Self::MachineId => "machine_id",
        }
    }

    /// The group whose weight this factor shares.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::ProductUuid | Self::BoardSerial | Self::ProductSerial => Group::Board,
            Self::TpmKey => Group::Tpm,
            Self::SocSerial => Group::Soc,
            Self::VirtualId => Group::Virtual,
            Self::Disk => Group::Disks,
            Self::NetworkCard => Group::Network,
            Self::Cpu => Group::Cpu,
            Self::ChassisSerial => Group::Chassis,
            Self::MachineId => Group::MachineId,
        }
    }
}

/// Factors that change together count once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// A: SMBIOS identity of the board.
    Board,
    /// B: TPM.
    Tpm,
    /// C: SoC, in place of A on ARM.
    Soc,
    /// V: VM or cloud id, in place of A.
    Virtual,
    /// D: fixed disks, a set.
    Disks,
    /// E: built-in network cards, a set.
    Network,
    /// F: CPU type.
    Cpu,
    /// G: chassis.
    Chassis,
    /// H: machine id.
    MachineId,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 9] = [
        Self::Board,
        Self::Tpm,
        Self::Soc,
        Self::Virtual,
        Self::Disks,
        Self::Network,
        Self::Cpu,
        Self::Chassis,
        Self::MachineId,
    ];

    /// The stable name in JSON, on D-Bus and on screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Tpm => "tpm",
            Self::Soc => "soc",
            Self::Virtual => "virtual",
            Self::Disks => "disks",
            Self::Network => "network",
            Self::Cpu => "cpu",
            Self::Chassis => "chassis",
            Self::MachineId => "machine_id",
        }
    }

    /// A drifted machine must still match one of these: they belong to the machine's body.
    #[must_use]
    pub fn is_anchor(self) -> bool {
        matches!(self, Self::Board | Self::Tpm | Self::Soc | Self::Virtual | Self::Disks)
    }
}

/// A keyed digest of one normalised value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactorDigest(pub [u8; 16]);

impl FactorDigest {
    /// The digest that `issuer` and its devices compute for `value` of `factor`. An owner who names a serial
    /// number lets the issuer check it; other issuers get another digest.
    #[must_use]
    pub fn of(issuer: &IssuerId, factor: Factor, value: &str) -> Self {
        let full =
            hmac(b"landfast/1/evidence", &[&issuer.0, factor.name().as_bytes(), b"\0", value.as_bytes()]);
        let mut digest = [0; 16];
        digest.copy_from_slice(&full[..16]);
        Self(digest)
    }
}
impl fmt::Display for FactorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::ids::hex(&self.0))
    }
}
impl fmt::Debug for FactorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FactorDigest({self})")
    }
}
impl Serialize for FactorDigest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        crate::ids::Nonce(self.0).serialize(to)
    }
}
impl<'de> Deserialize<'de> for FactorDigest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::ids::Nonce::deserialize(from).map(|bytes| Self(bytes.0))
    }
}
impl FromStr for FactorDigest {
    type Err = crate::ids::IdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::ids::Nonce::from_str(text).map(|bytes| Self(bytes.0))
    }
}

/// State of one factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A usable value.
    Present {
        /// Keyed digest of the value.
        digest: FactorDigest,
        /// For disks: the root file system is on it, and it counts double.
        primary: bool,
    },
    /// The machine has none.
    Absent,
    /// It could not be read; never held against the user.
    Unreadable,
    /// A value that many machines share; counts as absent.
    Placeholder,
}

/// One factor with its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactorEvidence {
    /// Which factor.
    pub factor: Factor,
    /// What was found.
    pub state: State,
}

/// How many factors a message carries at most. A machine with more disks than fit sends those with the lowest
/// digests.
pub const MAX_FACTORS: usize = 64;

/// All factors of one machine, for one issuer, in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// This is a virtual machine.
    pub virtual_machine: bool,
    /// Sorted; only `unreadable` may repeat, no digest stands twice, and only disks are primary.
    pub factors: List<FactorEvidence, MAX_FACTORS>,
}

impl Evidence {
    /// Digests what was read, for one issuer.
    #[must_use]
    pub fn digest(reading: &HardwareReading, issuer: &IssuerId) -> Self {
        let factors = reading
            .factors
            .iter()
            .map(|read| {
                let state = match &read.reading {
                    Reading::Present(value) => State::Present {
                        digest: FactorDigest::of(issuer, read.factor, value.reveal()),
                        primary: read.primary,
                    },
                    Reading::Absent => State::Absent,
                    Reading::Unreadable(_) => State::Unreadable,
                    Reading::Placeholder(_) => State::Placeholder,
                };
                FactorEvidence { factor: read.factor, state }
            })
            .collect();
        Self::from_factors(reading.virtual_machine, factors)
    }

    /// Puts factors into canonical order and leaves out repeats, but for unreadable ones, which are counted. A
    /// disk that is reached on two ways is one disk, primary if it is so on one of them. Beyond [`MAX_FACTORS`]
    /// the single-valued factors and the primary disks come first, then network cards, then the other disks.
    #[must_use]
    pub fn from_factors(virtual_machine: bool, mut factors: Vec<FactorEvidence>) -> Self {
        for found in &mut factors {
            if let State::Present { primary, .. } = &mut found.state {
                *primary &= found.factor == Factor::Disk;
            }
        }
        // Of two entries with one digest the primary one comes last: it is the one to keep.
        factors.sort_unstable_by(|a, b| b.cmp(a));
        factors.dedup_by(|later, kept| {
            same_value(later, kept) || (later == kept && kept.state != State::Unreadable)
        });
        if factors.len() > MAX_FACTORS {
            factors.sort_unstable_by_key(|found| (rank(found), *found));
            factors.truncate(MAX_FACTORS);
        }
        factors.sort_unstable();
        Self { virtual_machine, factors: List::new(factors).unwrap_or_default() }
    }

    /// The present values of one factor.
    pub fn present(&self, factor: Factor) -> impl Iterator<Item = (FactorDigest, bool)> + '_ {
        self.factors.iter().filter(move |f| f.factor == factor).filter_map(|f| match f.state {
            State::Present { digest, primary } => Some((digest, primary)),
            _ => None,
        })
    }

    /// Whether any entry of `factor` has `state`.
    #[must_use]
    pub fn has(&self, factor: Factor, state: State) -> bool {
        self.factors.iter().any(|f| f.factor == factor && f.state == state)
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let in_order = |pair: &[FactorEvidence]| {
            (pair[0] < pair[1] && !same_value(&pair[0], &pair[1]))
                || (pair[0] == pair[1] && pair[0].state == State::Unreadable)
        };
        if !self.factors.windows(2).all(in_order) {
            return Err("its evidence is not in canonical order");
        }
        let primary = |found: &FactorEvidence| matches!(found.state, State::Present { primary: true, .. });
        if self.factors.iter().any(|found| found.factor != Factor::Disk && primary(found)) {
            return Err("its evidence calls something primary that is no disk");
        }
        Ok(())
    }
}

/// Whether both are the same thing, found twice.
fn same_value(a: &FactorEvidence, b: &FactorEvidence) -> bool {
    match (a.state, b.state) {
        (State::Present { digest: one, .. }, State::Present { digest: other, .. }) => {
            a.factor == b.factor && one == other
        }
        _ => false,
    }
}

/// What to keep first where not everything fits. Cards come before disks, as adding disks to a full machine must
/// not make its cards disappear.
fn rank(found: &FactorEvidence) -> u8 {
    match (found.factor, found.state) {
        (Factor::Disk, State::Present { primary: true, .. }) => 0,
        (Factor::NetworkCard, _) => 1,
        (Factor::Disk, _) => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(factor: Factor, byte: u8, primary: bool) -> FactorEvidence {
        FactorEvidence { factor, state: State::Present { digest: FactorDigest([byte; 16]), primary } }
    }
    fn unreadable(factor: Factor) -> FactorEvidence {
        FactorEvidence { factor, state: State::Unreadable }
    }

    #[test]
    fn factors_are_listed_in_the_order_of_the_wire() {
        for (number, factor) in Factor::ALL.into_iter().enumerate() {
            assert_eq!(postcard::to_stdvec(&factor).unwrap(), [u8::try_from(number).unwrap()]);
            assert_eq!(serde_json::to_value(factor).unwrap(), factor.name());
        }
        for group in Group::ALL {
            assert_eq!(serde_json::to_value(group).unwrap(), group.name());
            assert!(Factor::ALL.into_iter().any(|factor| factor.group() == group));
        }
    }

    #[test]
    fn a_disk_reached_on_two_ways_is_one_disk() {
        let disk = |primary| present(Factor::Disk, 7, primary);
        for factors in [vec![disk(false), disk(true)], vec![disk(true), disk(false)], vec![disk(true); 2]] {
            let evidence = Evidence::from_factors(false, factors);
            assert_eq!(&*evidence.factors, [disk(true)]);
            assert_eq!(evidence.check(), Ok(()));
        }
        let twice =
            Evidence { virtual_machine: false, factors: List::new(vec![disk(false), disk(true)]).unwrap() };
        assert!(twice.check().is_err());
    }

    #[test]
    fn only_disks_are_primary() {
        let evidence = Evidence::from_factors(false, vec![present(Factor::NetworkCard, 1, true)]);
        assert_eq!(&*evidence.factors, [present(Factor::NetworkCard, 1, false)]);
        let card = Evidence {
            virtual_machine: false,
            factors: List::new(vec![present(Factor::NetworkCard, 1, true)]).unwrap(),
        };
        assert!(card.check().is_err());
    }

    #[test]
    fn unreadable_members_are_counted() {
        let evidence = Evidence::from_factors(false, vec![unreadable(Factor::Disk); 3]);
        assert_eq!(evidence.factors.len(), 3);
        assert_eq!(evidence.check(), Ok(()));
        let absent = FactorEvidence { factor: Factor::Cpu, state: State::Absent };
        assert_eq!(Evidence::from_factors(false, vec![absent; 3]).factors.len(), 1);
    }

    #[test]
    fn a_machine_with_too_many_disks_keeps_its_identity_and_its_cards() {
        let mut factors: Vec<_> = (0..100).map(|byte| present(Factor::Disk, byte, byte == 99)).collect();
        factors.extend((0..4).map(|byte| present(Factor::NetworkCard, byte, false)));
        factors.extend([present(Factor::ProductUuid, 1, false), present(Factor::MachineId, 1, false)]);
        let evidence = Evidence::from_factors(false, factors);
        assert_eq!(evidence.factors.len(), MAX_FACTORS);
        assert_eq!(evidence.check(), Ok(()));
        assert_eq!(evidence.present(Factor::NetworkCard).count(), 4);
        assert_eq!(evidence.present(Factor::MachineId).count(), 1);
        assert_eq!(evidence.present(Factor::Disk).filter(|(_, primary)| *primary).count(), 1);
    }
}
