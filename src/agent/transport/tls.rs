//! TLS to the authority, and its troubles in plain words.

use super::certificate::{ByLicensingTime, Today};
use super::failure::{garbage, unreachable, words};
use crate::config::{Address, ca_store};
use landfast_core::TransportFailure;
use landfast_protocol::Timestamp;
use landfast_protocol::local::Rfc3339;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Made for each exchange and dropped after it: the system's CA store is large, and exchanges are rare.
pub(super) async fn configure(
    ca: Option<String>,
    today: Today,
) -> Result<Arc<ClientConfig>, TransportFailure> {
    // Reading the system's CA store takes some milliseconds, in which checks would wait.
    let made = tokio::task::spawn_blocking(move || make(ca.as_deref(), today)).await;
    made.unwrap_or_else(|error| Err(TransportFailure::Tls(error.to_string()))).map(Arc::new)
}

fn make(ca: Option<&str>, today: Today) -> Result<ClientConfig, TransportFailure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = match ca {
        Some(pem) => pinned_verifier(pem, Arc::clone(&provider))?,
        None => system_verifier(Arc::clone(&provider))?,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TransportFailure::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ByLicensingTime { verifier, today }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn pinned_verifier(
    pem: &str,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TransportFailure> {
    let failed = |why: String| TransportFailure::Tls(format!("`ca` of the issuer file: {why}"));
    let store = ca_store(pem).map_err(failed)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    verifier.map(|made| made as Arc<dyn ServerCertVerifier>).map_err(|error| failed(error.to_string()))
}

fn system_verifier(provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TransportFailure> {
    let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(|error| {
        TransportFailure::Tls(format!(
            "this machine has no usable CA store ({error}): install the package ca-certificates, or put the \
             authority's CA certificate into `ca` of the issuer file"
        ))
    })?;
    Ok(Arc::new(verifier))
}

/// Shakes hands, and judges the certificate.
pub(super) async fn handshake(
    config: Arc<ClientConfig>,
    address: &Address,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, TransportFailure> {
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| unreachable(address.authority(), "neither a host name nor an IP address"))?;
    TlsConnector::from(config).connect(name, tcp).await.map_err(|error| explain(address.authority(), &error))
}

fn explain(place: &str, error: &io::Error) -> TransportFailure {
    let tls = |why: String| TransportFailure::Tls(format!("{place}: {why}"));
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        None => unreachable(place, format!("{} during the TLS handshake", words(error))),
        Some(rustls::Error::InvalidCertificate(error)) => tls(certificate(error)),
        Some(rustls::Error::InvalidMessage(_)) => garbage(place, "it does not speak TLS on this port"),
        Some(rustls::Error::AlertReceived(alert)) => tls(format!("it ended the handshake: {alert:?}")),
        Some(rustls::Error::PeerIncompatible(why)) => tls(format!("it speaks no TLS that is safe: {why:?}")),
        Some(other) => tls(other.to_string()),
    }
}

fn certificate(error: &CertificateError) -> String {
    let clock = "correct this machine's clock if it is wrong";
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            format!("it expired at {}, and it is {} here; {clock}", day(*not_after), day(*time))
        }
        CertificateError::Expired => format!("it has expired; {clock}"),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("it is valid from {} on, and it is {} here; {clock}", day(*not_before), day(*time))
        }
        CertificateError::NotValidYet => format!("it is not valid yet; {clock}"),
        CertificateError::UnknownIssuer => {
            "it comes from an unknown CA; put the CA's certificate into `ca` of the issuer file".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("it is for another name: {}", super::failure::shown(&presented.join(", ")))
        }
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
            "it is for another name".to_owned()
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::BadSignature => {
            "it was changed, or comes from another CA of the same name; take a new issuer file from the vendor".to_owned()
        }
        other => other.to_string(),
    }
}

fn day(time: UnixTime) -> Rfc3339 {
    Rfc3339(Timestamp(time.as_secs()))
}
