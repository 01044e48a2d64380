//! RSAES-OAEP for 2048 bits and the exponent 65537 with SHA-256 (RFC 8017, section 7.1), encryption only: there is no
//! private key here whose use could be watched.

use p256::elliptic_curve::bigint::modular::{FixedMontyForm, FixedMontyParams};
use p256::elliptic_curve::bigint::{Odd, U2048};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The label of credentials, with the zero that the TPM counts in.
const LABEL: &[u8] = b"IDENTITY\0";
const HASH: usize = 32;
const LENGTH: usize = 256;

/// The public number of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Modulus(FixedMontyParams<{ U2048::LIMBS }>);

impl Modulus {
    /// Nothing for numbers that are even or shorter than they say.
    pub fn new(bytes: &[u8; LENGTH]) -> Option<Self> {
        let number: Option<Odd<U2048>> = Odd::new(U2048::from_be_slice(bytes)).into();
        number.filter(|_| bytes[0] & 0x80 != 0).map(|number| Self(FixedMontyParams::new_vartime(number)))
    }

    /// Encrypts a message of 32 bytes.
    pub fn encrypt(&self, message: &[u8; HASH], seed: &[u8; HASH]) -> Vec<u8> {
        let padded = pad(message, seed);
        let number = FixedMontyForm::new(&U2048::from_be_slice(&*padded), &self.0);
        let mut power = number;
        for _ in 0..16 {
            power = power.square();
        }
        power.mul(&number).retrieve().to_be_bytes().as_ref().to_vec()
    }
}

fn pad(message: &[u8; HASH], seed: &[u8; HASH]) -> Zeroizing<[u8; LENGTH]> {
    let mut whole = Zeroizing::new([0; LENGTH]);
    let (head, block) = whole.split_at_mut(1 + HASH);
    block[..HASH].copy_from_slice(&Sha256::digest(LABEL));
    let end = block.len() - HASH;
    block[end - 1] = 1;
    block[end..].copy_from_slice(message);
    mask(seed, block);
    head[1..].copy_from_slice(seed);
    mask(block, &mut head[1..]);
    whole
}

/// MGF1 over `seed`, laid over `bytes`.
fn mask(seed: &[u8], bytes: &mut [u8]) {
    for (count, chunk) in (0_u32..).zip(bytes.chunks_mut(HASH)) {
        let hash = Sha256::new().chain_update(seed).chain_update(count.to_be_bytes()).finalize();
        for (byte, mask) in chunk.iter_mut().zip(&hash) {
            *byte ^= mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_undone_by_the_same_masks() {
        let (message, seed) = ([5; HASH], [9; HASH]);
        let padded = pad(&message, &seed);
        assert_eq!(padded[0], 0);
        let mut found = [0; HASH];
        found.copy_from_slice(&padded[1..=HASH]);
        mask(&padded[1 + HASH..], &mut found);
        assert_eq!(found, seed);
        let mut block = padded[1 + HASH..].to_vec();
        mask(&found, &mut block);
        assert_eq!(block[..HASH], *Sha256::digest(LABEL));
        assert!(block[HASH..190].iter().all(|byte| *byte == 0));
        assert_eq!((block[190], &block[191..]), (1, &message[..]));
    }

    #[test]
    fn only_odd_numbers_of_full_length_are_taken() {
        let mut bytes = [0xff; LENGTH];
        assert!(Modulus::new(&bytes).is_some());
        bytes[LENGTH - 1] = 0xfe;
        assert!(Modulus::new(&bytes).is_none());
        bytes = [0xff; LENGTH];
        bytes[0] = 0x7f;
        assert!(Modulus::new(&bytes).is_none());
    }
}
