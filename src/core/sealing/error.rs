//! Why a box does not open, and what to do.

use landfast_protocol::evidence::Group;
use std::fmt;

/// Why a machine's secrets cannot be sealed to it. They are kept as they are, and the next attempt is made when the
/// hardware is enrolled anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSeal {
    /// Too little evidence.
    #[error(
        "this machine shows {weight} points of identity and {minimum} are needed to seal to it; see `landfast fingerprint`"
    )]
    TooLittle {
        /// Points that can be had.
        weight: u32,
        /// Points that the policy asks for.
        minimum: u32,
    },
    /// Whoever has the disks would have enough.
    #[error(
        "what identifies this machine goes along with its disks, so a seal would stop nobody; a TPM, or a board, \
         network card or virtual machine with an identity of its own would do, see `landfast fingerprint`"
    )]
    NothingOfItsOwn,
    /// Longer than [`super::MAX_SECRET`].
    #[error("{length} bytes are more than the {limit} that can be sealed")]
    TooLong {
        /// What was given.
        length: usize,
        /// What fits.
        limit: usize,
    },
    /// The stretch could not be made.
    #[error(
        "{memory_kib} KiB of memory are needed for a moment and could not be had; free some and try again"
    )]
    NoMemory {
        /// What was asked for.
        memory_kib: u32,
    },
    /// Should not happen.
    #[error("the box could not be written: {0}; report this")]
    Encoding(String),
}

/// Why a box did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Written by a newer release.
    #[error(
        "the sealed secrets have format {0}, this release reads format 1; install the newer release again"
    )]
    Format(u8),
    /// No box, or not the one that was written.
    #[error("the sealed secrets are damaged: {0}; run `landfast recover`")]
    Damaged(String),
    /// The stretch could not be made.
    #[error(
        "{memory_kib} KiB of memory are needed for a moment and could not be had; free some, it is tried again"
    )]
    NoMemory {
        /// What was asked for.
        memory_kib: u32,
    },
    /// Too little of the machine is there.
    #[error("{0}")]
    Shut(Opening),
}

/// How one group answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupOpening {
    /// As enrolled.
    Open,
    /// Some of it is as enrolled.
    Partly,
    /// None of it is as enrolled.
    Changed,
    /// Something of it cannot be read now; it may open when it can.
    Unreadable,
    /// The machine has none now.
    Absent,
}

impl GroupOpening {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Partly => "partly",
            Self::Changed => "changed",
            Self::Unreadable => "unreadable",
            Self::Absent => "absent",
        }
    }
}

/// What one group gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupReport {
    /// Which group.
    pub group: Group,
    /// Points that it can give.
    pub weight: u32,
    /// Points that it gave.
    pub opened: u32,
    /// In a word.
    pub state: GroupOpening,
}

/// What a machine gave, group by group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The groups that were enrolled.
    pub groups: Vec<GroupReport>,
    /// Points that opened.
    pub opened: u32,
    /// Points that were enrolled.
    pub weight: u32,
    /// Points that are needed.
    pub needed: u32,
}

impl Opening {
    /// Whether the box opens.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.opened >= self.needed
    }

    /// Whether it may open once everything can be read.
    #[must_use]
    pub fn may_open_later(&self) -> bool {
        let hidden = self.groups.iter().filter(|group| group.state == GroupOpening::Unreadable);
        self.opened + hidden.map(|group| group.weight - group.opened).sum::<u32>() >= self.needed
    }

    fn named(&self, state: GroupOpening) -> String {
        let groups = self.groups.iter().filter(|group| group.state == state);
        groups.map(|group| group.group.name().replace('_', " ")).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opened, weight, needed, .. } = self;
        if self.is_enough() {
            return write!(
                f,
                "{opened} of {weight} points of this machine are as enrolled; {needed} are needed"
            );
        }
        write!(
            f,
            "the secrets stay sealed: {opened} of {weight} points of this machine are as enrolled, {needed} are needed"
        )?;
        let states = [
            (GroupOpening::Open, "as enrolled"),
            (GroupOpening::Partly, "partly as enrolled"),
            (GroupOpening::Changed, "changed"),
            (GroupOpening::Absent, "gone"),
            (GroupOpening::Unreadable, "cannot be read"),
        ];
        for (state, words) in states {
            let named = self.named(state);
            if !named.is_empty() {
                write!(f, "; {words}: {named}")?;
            }
        }
        if self.may_open_later() {
            let hidden = self.named(GroupOpening::Unreadable);
            write!(
                f,
                ". They may open by themselves once {hidden} can be read: see `landfast fingerprint` for the reasons"
            )
        } else {
            write!(
                f,
                ". If parts were exchanged, put them back, or run `landfast recover`; on another machine, activate anew"
            )
        }
    }
}
