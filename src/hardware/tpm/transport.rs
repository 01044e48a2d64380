//! How commands get to a TPM and responses back.

use super::TpmError;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest command or response. The kernel's buffer is as long (`TPM_BUFSIZE` in `drivers/char/tpm/tpm.h`).
pub(super) const MESSAGE_LIMIT: usize = 4096;

/// For commands that calculate little. The kernel's own limit for most of them is 2 s; a busy chip takes longer.
pub(super) const QUICK: Duration = Duration::from_secs(20);

/// For commands that make a key: chips that have to search for primes take tens of seconds.
pub(super) const SLOW: Duration = Duration::from_secs(60);

/// One command there, one response back.
pub trait Transport: fmt::Debug + Send {
    /// Sends `command` whole and gives the whole response, as it came. After `limit` it gives up with
    /// [`TpmError::Hang`]; after any error nothing more can be had from this transport.
    fn exchange(&mut self, command: &[u8], limit: Duration) -> Result<Zeroizing<Vec<u8>>, TpmError>;
}
