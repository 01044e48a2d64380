//! What travels between a device and the authority, and what it means.
//!
//! Nothing here does I/O, reads a clock or draws randomness: keys, nonces and times are arguments.
//! `docs/protocol.md` describes the bytes for those who write another implementation.

pub mod armor;
pub mod binding;
mod bounded;
pub mod certificate;
mod codec;
#[cfg(feature = "credential")]
pub mod credential;
pub mod evidence;
pub mod frame;
pub mod grant;
mod ids;
pub mod keys;
pub mod local;
pub mod operation;
pub mod reading;
pub mod request;
pub mod response;
mod time;

pub use bounded::{Blob, BoundError, List, Text};
pub use codec::{Body, DecodeError, decode_body, encode_body};
pub use ids::{ActivationId, CaseId, DeviceId, Digest, IdError, IssuerId, LicenseId, Nonce, OperationId};
pub use time::{Duration, Timestamp};
