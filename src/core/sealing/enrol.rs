//! Sealing.

use super::error::CannotSeal;
use super::field::{Element, SIZE};
use super::keys::{Context, PartKey, Tag};
use super::lock::{GroupLock, Lock, MAC, MAX_SECRET, Member, Payload, SealedBox};
use super::rungs::{rungs, units};
use super::shamir::{random, split};
use super::source::{Shown, Source, Value};
use super::stretch::{Stretch, Stretcher};
use super::threshold::needed;
use crate::clock::Entropy;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::evidence::Group;
use landfast_protocol::{Blob, BoundError, IssuerId, List};
use zeroize::{Zeroize, Zeroizing};

/// On what terms a machine is enrolled.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Whose device it is: what one issuer's box tells of the hardware says nothing about another's.
    pub issuer: &'a IssuerId,
    /// What each group counts.
    pub policy: &'a BindingPolicy,
    /// How dear one guess is.
    pub stretch: Stretch,
}

/// Seals `secret` to the machine that is `shown`.
pub fn seal(
    secret: &[u8],
    shown: &Shown<'_>,
    terms: &Terms<'_>,
    entropy: &mut Entropy,
) -> Result<SealedBox, CannotSeal> {
    enrol(shown, terms, entropy)?.seal(secret, entropy)
}

/// Makes a new key and locks it to the machine that is `shown`: to what of it can be read now.
pub fn enrol(shown: &Shown<'_>, terms: &Terms<'_>, entropy: &mut Entropy) -> Result<Key, CannotSeal> {
    let (evidence, values) = shown.values(terms.issuer);
    let plan = plan(&values, terms, evidence.virtual_machine);
    let weights: Vec<(Group, u32)> =
        plan.iter().map(|(group, weight, _)| (*group, u32::from(*weight))).collect();
    let (weight, minimum) = (weights.iter().map(|(_, weight)| weight).sum(), u32::from(terms.policy.minimum));
    if weight < minimum {
        return Err(CannotSeal::TooLittle { weight, minimum });
    }
    let laddered = plan.iter().filter(|(_, _, values)| values.len() > 1).count();
    let laddered = u32::try_from(laddered).unwrap_or(u32::MAX);
    let needed = needed(&weights, laddered, terms.policy).ok_or(CannotSeal::NothingOfItsOwn)?;

    let mut salt = [0; 16];
    salt.copy_from_slice(&entropy.bytes()[..16]);
    let context = Context { issuer: terms.issuer, salt: &salt };
    let whole = Zeroizing::new(random(entropy));
    let shares = split(*whole, needed as usize, weight as usize, entropy);
    let mut stretcher = Stretcher::new(terms.stretch);
    let (mut groups, mut rest) = (Vec::new(), &shares[..]);
    for (group, weight, values) in plan {
        let (own, others) = rest.split_at(usize::from(weight));
        rest = others;
        let mut parts = Vec::new();
        for value in values {
            let key = context.part(value.source, value.bytes, &mut stretcher);
            let key = key.map_err(|_| CannotSeal::NoMemory { memory_kib: terms.stretch.memory_kib() })?;
            parts.push((value.source, context.tag(&key), value.primary, key));
        }
        groups.push(lock_group(context, group, own, parts, entropy)?);
    }
    let groups = List::new(groups).map_err(unwritable)?;
    let data = context.data(*whole);
    Ok(Key { lock: Lock { salt, stretch: terms.stretch, needed, groups }, data })
}

