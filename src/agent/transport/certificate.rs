//! When a certificate is valid: by licensing time, since the wall clock of a field server may be wrong.

use landfast_protocol::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;

/// The certificates of one chain, from the server's to one that a CA store knows, that may each set the clock right.
const CHAIN: usize = 8;

/// Which day it is, as far as this machine knows.
#[derive(Clone, Copy, Debug)]
pub struct Today {
    /// Licensing time.
    pub time: Timestamp,
    /// A time server vouches for the wall clock.
    pub certain: bool,
}

/// Judges certificates as `verifier` does: by the wall clock where a time server vouches for it, and by licensing time
/// where nobody does.
///
/// Of an uncertain time neither side locks anyone out. No certificate is too new: a board without a battery starts in the
/// past, and an authority that it could not ask would not set it right either. None is too old if the wall clock says so:
/// licensing time that once ran ahead is put right by the next answer only.
#[derive(Debug)]
pub(super) struct ByLicensingTime {
    pub verifier: Arc<dyn ServerCertVerifier>,
    pub today: Today,
}

impl ServerCertVerifier for ByLicensingTime {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        wall: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |day| {
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, day)
        };
        if self.today.certain {
            return judge(wall);
        }
        let licensing = UnixTime::since_unix_epoch(Duration::from_secs(self.today.time.0));
        match from_its_beginning(licensing, judge) {
            verdict if is_expired(&verdict) && wall < licensing => from_its_beginning(wall, judge),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.verifier.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.verifier.root_hint_subjects()
    }
}

/// A verdict on `day`, or on the first day on which the whole chain is valid, if that is later.
fn from_its_beginning(
    mut day: UnixTime,
    judge: impl Fn(UnixTime) -> Result<ServerCertVerified, Error>,
) -> Result<ServerCertVerified, Error> {
    let mut verdict = judge(day);
    for _ in 0..CHAIN {
        match valid_from(&verdict) {
            Some(from) if from > day => day = from,
            _ => break,
        }
        verdict = judge(day);
    }
    verdict
}

fn is_expired(verdict: &Result<ServerCertVerified, Error>) -> bool {
    use CertificateError::{Expired, ExpiredContext};
    matches!(verdict, Err(Error::InvalidCertificate(Expired | ExpiredContext { .. })))
}

fn valid_from(verdict: &Result<ServerCertVerified, Error>) -> Option<UnixTime> {
    match verdict {
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            Some(*not_before)
        }
        _ => None,
    }
}
