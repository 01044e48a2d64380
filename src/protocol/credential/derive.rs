//! Keys and codes of the credential protection, all with SHA-256 and AES-128 (TCG TPM 2.0 Library, Part 1, chapters
//! "Key Derivation Function" and "Symmetric Encryption").

use crate::keys::hmac;
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Both derivations count their blocks from one, and one block is all that is needed here.
const FIRST_BLOCK: [u8; 4] = 1_u32.to_be_bytes();

/// KDFe for 256 bits: what an agreement on a curve gives, with both public coordinates mixed in.
pub(super) fn kdfe(shared: &[u8; 32], label: &[u8], ours: &[u8], theirs: &[u8]) -> Zeroizing<[u8; 32]> {
    let hash = Sha256::new()
        .chain_update(FIRST_BLOCK)
        .chain_update(shared)
        .chain_update(label)
        .chain_update([0])
        .chain_update(ours)
        .chain_update(theirs);
    Zeroizing::new(hash.finalize().into())
}

/// KDFa for 128 bits.
pub(super) fn kdfa(seed: &[u8; 32], label: &[u8], context: &[u8]) -> Zeroizing<[u8; 16]> {
    let block = Zeroizing::new(block(seed, label, context, 128));
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(&block[..16]);
    key
}

/// The code over what is encrypted and the name that it is for.
pub(super) fn integrity(seed: &[u8; 32], encrypted: &[u8], name: &[u8]) -> [u8; 32] {
    let key = Zeroizing::new(block(seed, b"INTEGRITY", &[], 256));
    hmac(&key, &[encrypted, name])
}

/// The first block of KDFa.
fn block(seed: &[u8; 32], label: &[u8], context: &[u8], bits: u32) -> [u8; 32] {
    hmac(seed, &[&FIRST_BLOCK, label, &[0], context, &bits.to_be_bytes()])
}

/// AES-128 in CFB with an initial vector of zeros, in place: each key encrypts one message only.
pub(super) fn cfb(key: &[u8; 16], bytes: &mut [u8]) {
    let cipher = Aes128::new(key.into());
    let mut feedback = aes::Block::default();
    for chunk in bytes.chunks_mut(feedback.len()) {
        cipher.encrypt_block(&mut feedback);
        for (byte, mask) in chunk.iter_mut().zip(&mut feedback) {
            *byte ^= *mask;
            *mask = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// NIST SP 800-38A, F.3.13, with its initial vector brought about by a first block that becomes it.
    #[test]
    fn cfb_gives_what_its_standard_says() {
        let key: [u8; 16] = bytes("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap();
        let vector = bytes("000102030405060708090a0b0c0d0e0f");
        let mut zero = aes::Block::default();
        Aes128::new(&key.into()).encrypt_block(&mut zero);
        let first: Vec<u8> = vector.iter().zip(&zero).map(|(a, b)| a ^ b).collect();
        let plain = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        let mut message = [first, plain].concat();
        cfb(&key, &mut message);
        assert_eq!(message[..16], vector);
        assert_eq!(message[16..], bytes("3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"));
        let mut short = [0; 5];
        cfb(&key, &mut short);
        assert_eq!(short, zero[..5]);
    }

    #[test]
    fn labels_and_contexts_give_keys_of_their_own() {
        let seed = [7; 32];
        let keys = [
            kdfa(&seed, b"STORAGE", b"a"),
            kdfa(&seed, b"STORAGE", b"b"),
            kdfa(&seed, b"INTEGRITY", b"a"),
            kdfa(&[8; 32], b"STORAGE", b"a"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
    }
}
