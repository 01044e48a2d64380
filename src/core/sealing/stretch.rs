//! Makes guessing dear: Argon2id over values that follow a pattern.
//!
//! Each value is stretched by itself, since each has to open its share without the others. That multiplies the time
//! by the number of values (nine of a usual server), but not the memory: one buffer serves them all.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// How dear one guess is. Other values than those that the constructor takes cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Stretch {
    memory_kib: u32,
    passes: u32,
}

impl Stretch {
    /// What is used but in tests: 46 MiB and one pass, a setting of OWASP's password storage cheat sheet; some 45 ms
    /// on a server of 2020. Its settings with less memory and more passes are as dear to a guesser, but glibc's
    /// allocator, once it freed so much, keeps up to 32 MiB for itself. What is larger goes back at once.
    pub const USUAL: Self = Self { memory_kib: 46 * 1024, passes: 1 };
    /// The least there is, for tests.
    pub const LEAST: Self = Self { memory_kib: Params::MIN_M_COST, passes: 1 };
    /// No box may ask for more memory.
    const MOST_MEMORY_KIB: u32 = 64 * 1024;
    /// Nor for more work: the memory, as often as it is gone through.
    const MOST_WORK_KIB: u32 = 2 * Self::MOST_MEMORY_KIB;

    /// Memory in KiB, and how often it is gone through.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, StretchError> {
        let memory = Params::MIN_M_COST..=Self::MOST_MEMORY_KIB;
        let bearable = memory_kib.checked_mul(passes).is_some_and(|work| work <= Self::MOST_WORK_KIB);
        if passes > 0 && memory.contains(&memory_kib) && bearable {
            Ok(Self { memory_kib, passes })
        } else {
            Err(StretchError { memory_kib, passes })
        }
    }

    /// Memory in KiB.
    #[must_use]
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// How often the memory is gone through.
    #[must_use]
    pub fn passes(&self) -> u32 {
        self.passes
    }
}

/// A stretch that costs nothing, or more than a machine can spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stretch of {passes} passes over {memory_kib} KiB is out of range; take 1 or more passes over 8 KiB to 64 MiB, \
     and no more than two over 64 MiB"
)]
pub struct StretchError {
    memory_kib: u32,
    passes: u32,
}

#[derive(Deserialize)]
struct Unchecked {
    memory_kib: u32,
    passes: u32,
}

impl TryFrom<Unchecked> for Stretch {
    type Error = StretchError;
    fn try_from(unchecked: Unchecked) -> Result<Self, StretchError> {
        Self::new(unchecked.memory_kib, unchecked.passes)
    }
}

/// The memory could not be had.
pub(super) struct NoMemory;

/// Takes the memory with the first value, and wipes it and gives it back when dropped.
pub(super) struct Stretcher {
    stretch: Stretch,
    memory: Vec<Block>,
}

impl Stretcher {
    pub fn new(stretch: Stretch) -> Self {
        Self { stretch, memory: Vec::new() }
    }

    /// 32 bytes that take as long to find from `value` for everyone.
    pub fn stretch(&mut self, value: &[u8], salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, NoMemory> {
        let Stretch { memory_kib, passes } = self.stretch;
        let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| NoMemory)?;
        let blocks = params.block_count();
        if self.memory.len() < blocks {
            // A machine without memory to spare shall say so; to ask for it in the usual way would end the agent.
            self.memory.try_reserve_exact(blocks).map_err(|_| NoMemory)?;
            self.memory.resize(blocks, Block::new());
        }
        let mut stretched = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(value, salt, &mut *stretched, &mut *self.memory)
            .map_err(|_| NoMemory)?;
        Ok(stretched)
    }
}

impl Drop for Stretcher {
    fn drop(&mut self) {
        self.memory.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretched(stretch: Stretch, value: &[u8], salt: [u8; 32]) -> [u8; 32] {
        *Stretcher::new(stretch).stretch(value, &salt).ok().unwrap()
    }

    #[test]
    fn it_is_argon2id_and_each_input_counts() {
        let two = Stretch::new(16, 2).unwrap();
        let mut expected = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(16, 2, 1, Some(32)).unwrap())
            .hash_password_into(b"serial", &[3; 32], &mut expected)
            .unwrap();
        assert_eq!(stretched(two, b"serial", [3; 32]), expected);
        let others = [
            stretched(two, b"serial2", [3; 32]),
            stretched(two, b"serial", [4; 32]),
            stretched(Stretch::new(16, 1).unwrap(), b"serial", [3; 32]),
            stretched(Stretch::new(24, 2).unwrap(), b"serial", [3; 32]),
        ];
        assert!(others.iter().all(|other| *other != expected));
    }

    #[test]
    fn what_was_stretched_before_leaves_no_trace() {
        let mut stretcher = Stretcher::new(Stretch::LEAST);
        for value in ["one", "two", "one"] {
            let fresh = stretched(Stretch::LEAST, value.as_bytes(), [1; 32]);
            assert_eq!(*stretcher.stretch(value.as_bytes(), &[1; 32]).ok().unwrap(), fresh);
        }
    }

    #[test]
    fn nobody_asks_for_gigabytes() {
        for (memory_kib, passes) in [
            (0, 1),
            (7, 1),
            (64, 0),
            (65_537, 1),
            (65_536, 3),
            (u32::MAX, 1),
            (u32::MAX, u32::MAX),
            (8, u32::MAX),
        ] {
            assert!(Stretch::new(memory_kib, passes).is_err(), "{memory_kib} {passes}");
            let written = postcard::to_stdvec(&(memory_kib, passes)).unwrap();
            assert!(postcard::from_bytes::<Stretch>(&written).is_err(), "{memory_kib} {passes}");
        }
        for stretch in [Stretch::USUAL, Stretch::LEAST, Stretch::new(65_536, 2).unwrap()] {
            let written = postcard::to_stdvec(&stretch).unwrap();
            assert_eq!(postcard::from_bytes(&written), Ok(stretch));
            assert_eq!(Stretch::new(stretch.memory_kib(), stretch.passes()), Ok(stretch));
        }
    }
}
