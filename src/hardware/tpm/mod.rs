//! The TPM 2.0 of this machine: its endorsement key as factor group B, proof that it is here, a counter that cannot be
//! set back, and data that only it opens.
//!
//! [`TpmDevice`] is the kernel's `/dev/tpmrm0` below a [`Root`](crate::Root); [`TpmDevice::open`] begins a
//! conversation, a [`Tpm`]. Whoever speaks to a TPM elsewhere gives [`Tpm::new`] another [`Transport`]. Nothing here
//! waits longer than it says: a TPM that hangs gives [`TpmError::Hang`].
//!
//! What a conversation loads it also flushes, nothing is made persistent but the counter, and closing the device lets
//! the kernel forget the rest. Ownership and lockout passwords are never set, asked for or guessed.

mod client;
mod code;
mod counter;
mod device;
mod endorsement;
mod error;
mod factor;
mod line;
mod possession;
mod sealing;
mod template;
mod transport;

pub use client::Tpm;
pub use counter::CounterIndex;
pub use device::TpmDevice;
pub use endorsement::EndorsementArea;
pub use error::TpmError;
pub(crate) use factor::read;
pub use possession::ObjectName;
pub use sealing::{SEALED_LIMIT, Sealed};
pub use transport::Transport;
