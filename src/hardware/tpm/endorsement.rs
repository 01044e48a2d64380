//! The endorsement key: what tells one TPM from another.

use super::TpmError;
use super::client::Tpm;
use super::code::Failure;
use super::template::{Primary, endorsement};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tpm2_protocol::data::TpmRh;

/// The public area of the endorsement key (`TPMT_PUBLIC`): what a challenge is encrypted to. It is the same for all who
/// ask, so whoever gets it can recognise the machine; the factor is a digest of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndorsementArea(Vec<u8>);

impl EndorsementArea {
    /// The bytes, as the TPM publishes them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value of factor group B: the SHA-256 of the bytes in hexadecimal.
    #[must_use]
    pub fn factor_value(&self) -> String {
        Sha256::digest(&self.0).iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // a string takes everything
            text
        })
    }
}

impl Tpm {
    /// The endorsement key, made anew from its seed and flushed again.
    pub fn endorsement_area(&mut self) -> Result<EndorsementArea, TpmError> {
        let made = self.endorsement_key()?;
        let area = EndorsementArea(made.public);
        Ok(self.while_loaded(made.handle, |_| Ok(area))?)
    }

    /// The same, and it stays loaded.
    pub(super) fn endorsement_key(&mut self) -> Result<Primary, Failure> {
        let kind = self.kind()?;
        self.primary(TpmRh::Endorsement, &endorsement(kind))
    }
}
