//! What a machine shows of itself, value by value.

use landfast_protocol::IssuerId;
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, Group, State};
use landfast_protocol::reading::{HardwareReading, Reading};
use serde::{Deserialize, Serialize};

/// What a machine shows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The hardware as it was read.
    pub reading: &'a HardwareReading,
    /// 32 random bytes that only this machine's TPM gives out; none where there is no TPM, or it gives nothing now.
    pub held: Option<&'a [u8; 32]>,
}

impl<'a> Shown<'a> {
    /// A machine without a TPM that holds anything.
    #[must_use]
    pub fn of(reading: &'a HardwareReading) -> Self {
        Self { reading, held: None }
    }

    /// What can be had now, each value once: the same ones that the binding counts.
    pub(super) fn values(&self, issuer: &IssuerId) -> (Evidence, Vec<Value<'a>>) {
        let evidence = Evidence::digest(self.reading, issuer);
        let mut read: Vec<(Factor, FactorDigest, &str)> = Vec::new();
        for found in &self.reading.factors {
            if let Reading::Present(value) = &found.reading {
                let value = value.reveal();
                read.push((found.factor, FactorDigest::of(issuer, found.factor, value), value));
            }
        }
        let counted = evidence.factors.iter().filter_map(|found| {
            let State::Present { digest, primary } = found.state else { return None };
            let (_, _, value) =
                read.iter().find(|(factor, of, _)| *factor == found.factor && *of == digest)?;
            Some(Value { source: Source::Read(found.factor), primary, bytes: value.as_bytes() })
        });
        let held = self.held.map(|bytes| Value { source: Source::Held, primary: false, bytes });
        let values = held.into_iter().chain(counted).collect();
        (evidence, values)
    }
}

/// One value that can be had now.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub source: Source,
    pub primary: bool,
    pub bytes: &'a [u8],
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Source {
    /// It was read.
    Read(Factor),
    /// The TPM gave it.
    Held,
}

impl Source {
    pub fn group(self) -> Group {
        match self {
            Self::Read(factor) => factor.group(),
            Self::Held => Group::Tpm,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Read(factor) => factor.name(),
            Self::Held => "held_by_tpm",
        }
    }

    /// Whether trying out all likely values is worth somebody's while, and can be made dear. What is random in full
    /// needs no help, and of types of processors there are too few for any.
    pub fn is_guessable(self) -> bool {
        !matches!(self, Self::Held | Self::Read(Factor::TpmKey | Factor::MachineId | Factor::Cpu))
    }
}
