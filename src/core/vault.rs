//! Where the device's key and counter are: in clear, or sealed to the machine and open or shut.
//!
//! They are sealed when a binding is in force and all that it enrolled is there, and anew when the binding changes. A
//! sealed state is shut after each start, until the hardware was looked at. While it stays shut the grant goes on
//! answering checks; what needs a signature waits.

use crate::binding::enrolled;
use crate::clock::Entropy;
use crate::machine::Inner;
use crate::sealing::{self, CannotSeal, Key, SealError, SealedBox, Shown, Stretch, Terms};
use crate::state::{DeviceState, Seed, StateError};
use crate::work::Work;
use landfast_protocol::binding::GroupState;
use landfast_protocol::keys::SecretKey;
use landfast_protocol::{DeviceId, Digest, IssuerId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How key and counter are kept.
#[derive(Clone, Debug)]
pub(crate) enum Vault {
    /// In clear: nothing is bound yet, a planned change is open, or this machine cannot be sealed to.
    Clear {
        /// To this binding it could not be sealed, and why.
        refused: Option<(Digest, CannotSeal)>,
    },
    /// Sealed to the machine that this binding names, and open.
    Open { key: Arc<Key>, to: Digest },
    /// Sealed, and not opened since the start.
    Shut {
        sealed: Arc<SealedBox>,
        to: Digest,
        /// Why it did not open; none before the hardware was looked at.
        why: Option<SealError>,
    },
}

/// The first byte of a stored state whose secrets are sealed.
const SEALED: u8 = 2;
const SECRET: usize = 32 + 8;

/// A stored state: everything but the secrets, and those in their box.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u8,
    device: DeviceId,
    to: Digest,
    sealed: Vec<u8>,
    state: Vec<u8>,
}

/// A state as it was stored, and how its secrets are kept.
pub(crate) struct Restored {
    pub state: DeviceState,
    pub vault: Vault,
    pub device: DeviceId,
}

/// Reads what [`Inner::encode`] wrote.
pub(crate) fn decode(bytes: &[u8], issuer: IssuerId) -> Result<Restored, StateError> {
    if bytes.first() != Some(&SEALED) {
        let state = DeviceState::decode(bytes, issuer)?;
        let device = state.key().public().device();
        return Ok(Restored { state, vault: Vault::Clear { refused: None }, device });
    }
    let damaged = |reason: String| StateError::Damaged(reason);
    let stored: Stored = match postcard::take_from_bytes(bytes) {
        Ok((stored, [])) => stored,
        Ok(_) => return Err(damaged("bytes follow its end".to_owned())),
        Err(error) => return Err(damaged(error.to_string())),
    };
    let sealed = SealedBox::decode(&stored.sealed).map_err(|error| damaged(error.to_string()))?;
    Ok(Restored {
        state: DeviceState::decode(&stored.state, issuer)?,
        vault: Vault::Shut { sealed: Arc::new(sealed), to: stored.to, why: None },
        device: stored.device,
    })
}

impl Inner {
    /// What is stored.
    pub fn encode(&self, entropy: &mut Entropy) -> Result<Vec<u8>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let (sealed, to) = match &self.vault {
            Vault::Clear { .. } => return self.state.encode(),
            Vault::Open { key, to } => {
                let mut secret = Zeroizing::new([0; SECRET]);
                secret[..32].copy_from_slice(&self.state.seed.0);
                secret[32..].copy_from_slice(&self.state.counter.to_le_bytes());
                let sealed = key.seal(&secret[..], entropy).map_err(|error| words(&error))?;
                (sealed.encode(), *to)
            }
            Vault::Shut { sealed, to, .. } => (sealed.encode(), *to),
        };
        let sealed = sealed.map_err(|error| words(&error))?;
        let state = self.state.without_seed().encode()?;
        let stored = Stored { format: SEALED, device: self.device, to, sealed, state };
        postcard::to_stdvec(&stored).map_err(|error| words(&error))
    }

    /// Why nothing can be signed; none where it can, or nobody has tried yet.
    pub fn shut(&self) -> Option<&SealError> {
        match &self.vault {
            Vault::Shut { why, .. } => why.as_ref(),
            _ => None,
        }
    }

    /// Nothing can be signed now.
    pub fn is_shut(&self) -> bool {
        matches!(self.vault, Vault::Shut { .. })
    }
}

