//! A state as it lies in the database and in its copy: with its generation, and a checksum over both.

use landfast_protocol::{Digest, IssuerId};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"lfstate1";
const HEADER: usize = 8 + 8 + 8 + 32;

/// One state of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Rises by at least one with each write.
    pub generation: u64,
    /// The number of the newest line of history that belongs to it.
    pub line: u64,
    /// What the machine gave. It holds the device key.
    pub state: Zeroizing<Vec<u8>>,
}

impl Image {
    /// The bytes to store. The checksum binds the state to its issuer, too.
    pub fn seal(&self, issuer: IssuerId) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + self.state.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.line.to_le_bytes());
        bytes.extend_from_slice(&self.checksum(issuer).0);
        bytes.extend_from_slice(&self.state);
        bytes
    }

    /// None when a single bit is not as it was.
    pub fn open(issuer: IssuerId, bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let (line, rest) = rest.split_first_chunk::<8>()?;
        let (sum, state) = rest.split_first_chunk::<32>()?;
        let image = Self {
            generation: u64::from_le_bytes(*generation),
            line: u64::from_le_bytes(*line),
            state: Zeroizing::new(state.to_vec()),
        };
        (image.checksum(issuer).0 == *sum).then_some(image)
    }

    fn checksum(&self, issuer: IssuerId) -> Digest {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + self.state.len()));
        bytes.extend_from_slice(&issuer.0);
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.line.to_le_bytes());
        bytes.extend_from_slice(&self.state);
        Digest::of(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_seen() {
        let issuer = IssuerId([7; 16]);
        let image = Image { generation: 3, line: 9, state: Zeroizing::new(b"state".to_vec()) };
        let sealed = image.seal(issuer);
        assert_eq!(Image::open(issuer, &sealed), Some(image));
        for at in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            assert_eq!(Image::open(issuer, &damaged), None, "bit {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(Image::open(issuer, &sealed[..length]), None, "cut at {length}");
        }
        assert_eq!(Image::open(IssuerId([8; 16]), &sealed), None);
    }
}
