//! Who may sign for an issuer: roots are pinned, roots certify signing keys, and may revoke them.

use crate::bounded::List;
use crate::codec::Body;
use crate::frame::{Frame, FrameError, Kind};
use crate::ids::IssuerId;
use crate::keys::PublicKey;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a signing key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Responses and grants.
    Exchange,
}

/// A root's statement that `key` signs for `issuer`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Certificate {
    /// The issuer, as pinned on devices.
    pub issuer: IssuerId,
    /// The signing key.
    pub key: PublicKey,
    /// What it may sign.
    pub purpose: Purpose,
    /// First instant at which it may sign.
    pub not_before: Timestamp,
    /// Last instant at which it may sign. What it signed until then stays good.
    pub not_after: Timestamp,
}
impl Body for Certificate {
    const KIND: Kind = Kind::Certificate;
    const MAX_BYTES: usize = 128;
    fn check(&self) -> Result<(), &'static str> {
        if self.not_before <= self.not_after { Ok(()) } else { Err("its window ends before it starts") }
    }
}

/// A root's list of signing keys that are no longer believed. A device keeps the list with the highest number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// The issuer; none before the first list.
    pub issuer: Option<IssuerId>,
    /// Only rises.
    pub number: u64,
    /// The keys.
    pub keys: List<PublicKey, 32>,
}
impl Body for Revocations {
    const KIND: Kind = Kind::Revocations;
    const MAX_BYTES: usize = 2048;
}

/// A message that says for whom and when it was issued.
pub trait Issued: Body {
    /// Whose message it is.
    fn issuer(&self) -> IssuerId;
    /// The signed issue time, by which the signing key's window is judged.
    fn issued_at(&self) -> Timestamp;
}

/// What a device believes of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The pinned id.
    pub issuer: IssuerId,
    /// The pinned roots.
    pub roots: Vec<PublicKey>,
    /// The newest list seen.
    pub revocations: Revocations,
}

impl Trust {
    /// Trust in pinned roots, nothing revoked yet.
    #[must_use]
    pub fn new(issuer: IssuerId, roots: Vec<PublicKey>) -> Self {
        Self { issuer, roots, revocations: Revocations::default() }
    }

    /// Opens a message that the issuer's authority signed: chain, window, revocation, signature, then content.
    pub fn open<B: Issued>(&self, bytes: &[u8]) -> Result<B, FrameError> {
        let frame = Frame::parse(bytes)?;
        frame.expect::<B>()?;
        let untrusted = |why: String| Err(FrameError::Untrusted(why));
        if frame.chain().is_empty() {
            return untrusted("it carries no certificate".to_owned());
        }
        let certificate: Certificate = self.open_by_root(frame.chain())?;
        if certificate.issuer != self.issuer {
            return untrusted(format!("its certificate is for issuer {}", certificate.issuer));
        }
        if certificate.key != frame.signer() {
            return untrusted("its certificate is for another key".to_owned());
        }
        // There is one purpose. A second one does not compile here until it is judged.
        let Purpose::Exchange = certificate.purpose;
        if self.revocations.keys.contains(&certificate.key) {
            return untrusted("the issuer has revoked its signing key".to_owned());
        }
        let body: B = frame.open()?;
        if body.issuer() != self.issuer {
            return untrusted(format!("it is from issuer {}", body.issuer()));
        }
        let at = body.issued_at();
        if at < certificate.not_before || at > certificate.not_after {
            return untrusted("it was issued outside the window of its signing key".to_owned());
        }
        Ok(body)
    }

    /// Takes a newer list of revoked keys; an older one changes nothing. True when it was newer.
    pub fn revoke(&mut self, bytes: &[u8]) -> Result<bool, FrameError> {
        let list: Revocations = self.open_by_root(bytes)?;
        if list.issuer != Some(self.issuer) {
            return Err(FrameError::Untrusted("the list of revoked keys is from another issuer".to_owned()));
        }
        let newer = list.number > self.revocations.number;
        if newer {
            self.revocations = list;
        }
        Ok(newer)
    }

    fn open_by_root<B: Body>(&self, bytes: &[u8]) -> Result<B, FrameError> {
        let frame = Frame::parse(bytes)?;
        frame.expect::<B>()?;
        if !frame.chain().is_empty() || !self.roots.contains(&frame.signer()) {
            return Err(FrameError::Untrusted(format!("{} is not signed by a pinned root key", B::KIND)));
        }
        frame.open()
    }
}
