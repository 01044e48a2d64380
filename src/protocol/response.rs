//! What the authority answers, or sends unasked.

use crate::bounded::{Blob, List};
use crate::certificate::Issued;
use crate::codec::Body;
use crate::frame::Kind;
use crate::grant::RequestName;
use crate::ids::{CaseId, DeviceId, IssuerId, OperationId};
use crate::operation::{Outcome, distinct};
use crate::request::MAX_OPERATIONS;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The largest encoded response: the largest grant, a list of revoked keys and the longest result for each of
/// as many operations as a request can carry fit into it, so that there is no request without an answer.
pub(crate) const MAX_RESPONSE: usize = 600 * 1024;

/// What the authority did with a request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Its operations were executed.
    Executed,
    /// A newer request was executed before; nothing of this one was, recorded results are repeated.
    Superseded,
    /// The device's history is forked; nothing is executed until the case is resolved.
    OnHold {
        /// The case that a person resolves.
        case: CaseId,
    },
    /// The key was retired; the device needs a new one.
    Retired,
}

/// Which request is answered, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answer {
    /// The request.
    pub request: RequestName,
    /// What was done with it.
    pub disposition: Disposition,
}

/// The result of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OperationResult {
    /// Which operation.
    pub id: OperationId,
    /// What became of it.
    pub outcome: Outcome,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Who answers.
    pub issuer: IssuerId,
    /// To which device.
    pub device: DeviceId,
    /// The request answered; none when unsolicited, such as a renewal file.
    pub answers: Option<Answer>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Results of operations.
    pub results: List<OperationResult, MAX_OPERATIONS>,
    /// The frame of the current grant.
    pub grant: Blob<{ 400 * 1024 }>,
    /// The frame of the newest list of revoked signing keys, once there is one.
    pub revocations: Option<Blob<4096>>,
}

impl Body for Response {
    const KIND: Kind = Kind::Response;
    const MAX_BYTES: usize = MAX_RESPONSE;
    fn check(&self) -> Result<(), &'static str> {
        if self.answers.is_none() && !self.results.is_empty() {
            return Err("an unsolicited response carries results");
        }
        if !distinct(self.results.iter().map(|result| result.id)) {
            return Err("it answers an operation twice");
        }
        Ok(())
    }
}
impl Issued for Response {
    fn issuer(&self) -> IssuerId {
        self.issuer
    }
    fn issued_at(&self) -> Timestamp {
        self.issued_at
    }
}
