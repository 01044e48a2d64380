//! Planned changes, as the local interface shows them.

use super::Rfc3339;
use crate::ids::OperationId;
use serde::{Deserialize, Serialize};

/// A swap of hardware that was announced: open, or used and not yet known to the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The operation that planned it.
    pub operation: OperationId,
    /// When the window closes, in licensing time.
    #[serde(default)]
    pub until: Rfc3339,
    /// When the changed hardware was taken over: the plan is used up then. Null while it is open.
    #[serde(default)]
    pub used_at: Option<Rfc3339>,
}
