//! Keys from values: HKDF-SHA256, apart for each issuer, box, source and use.

use super::field::{Element, SIZE};
use super::source::Source;
use super::stretch::{NoMemory, Stretcher};
use hkdf::Hkdf;
use landfast_protocol::evidence::Group;
use landfast_protocol::{Digest, IssuerId};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Random bytes of one box: equal machines have unlike boxes.
pub(super) type Salt = [u8; 16];
/// Names the value that a part was sealed to, for those who have the value.
pub(super) type Tag = [u8; 16];

/// HKDF gives 255 times 32 bytes under one name.
const MOST_AT_ONCE: usize = 4096;

/// What all keys of one box have in common.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub issuer: &'a IssuerId,
    pub salt: &'a Salt,
}

/// What one value opens.
pub(super) struct PartKey(Zeroizing<[u8; 32]>);

impl Context<'_> {
    /// The key of one value. What can be guessed is stretched first.
    pub fn part(&self, source: Source, value: &[u8], stretcher: &mut Stretcher) -> Result<PartKey, NoMemory> {
        if !source.is_guessable() {
            return Ok(PartKey(self.derive(value, b"part", source.name())));
        }
        // Without the source in the salt one guess would serve for two fields that hold the same serial number.
        let named = [&b"landfast/1/seal/stretch\0"[..], &self.issuer.0, self.salt, source.name().as_bytes()];
        let stretched = stretcher.stretch(value, &Digest::of(&named.concat()).0)?;
        Ok(PartKey(self.derive(&*stretched, b"part", source.name())))
    }

    /// The tag of one value.
    pub fn tag(&self, part: &PartKey) -> Tag {
        let mut tag = [0; 16];
        self.fill(&*part.0, b"tag", "", &mut tag);
        tag
    }

    /// Hides what is given to one value, or shows it again.
    pub fn mask_part(&self, part: &PartKey, given: &mut [u8]) {
        self.mask(&*part.0, b"given", "", given);
    }

    /// Hides the shares of one rung, or shows them again.
    pub fn mask_rung(&self, key: Element, group: Group, number: usize, shares: &mut [u8]) {
        let name = format!("{} {number}", group.name());
        self.mask(&*Zeroizing::new(key.to_bytes()), b"rung", &name, shares);
    }

    /// The key of the secret itself.
    pub fn data(&self, whole: Element) -> Zeroizing<[u8; 32]> {
        self.derive(&*Zeroizing::new(whole.to_bytes()), b"data", "")
    }

    fn derive(&self, from: &[u8], purpose: &[u8], name: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        self.fill(from, purpose, name, &mut *key);
        key
    }

    /// Each key masks once: it is one of this box, this purpose and this name.
    fn mask(&self, key: &[u8], purpose: &[u8], name: &str, bytes: &mut [u8]) {
        let mut pad = Zeroizing::new(vec![0; bytes.len()]);
        self.fill(key, purpose, name, &mut pad);
        bytes.iter_mut().zip(pad.iter()).for_each(|(byte, pad)| *byte ^= pad);
    }

    fn fill(&self, from: &[u8], purpose: &[u8], name: &str, out: &mut [u8]) {
        let expanded = Hkdf::<Sha256>::new(Some(self.salt), from);
        for (number, part) in (0u32..).zip(out.chunks_mut(MOST_AT_ONCE)) {
            let number = number.to_le_bytes();
            let info = [b"landfast/1/seal/", purpose, b"\0", &self.issuer.0, &number, name.as_bytes()];
            let filled = expanded.expand_multi_info(&info, part);
            debug_assert!(filled.is_ok(), "no part is longer than HKDF can fill");
        }
    }
}

/// One element out of bytes in which many stand.
pub(super) fn element(bytes: &[u8], number: usize) -> Option<Element> {
    let at = number.checked_mul(SIZE)?;
    let bytes = bytes.get(at..at.checked_add(SIZE)?)?;
    bytes.try_into().ok().map(Element::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::stretch::Stretch;
    use landfast_protocol::evidence::Factor;
    use std::collections::BTreeSet;

    const ISSUER: IssuerId = IssuerId([7; 16]);

    #[test]
    fn each_issuer_box_source_and_value_has_keys_of_its_own() {
        let mut tags = BTreeSet::new();
        for issuer in [ISSUER, IssuerId([8; 16])] {
            for salt in [[1; 16], [2; 16]] {
                let context = Context { issuer: &issuer, salt: &salt };
                let serial = Source::Read(Factor::BoardSerial);
                for source in [serial, Source::Read(Factor::ProductSerial), Source::Held] {
                    for value in ["serial-1", "serial-2"] {
                        let mut stretcher = Stretcher::new(Stretch::LEAST);
                        let part = context.part(source, value.as_bytes(), &mut stretcher).ok().unwrap();
                        tags.insert(context.tag(&part));
                    }
                }
            }
        }
        assert_eq!(tags.len(), 2 * 2 * 3 * 2);
    }

    #[test]
    fn a_long_mask_repeats_nothing_and_comes_off_again() {
        let context = Context { issuer: &ISSUER, salt: &[1; 16] };
        let mut bytes = vec![0; 3 * MOST_AT_ONCE + 5];
        context.mask_rung(Element::ONE, Group::Disks, 1, &mut bytes);
        let lines: BTreeSet<&[u8]> = bytes.chunks_exact(16).collect();
        assert_eq!(lines.len(), bytes.len() / 16);
        for (key, group, number) in [
            (Element::ZERO, Group::Disks, 1),
            (Element::ONE, Group::Board, 1),
            (Element::ONE, Group::Disks, 2),
        ] {
            let mut other = bytes.clone();
            context.mask_rung(key, group, number, &mut other);
            assert!(other.iter().filter(|byte| **byte == 0).count() < other.len() / 64);
        }
        context.mask_rung(Element::ONE, Group::Disks, 1, &mut bytes);
        assert!(bytes.iter().all(|byte| *byte == 0));
    }
}
