//! What a device keeps of one issuer. It is stored as a whole, so that counter, operations, tombstones and signed
//! bytes are never out of step.

use crate::clock::TimeBase;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::grant::{RequestName, Token};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::{Action, Operation};
use landfast_protocol::request::Previous;
use landfast_protocol::{CaseId, IssuerId, LicenseId, OperationId, Timestamp};
use serde::{Deserialize, Serialize};

const FORMAT: u8 = 1;
/// Answers to requests older than the newest so many are no longer accepted: their results came with newer ones.
const REMEMBERED: usize = 256;

/// Why stored bytes are not a device's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Written by a newer release.
    #[error("the stored state has format {0}, this release reads format 1; install the newer release again")]
    Format(u8),
    /// Damaged.
    #[error("the stored state does not decode: {0}")]
    Damaged(String),
    /// For another issuer.
    #[error("the stored state belongs to issuer {0}")]
    OtherIssuer(IssuerId),
}

/// The seed of the device key. Wiped when dropped, never printed.
#[derive(Clone, Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(crate) struct Seed(pub [u8; 32]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// An operation without a final result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub operation: Operation,
    pub since: Timestamp,
    pub case: Option<CaseId>,
}

/// What was given back and does not count any more, until the result of its own return arrives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    pub operation: OperationId,
    pub license: LicenseId,
    /// None for all.
    pub quantity: Option<u32>,
}

/// The newest request, while it waits for its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outstanding {
    pub name: RequestName,
    pub bytes: Vec<u8>,
    /// The agent delivers it; otherwise somebody carries it.
    pub online: bool,
    /// When it was made, in licensing time.
    pub asked_at: Timestamp,
}

/// Changed hardware that the device took over by itself, as was planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rebound {
    /// The operation that planned it.
    pub plan: OperationId,
    /// What the hardware is judged against, in place of the grant's binding.
    pub evidence: Evidence,
    /// When, in licensing time.
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeviceState {
    format: u8,
    pub issuer: IssuerId,
    pub seed: Seed,
    /// The newest counter used, or raised to by a grant.
    pub counter: u64,
    /// Frame of the last grant applied.
    pub grant: Option<Vec<u8>>,
    /// Names that grant in requests, also when its roots are pinned no longer.
    pub previous: Option<Previous>,
    /// Frame of the newest list of revoked keys.
    pub revocations: Option<Vec<u8>>,
    pub pending: Vec<Pending>,
    pub tombstones: Vec<Tombstone>,
    /// Own requests, oldest first.
    pub made: Vec<RequestName>,
    pub outstanding: Option<Outstanding>,
    pub time: TimeBase,
    /// When the hardware stopped matching, in licensing time.
    pub broken_since: Option<Timestamp>,
    /// When the last response was applied, in licensing time.
    pub last_answer: Option<Timestamp>,
    /// The authority told this key that it is retired.
    pub retired: bool,
    /// Of the planned change that the grant names; it ends with a grant that names another or none.
    pub rebound: Option<Rebound>,
    /// The planned change of which the history says that it ended unused.
    pub ended_plan: Option<OperationId>,
}

impl DeviceState {
    pub fn new(issuer: IssuerId, seed: [u8; 32], time: TimeBase) -> Self {
        Self {
            format: FORMAT,
            issuer,
            seed: Seed(seed),
            counter: 0,
            grant: None,
            previous: None,
            revocations: None,
            pending: Vec::new(),
            tombstones: Vec::new(),
            made: Vec::new(),
            outstanding: None,
            time,
            broken_since: None,
            last_answer: None,
            retired: false,
            rebound: None,
            ended_plan: None,
        }
    }

    pub fn decode(bytes: &[u8], issuer: IssuerId) -> Result<Self, StateError> {
        match bytes.first() {
            Some(&FORMAT) => {}
            Some(&other) => return Err(StateError::Format(other)),
            None => return Err(StateError::Damaged("it is empty".to_owned())),
        }
        let state: Self = match postcard::take_from_bytes(bytes) {
            Ok((state, [])) => state,
            Ok(_) => return Err(StateError::Damaged("bytes follow its end".to_owned())),
            Err(error) => return Err(StateError::Damaged(error.to_string())),
        };
        if state.issuer == issuer { Ok(state) } else { Err(StateError::OtherIssuer(state.issuer)) }
    }

    pub fn encode(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(self).map_err(|error| error.to_string())
    }

    /// For where the seed is kept elsewhere.
    pub fn without_seed(&self) -> Self {
        Self { seed: Seed([0; 32]), ..self.clone() }
    }

    pub fn key(&self) -> SecretKey {
        SecretKey::from_seed(&self.seed.0)
    }

    /// Units of `token` that count: the grant less the tombstones.
    pub fn units(&self, token: &Token) -> u32 {
        self.tombstones
            .iter()
            .filter(|tomb| tomb.license == token.license)
            .fold(token.quantity, |left, tomb| left.saturating_sub(tomb.quantity.unwrap_or(u32::MAX)))
    }

    /// The newest activation of `license` that is pending and was not cancelled by a later full return.
    pub fn pending_activation(&self, license: LicenseId) -> Option<&Operation> {
        let mut newest = None;
        for pending in &self.pending {
            match &pending.operation.action {
                Action::Activate { license: of, .. } if *of == license => newest = Some(&pending.operation),
                Action::Return { license: of, quantity: None } if *of == license => newest = None,
                _ => {}
            }
        }
        newest
    }

    /// The newest planned change that is pending.
    pub fn pending_plan(&self) -> Option<&Operation> {
        let plans = self.pending.iter().rev().map(|pending| &pending.operation);
        plans.into_iter().find(|operation| matches!(operation.action, Action::PlanChange { .. }))
    }

    /// The newest pending return of `license`.
    pub fn pending_return(&self, license: LicenseId) -> Option<OperationId> {
        self.tombstones.iter().rev().find(|tomb| tomb.license == license).map(|tomb| tomb.operation)
    }

    pub fn remember(&mut self, name: RequestName) {
        self.made.push(name);
        let extra = self.made.len().saturating_sub(REMEMBERED);
        self.made.drain(..extra);
    }
}
