//! The signing key with its certificate, and the one place where answers are signed.

use landfast_protocol::certificate::{Certificate, Purpose};
use landfast_protocol::frame::{Frame, FrameError, Sealed};
use landfast_protocol::grant::Grant;
use landfast_protocol::keys::{PublicKey, SecretKey};
use landfast_protocol::response::Response;
use landfast_protocol::{Blob, BoundError, IssuerId, Timestamp};

/// Why something was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Devices would refuse what is signed now.
    #[error(
        "the signing key's certificate is good from {not_before} to {not_after} and it is {now} (seconds since \
         1970); check this machine's clock, or make a new key with `landfast-authority key rotate`"
    )]
    Window {
        /// First instant at which it may sign.
        not_before: u64,
        /// Last instant.
        not_after: u64,
        /// The time of signing.
        now: u64,
    },
    /// The certificate is not for this key or issuer, or not signed by the root.
    #[error(
        "the certificate does not fit the signing key: {0}; make a new key with `landfast-authority key rotate`"
    )]
    Certificate(String),
    /// The content breaks a limit of the protocol.
    #[error("the answer cannot be encoded: {0}")]
    Frame(#[from] FrameError),
    /// The grant is larger than a response can carry.
    #[error("the grant does not fit into a response: {0}")]
    Bound(#[from] BoundError),
}

/// Signs grants and responses.
#[derive(Clone, Debug)]
pub struct Signer {
    key: SecretKey,
    certificate: Certificate,
    chain: Vec<u8>,
}

impl Signer {
    /// `chain` is the frame of the key's certificate; it must be signed by one of `roots`.
    pub fn new(key: SecretKey, chain: Vec<u8>, roots: &[PublicKey]) -> Result<Self, SignError> {
        let frame = Frame::parse(&chain)?;
        let certificate: Certificate = frame.open()?;
        let wrong = |what: &str| Err(SignError::Certificate(what.to_owned()));
        if !roots.contains(&frame.signer()) {
            return wrong("no root key of this issuer signed it");
        }
        if certificate.key != key.public() {
            return wrong("it names another key");
        }
        Ok(Self { key, certificate, chain })
    }

    /// A new certificate for `key`, signed by `root`.
    pub fn certify(
        root: &SecretKey,
        key: SecretKey,
        issuer: IssuerId,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Self, SignError> {
        let certificate =
            Certificate { issuer, key: key.public(), purpose: Purpose::Exchange, not_before, not_after };
        let chain = Sealed::seal(&certificate, root, &[])?.into_bytes();
        Ok(Self { key, certificate, chain })
    }

    /// For whom it signs.
    #[must_use]
    pub fn issuer(&self) -> IssuerId {
        self.certificate.issuer
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The frame of the certificate.
    #[must_use]
    pub fn chain(&self) -> &[u8] {
        &self.chain
    }

    /// The secret key, for the file that keeps it.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Signs a grant.
    pub fn grant(&self, grant: &Grant) -> Result<Vec<u8>, SignError> {
        self.ready(grant.issued_at)?;
        Ok(Sealed::seal(grant, &self.key, &self.chain)?.into_bytes())
    }

    /// Puts a signed grant into a response and signs that.
    pub fn response(&self, mut response: Response, grant: Vec<u8>) -> Result<Vec<u8>, SignError> {
        self.ready(response.issued_at)?;
        response.grant = Blob::new(grant)?;
        Ok(Sealed::seal(&response, &self.key, &self.chain)?.into_bytes())
    }

    /// Whether the key may sign at `now`.
    pub fn ready(&self, now: Timestamp) -> Result<(), SignError> {
        let Certificate { not_before, not_after, .. } = self.certificate;
        if now < not_before || now > not_after {
            return Err(SignError::Window { not_before: not_before.0, not_after: not_after.0, now: now.0 });
        }
        Ok(())
    }
}
