//! Why a TPM does not do what is asked of it, and what to do then.

use std::time::Duration;

/// Why a TPM did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TpmError {
    /// There is none, or its owner or firmware switched it off.
    #[error("there is no TPM 2.0 to use: {0}")]
    Absent(String),
    /// It is there, and not for us.
    #[error("no right to use the TPM: {0}")]
    Permission(String),
    /// It has no time now.
    #[error("the TPM is busy ({0}): try again in a moment")]
    Busy(String),
    /// Too many wrong passwords were tried, by whomever.
    #[error(
        "the TPM is locked after too many wrong passwords: wait until it unlocks by itself, or let its owner reset the \
         lockout (tpm2_dictionarylockout --clear-lockout)"
    )]
    Lockout,
    /// What it was given was made by another TPM, or by this one before it was cleared.
    #[error(
        "the TPM cannot open this ({0}): another TPM made it, or this one was cleared since; recover the licenses of \
         this machine"
    )]
    NotOurs(String),
    /// What it says has no known form.
    #[error("the TPM answers nonsense ({0}): restart the machine, and have the TPM checked if it stays so")]
    Nonsense(String),
    /// It does not answer.
    #[error("the TPM has not answered for {} s: restart the machine if it stays so", .0.as_secs())]
    Hang(Duration),
    /// It has no room.
    #[error(
        "the TPM has no room left ({0}): end other programs that use it, or let its owner remove indices that nobody \
         needs (tpm2_nvundefine)"
    )]
    Full(String),
    /// Anything else.
    #[error("the TPM refuses {operation} ({code}): restart the machine, and report this if it stays so")]
    Other {
        /// What was asked: the name of the command.
        operation: String,
        /// The name of its answer.
        code: String,
    },
}

impl TpmError {
    /// Whether it may be gone by itself in a moment.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Hang(_))
    }
}