impl Work<'_> {
    /// Tries to open what is shut, with what was read just now.
    pub fn unlock(&mut self) {
        let Vault::Shut { sealed, to, why } = &self.inner.vault else { return };
        let Some(reading) = &self.inner.reading else { return };
        let was_refused = why.is_some();
        let found = sealing::open(sealed, &self.inner.state.issuer, &Shown::of(reading));
        match found
            .and_then(|opened| secrets(opened.secret.reveal(), self.inner.device).map(|s| (s, opened.key)))
        {
            Ok(((seed, counter), key)) => {
                let to = *to;
                self.inner.vault = Vault::Open { key: Arc::new(key), to };
                self.inner.state.seed = seed;
                self.inner.state.counter = self.inner.state.counter.max(counter);
                if was_refused {
                    self.note("secrets_opened", "the device's key can be used again".to_owned());
                }
                self.sign_what_waited();
            }
            Err(error) => {
                if !was_refused {
                    self.note("secrets_shut", error.to_string());
                }
                if let Vault::Shut { why, .. } = &mut self.inner.vault {
                    *why = Some(error);
                }
            }
        }
    }

    /// What was returned while nothing could be signed.
    fn sign_what_waited(&mut self) {
        let asked = self.inner.state.outstanding.is_some();
        if !asked && !self.inner.state.pending.is_empty() && self.settings.online {
            // Where no request can be made now, the hourly refresh makes one.
            let _ = self.make_request(true);
        }
    }

    /// Seals what is open to the machine that is there, when the binding says that it is this one.
    pub fn lock_up(&mut self) {
        let Some(stretch) = self.settings.sealing else { return };
        if self.inner.lost_since.is_some() || self.inner.is_shut() {
            return;
        }
        let wanted = self.sealable();
        match (&self.inner.vault, wanted) {
            // A swap that was announced may happen while the power is off.
            (Vault::Open { .. }, _) if self.plan_is_open() => {
                self.inner.vault = Vault::Clear { refused: None };
                self.note(
                    "secrets_unsealed",
                    "key and counter are kept open for the planned change".to_owned(),
                );
            }
            (Vault::Open { to, .. }, Some(binding)) if *to != binding => self.seal_to(binding, stretch),
            (Vault::Clear { refused }, Some(binding))
                if refused.as_ref().is_none_or(|(tried, _)| *tried != binding) =>
            {
                self.seal_to(binding, stretch);
            }
            _ => {}
        }
    }

    /// Names the binding that is in force, if all that it enrolled is there.
    fn sealable(&self) -> Option<Digest> {
        let whole = self.inner.comparison.as_ref().is_some_and(|comparison| {
            let mut groups = comparison.groups.iter();
            groups.all(|group| matches!(group.state, GroupState::Match | GroupState::NotEnrolled))
        });
        let binding = enrolled(&self.inner).filter(|_| whole && !self.plan_is_open())?;
        postcard::to_stdvec(binding).ok().map(|bytes| Digest::of(&bytes))
    }

    fn seal_to(&mut self, binding: Digest, stretch: Stretch) {
        let (Some(reading), Some(grant)) = (&self.inner.reading, &self.inner.grant) else { return };
        let terms = Terms { issuer: &self.inner.state.issuer, policy: &grant.policy, stretch };
        match sealing::enrol(&Shown::of(reading), &terms, &mut self.entropy) {
            Ok(key) => {
                self.inner.vault = Vault::Open { key: Arc::new(key), to: binding };
                self.note("secrets_sealed", "key and counter are sealed to this machine".to_owned());
            }
            // Not worth a line: the status says so.
            Err(error) => self.inner.vault = Vault::Clear { refused: Some((binding, error)) },
        }
    }
}

/// Key and counter, if they are those of this device: a box does not say who made it.
fn secrets(bytes: &[u8], device: DeviceId) -> Result<(Seed, u64), SealError> {
    let damaged = || SealError::Damaged("they are those of another device".to_owned());
    let (seed, counter) = bytes.split_at_checked(32).ok_or_else(damaged)?;
    let seed = Seed(<[u8; 32]>::try_from(seed).map_err(|_| damaged())?);
    let counter = u64::from_le_bytes(<[u8; 8]>::try_from(counter).map_err(|_| damaged())?);
    let own = SecretKey::from_seed(&seed.0).public().device() == device;
    own.then_some((seed, counter)).ok_or_else(damaged)
}
