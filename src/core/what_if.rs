//! What would become of the binding if parts were replaced, before anything is touched.

use crate::binding::state_of;
use crate::view::BindingState;
use landfast_protocol::binding::{BindingPolicy, GroupComparison, compare};
use landfast_protocol::evidence::{Evidence, Factor, Group};
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};
use landfast_protocol::{Duration, IssuerId};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// So many parts fit into one question.
pub const MAX_PARTS: usize = 64;

/// Something that a technician replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The main board: with its SoC, a TPM in its firmware and the network cards that are built in.
    Board,
    /// The TPM, or its reset.
    Tpm,
    /// The processor, by one of another type.
    Cpu,
    /// The chassis.
    Chassis,
    /// The operating system, installed anew.
    System,
    /// The identity of the virtual machine.
    VirtualMachine,
    /// One disk, by its name.
    Disk(String),
    /// One network card, by its name.
    NetworkCard(String),
}

impl Part {
    fn takes(&self, read: &FactorReading, virtual_machine: bool) -> bool {
        let named = |factor, name: &String| read.factor == factor && read.source == *name;
        match self {
            Self::Board => match read.factor.group() {
                Group::Board | Group::Soc | Group::Tpm => true,
                Group::Network => !virtual_machine,
                _ => false,
            },
            Self::Tpm => read.factor.group() == Group::Tpm,
            Self::Cpu => read.factor.group() == Group::Cpu,
            Self::Chassis => read.factor.group() == Group::Chassis,
            Self::System => read.factor.group() == Group::MachineId,
            Self::VirtualMachine => read.factor.group() == Group::Virtual,
            Self::Disk(name) => named(Factor::Disk, name),
            Self::NetworkCard(name) => named(Factor::NetworkCard, name),
        }
    }

    fn device(&self) -> Option<&str> {
        match self {
            Self::Disk(name) | Self::NetworkCard(name) => Some(name),
            _ => None,
        }
    }
}

/// What can be named, for whoever named something else.
pub const PARTS: &str = "board, cpu, chassis, tpm, system, vm, nic:NAME or disk:NAME";

impl FromStr for Part {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        let part = match text.split_once(':') {
            Some(("nic", name)) => named(name).map(Self::NetworkCard),
            Some(("disk", name)) => named(name).map(Self::Disk),
            Some(_) => None,
            None => match text {
                "board" => Some(Self::Board),
                "cpu" => Some(Self::Cpu),
                "chassis" => Some(Self::Chassis),
                "tpm" => Some(Self::Tpm),
                "system" => Some(Self::System),
                "vm" => Some(Self::VirtualMachine),
                _ => None,
            },
        };
        part.ok_or_else(|| format!("{text:?} is no part; name {PARTS}"))
    }
}
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Board => f.write_str("board"),
            Self::Tpm => f.write_str("tpm"),
            Self::Cpu => f.write_str("cpu"),
            Self::Chassis => f.write_str("chassis"),
            Self::System => f.write_str("system"),
            Self::VirtualMachine => f.write_str("vm"),
            Self::Disk(name) => write!(f, "disk:{name}"),
            Self::NetworkCard(name) => write!(f, "nic:{name}"),
        }
    }
}

/// What a machine is bound to and what it is: enough to try a change out.
#[derive(Clone, Debug)]
pub struct Bench {
    pub(crate) issuer: IssuerId,
    /// What was enrolled; none while nothing is bound.
    pub(crate) enrolled: Option<Arc<Evidence>>,
    pub(crate) policy: BindingPolicy,
    pub(crate) reading: Option<Arc<HardwareReading>>,
    /// The verdict now.
    pub(crate) state: BindingState,
}

/// What would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// The verdict that would follow.
    pub state: BindingState,
    /// Its score, in thousandths.
    pub score_permille: u32,
    /// Each group, as it would compare.
    pub groups: Vec<GroupComparison>,
    /// What would be replaced, by the names that fingerprints show.
    pub replaced: Vec<String>,
    /// Parts that count for nothing, and why.
    pub without_effect: Vec<String>,
}

/// A question that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchPart {
    /// The machine has no such device.
    #[error("this machine has no {kind} called {name:?}; it has {known}")]
    Unknown {
        /// A disk or a network card.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The hardware was not looked at yet.
    #[error("the hardware has not been read yet; ask again in a moment")]
    NotRead,
}

impl Bench {
    /// How long a broken binding would stay granted.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.policy.grace
    }

    /// What would follow if `parts` were replaced by others, all at once.
    pub fn replace(&self, parts: &[Part]) -> Result<Prospect, NoSuchPart> {
        let reading = self.reading.as_deref().ok_or(NoSuchPart::NotRead)?;
        let mut without_effect = Vec::new();
        for part in parts {
            if let Some(why) = self.useless(part, reading)? {
                without_effect.push(why);
            }
        }
        let mut changed = reading.clone();
        let mut replaced = Vec::new();
        for (at, read) in changed.factors.iter_mut().enumerate() {
            let taken = parts.iter().any(|part| part.takes(read, reading.virtual_machine));
            if taken && matches!(read.reading, Reading::Present(_)) {
                read.reading = Reading::Present(Identity::new(format!("replacement {at}")));
                replaced.push(shown(read));
            }
        }
        let prospect = |state, score_permille, groups| Prospect {
            state,
            score_permille,
            groups,
            replaced: replaced.clone(),
            without_effect: without_effect.clone(),
        };
        let Some(enrolled) = &self.enrolled else { return Ok(prospect(self.state, 0, Vec::new())) };
        let found = compare(enrolled, &Evidence::digest(&changed, &self.issuer), &self.policy);
        Ok(prospect(state_of(found.verdict), found.score_permille, found.groups))
    }

    /// Why replacing `part` changes nothing, if it does not; or that there is no such part.
    fn useless(&self, part: &Part, reading: &HardwareReading) -> Result<Option<String>, NoSuchPart> {
        let present = |read: &&FactorReading| matches!(read.reading, Reading::Present(_));
        let taken = || reading.factors.iter().filter(|read| part.takes(read, reading.virtual_machine));
        if taken().any(|read| present(&read)) {
            return Ok(None);
        }
        let Some(name) = part.device() else {
            return Ok(Some(format!("{part}: nothing of it counts on this machine")));
        };
        if taken().next().is_some() {
            return Ok(Some(format!("{part} does not count: it has no serial number of its own")));
        }
        if let Some(ignored) = reading.ignored.iter().find(|ignored| ignored.source == name) {
            return Ok(Some(format!("{part} does not count: {}", ignored.reason)));
        }
        let (kind, factor) = match part {
            Part::Disk(_) => ("disk", Factor::Disk),
            _ => ("network card", Factor::NetworkCard),
        };
        let known: Vec<&str> = reading
            .factors
            .iter()
            .filter(|read| read.factor == factor && present(read))
            .map(|read| &*read.source)
            .collect();
        let known = if known.is_empty() { "none that counts".to_owned() } else { known.join(", ") };
        Err(NoSuchPart::Unknown { kind, name: name.to_owned(), known })
    }
}

fn shown(read: &FactorReading) -> String {
    match read.factor {
        Factor::Disk | Factor::NetworkCard => format!("{} {}", read.factor.name(), read.source),
        factor => factor.name().to_owned(),
    }
}
