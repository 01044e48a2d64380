//! Opening.

use super::enrol::Key;
use super::error::{GroupOpening, GroupReport, Opening, SealError};
use super::field::SIZE;
use super::keys::{Context, PartKey, element};
use super::lock::{GroupLock, Lock, SealedBox};
use super::rungs::reached;
use super::shamir::{Share, combine};
use super::source::{Shown, Source, Value};
use super::stretch::{NoMemory, Stretcher};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use landfast_protocol::IssuerId;
use landfast_protocol::evidence::{Evidence, State};
use zeroize::Zeroizing;

/// What was behind the lock, and the lock, open.
#[derive(Debug)]
pub struct Opened {
    /// The secret.
    pub secret: Secret,
    /// To seal the next one with.
    pub key: Key,
}

/// The secret in clear. Wiped when dropped, never printed.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The bytes.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Opens a box on the machine that is `shown`. No more values are stretched than it takes.
pub fn open(sealed: &SealedBox, issuer: &IssuerId, shown: &Shown<'_>) -> Result<Opened, SealError> {
    let lock = &sealed.lock;
    let (evidence, found) = try_values(lock, issuer, shown, true)?;
    let opening = found.opening(lock, &evidence, shown);
    if !opening.is_enough() {
        return Err(SealError::Shut(opening));
    }
    let damaged = || SealError::Damaged("they are not what was sealed".to_owned());
    let context = Context { issuer, salt: &lock.salt };
    let whole = Zeroizing::new(combine(&found.shares(lock, context).ok_or_else(damaged)?));
    let data = context.data(*whole);
    let mut bytes = Zeroizing::new(sealed.payload.ciphertext.to_vec());
    XChaCha20Poly1305::new((&*data).into())
        .decrypt_in_place((&sealed.payload.nonce).into(), &lock.digest()?.0, &mut *bytes)
        .map_err(|_| damaged())?;
    Ok(Opened { secret: Secret(bytes), key: Key { lock: lock.clone(), data } })
}

/// Says what each group gives on the machine that is `shown`, whether or not that is enough.
pub fn examine(sealed: &SealedBox, issuer: &IssuerId, shown: &Shown<'_>) -> Result<Opening, SealError> {
    let (evidence, found) = try_values(&sealed.lock, issuer, shown, false)?;
    Ok(found.opening(&sealed.lock, &evidence, shown))
}

/// The members that were found again, by group.
struct Found(Vec<Vec<(usize, PartKey)>>);

/// Tries what the machine shows. What costs nothing comes first, then groups by their order, which is by weight.
fn try_values(
    lock: &Lock,
    issuer: &IssuerId,
    shown: &Shown<'_>,
    only_as_needed: bool,
) -> Result<(Evidence, Found), SealError> {
    let (evidence, mut values) = shown.values(issuer);
    values.sort_by_key(|value| (value.source.is_guessable(), value.source.group()));
    let context = Context { issuer, salt: &lock.salt };
    let mut stretcher = Stretcher::new(lock.stretch);
    let mut found = Found(lock.groups.iter().map(|_| Vec::new()).collect());
    for value in values {
        let place = lock.groups.iter().position(|group| group.group == value.source.group());
        let Some((group, own)) = place.and_then(|at| Some((lock.groups.get(at)?, found.0.get_mut(at)?)))
        else {
            continue;
        };
        if !group.members.iter().any(|member| member.source == value.source)
            || worth(group, own) == usize::from(group.weight)
        {
            continue;
        }
        own.extend(
            try_value(group, context, &value, &mut stretcher)
                .map_err(|NoMemory| SealError::NoMemory { memory_kib: lock.stretch.memory_kib() })?,
        );
        if only_as_needed && found.total(lock) >= lock.needed {
            break;
        }
    }
    Ok((evidence, found))
}

fn try_value(
    group: &GroupLock,
    context: Context<'_>,
    value: &Value<'_>,
    stretcher: &mut Stretcher,
) -> Result<Option<(usize, PartKey)>, NoMemory> {
    let key = context.part(value.source, value.bytes, stretcher)?;
    let tag = context.tag(&key);
    let at = group.members.iter().position(|member| member.source == value.source && member.tag == tag);
    Ok(at.map(|at| (at, key)))
}