/// What counts, group by group. Where the TPM holds something, that stands for it: who shows its public key only is
/// not the one who has it.
fn plan<'v>(
    values: &[Value<'v>],
    terms: &Terms<'_>,
    virtual_machine: bool,
) -> Vec<(Group, u8, Vec<Value<'v>>)> {
    let held = values.iter().any(|value| value.source == Source::Held);
    let mut plan = Vec::new();
    for group in Group::ALL {
        let of_group = |value: &&Value<'_>| {
            value.source.group() == group && (group != Group::Tpm || held == (value.source == Source::Held))
        };
        let values: Vec<Value<'v>> = values.iter().filter(of_group).copied().collect();
        let weight = u8::try_from(terms.policy.weights.of(group, virtual_machine)).unwrap_or(u8::MAX);
        if weight > 0 && !values.is_empty() {
            plan.push((group, weight, values));
        }
    }
    plan
}

/// Puts the shares of one group behind its ladder.
fn lock_group(
    context: Context<'_>,
    group: Group,
    shares: &[Element],
    mut parts: Vec<(Source, Tag, bool, PartKey)>,
    entropy: &mut Entropy,
) -> Result<GroupLock, CannotSeal> {
    // In the order of the tags nothing shows which value stood first.
    parts.sort_by_key(|(source, tag, ..)| (*source, *tag));
    let units = units(&parts.iter().map(|(source, _, primary, _)| (*source, *primary)).collect::<Vec<_>>());
    let all: usize = units.iter().sum();
    let mut given = vec![Vec::new(); parts.len()];
    let (mut masked, mut rest) = (Vec::with_capacity(shares.len() * SIZE), shares);
    for (number, rung) in rungs(group, shares.len(), all).into_iter().enumerate() {
        let key = Zeroizing::new(random(entropy));
        let pieces = split(*key, rung.needs, all, entropy);
        let mut pieces = pieces.iter();
        for (given, units) in given.iter_mut().zip(&units) {
            given.extend(pieces.by_ref().take(*units).flat_map(|piece| piece.to_bytes()));
        }
        let (own, others) = rest.split_at(rung.shares);
        rest = others;
        let start = masked.len();
        masked.extend(own.iter().flat_map(|share| share.to_bytes()));
        context.mask_rung(*key, group, number, &mut masked[start..]);
    }
    let mut members = Vec::new();
    for ((source, tag, primary, key), mut given) in parts.into_iter().zip(given) {
        context.mask_part(&key, &mut given);
        members.push(Member { source, tag, primary, given: Blob::new(given).map_err(unwritable)? });
    }
    Ok(GroupLock {
        group,
        weight: u8::try_from(shares.len()).unwrap_or(u8::MAX),
        members: List::new(members).map_err(unwritable)?,
        shares: Blob::new(masked).map_err(unwritable)?,
    })
}

fn unwritable(error: BoundError) -> CannotSeal {
    CannotSeal::Encoding(error.to_string())
}

/// An open lock. What changes often is sealed with it again, without a look at the hardware. Wiped when dropped.
pub struct Key {
    pub(super) lock: Lock,
    pub(super) data: Zeroizing<[u8; 32]>,
}

impl Key {
    /// Seals `secret` behind this lock, in place of what was there.
    pub fn seal(&self, secret: &[u8], entropy: &mut Entropy) -> Result<SealedBox, CannotSeal> {
        if secret.len() > MAX_SECRET {
            return Err(CannotSeal::TooLong { length: secret.len(), limit: MAX_SECRET });
        }
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&entropy.bytes()[..24]);
        let name = self.lock.digest().map_err(|error| CannotSeal::Encoding(error.to_string()))?;
        // With room for all of it the plain bytes are overwritten where they stand, and nowhere else.
        let mut bytes = Vec::with_capacity(secret.len() + MAC);
        bytes.extend_from_slice(secret);
        let sealed = XChaCha20Poly1305::new((&*self.data).into()).encrypt_in_place(
            (&nonce).into(),
            &name.0,
            &mut bytes,
        );
        if let Err(error) = sealed {
            bytes.zeroize();
            return Err(CannotSeal::Encoding(error.to_string()));
        }
        let ciphertext = Blob::new(bytes).map_err(unwritable)?;
        Ok(SealedBox { lock: self.lock.clone(), payload: Payload { nonce, ciphertext } })
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}
