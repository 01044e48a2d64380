//! What is written: the lock, which changes with the hardware, and the secret behind it.

use super::error::SealError;
use super::field::SIZE;
use super::keys::{Salt, Tag};
use super::rungs::{Rung, rungs, units};
use super::source::Source;
use super::stretch::Stretch;
use landfast_protocol::evidence::{Factor, Group, MAX_FACTORS};
use landfast_protocol::{Blob, Digest, List};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 4096;
/// The longest box, in bytes. A usual server's takes about 2,000; 64 disks and the strangest policy stay below this.
pub const MAX_BOX: usize = 128 * 1024;
/// Of the authenticated encryption.
pub(super) const MAC: usize = 16;
const FORMAT: u8 = 1;
/// A weight is a byte, and a member that counts double has two elements per rung.
const MAX_GIVEN: usize = 2 * SIZE * u8::MAX as usize;

/// A secret that opens on the machine it was sealed to, as long as enough of that machine is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBox {
    pub(super) lock: Lock,
    pub(super) payload: Payload,
}

/// The secret, encrypted under the key that the lock guards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    pub nonce: [u8; 24],
    pub ciphertext: Blob<{ MAX_SECRET + MAC }>,
}

/// A key in shares, each behind a part of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lock {
    pub salt: Salt,
    pub stretch: Stretch,
    /// So many shares tell the key.
    pub needed: u32,
    pub groups: List<GroupLock, { Group::ALL.len() }>,
}

/// The shares of one group: as many as it weighs, behind a ladder of thresholds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GroupLock {
    pub group: Group,
    pub weight: u8,
    pub members: List<Member, MAX_FACTORS>,
    /// Masked with the keys of the rungs.
    pub shares: Blob<{ SIZE * u8::MAX as usize }>,
}

/// One part of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub source: Source,
    pub tag: Tag,
    pub primary: bool,
    /// Its pieces of the keys of all rungs, masked with its own key.
    pub given: Blob<MAX_GIVEN>,
}

impl SealedBox {
    /// As it is stored.
    pub fn encode(&self) -> Result<Vec<u8>, SealError> {
        let mut bytes = vec![FORMAT];
        let body = postcard::to_stdvec(&(&self.lock, &self.payload));
        bytes.extend(body.map_err(|error| SealError::Damaged(error.to_string()))?);
        Ok(bytes)
    }

    /// Reads a box, and takes no memory on its word: nothing but what [`SealedBox::encode`] writes is one.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let damaged = |reason: &str| SealError::Damaged(reason.to_owned());
        let body = match bytes {
            _ if bytes.len() > MAX_BOX => return Err(damaged("it is too long")),
            [FORMAT, body @ ..] => body,
            [other, ..] => return Err(SealError::Format(*other)),
            [] => return Err(damaged("it is empty")),
        };
        let ((lock, payload), rest): ((Lock, Payload), _) =
            postcard::take_from_bytes(body).map_err(|error| damaged(&error.to_string()))?;
        if !rest.is_empty() {
            return Err(damaged("bytes follow its end"));
        }
        lock.check().map_err(damaged)?;
        let found = Self { lock, payload };
        if found.encode()? != bytes {
            return Err(damaged("it is not in its shortest form"));
        }
        Ok(found)
    }

    /// Points of weight that were enrolled.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.lock.weight()
    }

    /// Points of weight that have to be there.
    #[must_use]
    pub fn needed(&self) -> u32 {
        self.lock.needed
    }

    /// The groups that it is sealed to, and what each counts.
    pub fn groups(&self) -> impl Iterator<Item = (Group, u32)> + '_ {
        self.lock.groups.iter().map(|group| (group.group, u32::from(group.weight)))
    }

    /// What one guess costs.
    #[must_use]
    pub fn stretch(&self) -> Stretch {
        self.lock.stretch
    }
}

impl Lock {
    pub fn weight(&self) -> u32 {
        self.groups.iter().map(|group| u32::from(group.weight)).sum()
    }

    /// Stands for the lock where the secret is encrypted, so that neither can be exchanged without the other.
    pub fn digest(&self) -> Result<Digest, SealError> {
        let bytes = postcard::to_stdvec(self).map_err(|error| SealError::Damaged(error.to_string()))?;
        Ok(Digest::of(&[&b"landfast/1/seal/lock\0"[..], &bytes].concat()))
    }

    fn check(&self) -> Result<(), &'static str> {
        if !self.groups.windows(2).all(|pair| pair[0].group < pair[1].group) {
            return Err("its groups are not in order");
        }
        let members: usize = self.groups.iter().map(|group| group.members.len()).sum();
        if members > MAX_FACTORS + 1 {
            return Err("it has too many parts");
        }
        let weight = self.weight();
        if self.needed > weight || self.needed < weight.div_ceil(2).max(1) {
            return Err("it opens with less than half, or never");
        }
        self.groups.iter().try_for_each(GroupLock::check)
    }
}

impl GroupLock {
    /// What each member counts within the group.
    pub fn units(&self) -> Vec<usize> {
        let parts: Vec<_> = self.members.iter().map(|member| (member.source, member.primary)).collect();
        units(&parts)
    }

    pub fn rungs(&self) -> Vec<Rung> {
        rungs(self.group, usize::from(self.weight), self.units().iter().sum())
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.weight == 0 || self.members.is_empty() {
            return Err("it has an empty group");
        }
        let in_order = |pair: &[Member]| (pair[0].source, pair[0].tag) < (pair[1].source, pair[1].tag);
        let held = self.members.iter().any(|member| member.source == Source::Held);
        if !self.members.windows(2).all(in_order) || (held && self.members.len() > 1) {
            return Err("its parts are not in order");
        }
        let foreign = |member: &Member| member.source.group() != self.group;
        let primary = |member: &Member| member.primary && member.source != Source::Read(Factor::Disk);
        if self.members.iter().any(|member| foreign(member) || primary(member)) {
            return Err("a part is in the wrong group");
        }
        let rungs = self.rungs().len();
        let given = |(member, units): (&Member, usize)| member.given.len() == rungs * units * SIZE;
        let right = self.shares.len() == usize::from(self.weight) * SIZE
            && self.members.iter().zip(self.units()).all(given);
        if right { Ok(()) } else { Err("its shares are not as many as they should be") }
    }
}

/// Within other records it is a run of bytes with a format of its own.
impl Serialize for SealedBox {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes = self.encode().map_err(serde::ser::Error::custom)?;
        Blob::<MAX_BOX>::new(bytes).map_err(serde::ser::Error::custom)?.serialize(to)
    }
}
impl<'de> Deserialize<'de> for SealedBox {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::decode(&Blob::<MAX_BOX>::deserialize(from)?).map_err(D::Error::custom)
    }
}