/// The shares that these members of a group open.
fn worth(group: &GroupLock, found: &[(usize, PartKey)]) -> usize {
    let units = group.units();
    reached(&group.rungs(), found.iter().filter_map(|(at, _)| units.get(*at)).sum())
}

impl Found {
    fn total(&self, lock: &Lock) -> u32 {
        let worths = lock.groups.iter().zip(&self.0).map(|(group, own)| worth(group, own));
        u32::try_from(worths.sum::<usize>()).unwrap_or(u32::MAX)
    }

    fn opening(&self, lock: &Lock, evidence: &Evidence, shown: &Shown<'_>) -> Opening {
        let report = |(group, own): (&GroupLock, &Vec<(usize, PartKey)>)| {
            let (weight, opened) = (u32::from(group.weight), worth(group, own));
            let opened = u32::try_from(opened).unwrap_or(u32::MAX);
            GroupReport { group: group.group, weight, opened, state: state(group, opened, evidence, shown) }
        };
        let groups = lock.groups.iter().zip(&self.0).map(report).collect();
        Opening { groups, opened: self.total(lock), weight: lock.weight(), needed: lock.needed }
    }

    /// As many shares of the key as are needed; none where the box does not hold what its shape promises.
    fn shares(&self, lock: &Lock, context: Context<'_>) -> Option<Zeroizing<Vec<Share>>> {
        let mut shares = Zeroizing::new(Vec::with_capacity(lock.weight() as usize));
        let mut first = 1;
        for (group, own) in lock.groups.iter().zip(&self.0) {
            open_group(group, own, context, first, &mut shares)?;
            first += usize::from(group.weight);
        }
        shares.truncate(lock.needed as usize);
        Some(shares)
    }
}

/// Adds the shares that these members open; the first of the group has the number `first`.
fn open_group(
    group: &GroupLock,
    found: &[(usize, PartKey)],
    context: Context<'_>,
    first: usize,
    shares: &mut Vec<Share>,
) -> Option<()> {
    let units = group.units();
    let mut given = Vec::new();
    for (at, key) in found {
        let mut bytes = Zeroizing::new(group.members.get(*at)?.given.to_vec());
        context.mask_part(key, &mut bytes);
        given.push((units.iter().take(*at).sum::<usize>(), *units.get(*at)?, bytes));
    }
    let kept: usize = given.iter().map(|(_, units, _)| units).sum();
    let mut start = 0;
    for (number, rung) in group.rungs().into_iter().enumerate() {
        let end = start + rung.shares;
        if rung.needs <= kept {
            let mut pieces: Zeroizing<Vec<Share>> = Zeroizing::new(Vec::with_capacity(kept));
            for (before, units, bytes) in &given {
                for unit in 0..*units {
                    pieces.push((before + unit + 1, element(bytes, number * units + unit)?));
                }
            }
            pieces.truncate(rung.needs);
            let mut own = Zeroizing::new(group.shares.get(start * SIZE..end * SIZE)?.to_vec());
            context.mask_rung(combine(&pieces), group.group, number, &mut own);
            for at in 0..rung.shares {
                shares.push((first + start + at, element(&own, at)?));
            }
        }
        start = end;
    }
    Some(())
}

fn state(group: &GroupLock, opened: u32, evidence: &Evidence, shown: &Shown<'_>) -> GroupOpening {
    let any = |state: fn(State) -> bool| {
        evidence.factors.iter().any(|found| found.factor.group() == group.group && state(found.state))
    };
    // A TPM that gives nothing may be busy or locked for a while.
    let withheld = shown.held.is_none() && group.members.iter().any(|member| member.source == Source::Held);
    if opened == u32::from(group.weight) {
        GroupOpening::Open
    } else if any(|state| state == State::Unreadable) || withheld {
        GroupOpening::Unreadable
    } else if opened > 0 {
        GroupOpening::Partly
    } else if any(|state| matches!(state, State::Present { .. })) {
        GroupOpening::Changed
    } else {
        GroupOpening::Absent
    }
}
