//! Group B: the endorsement key of the TPM.

use super::{TpmDevice, TpmError};
use landfast_protocol::reading::{Identity, Reading};

/// The value of the factor. A TPM that cannot be used now is unreadable, whatever the reason; it is absent where the
/// machine has none to use.
pub(crate) fn read(device: &TpmDevice) -> Reading {
    match device.open().and_then(|mut tpm| tpm.endorsement_area()) {
        Ok(area) => Reading::Present(Identity::new(area.factor_value())),
        Err(TpmError::Absent(_)) => Reading::Absent,
        Err(error) => {
            Reading::Unreadable(format!("{error}; until then it counts neither for nor against this machine"))
        }
    }
}
