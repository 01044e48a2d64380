//! Certificates for `serve`: a private CA that the issuer file carries, and a server certificate under it.

use crate::home::{Home, HomeError, secrets};
use landfast_protocol::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long the private CA lasts: as long as a field server may stand.
const CA_YEARS: i64 = 20;
/// How long a server certificate lasts.
const SERVER_DAYS: i64 = 2 * 365;

/// An address that devices are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As it was written.
    pub url: String,
    /// The name or IP address in it.
    pub host: String,
}

impl FromStr for Address {
    type Err = HomeError;
    fn from_str(text: &str) -> Result<Self, HomeError> {
        let wrong = || HomeError::Address(text.to_owned());
        let uri: hyper::Uri = text.parse().map_err(|_| wrong())?;
        let plain = uri.scheme_str() == Some("https") && uri.query().is_none() && !text.contains('@');
        let host = uri.host().filter(|host| plain && !host.is_empty()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { url: text.trim_end_matches('/').to_owned(), host })
    }
}

/// Makes the CA and the server certificate. Gives the CA in PEM.
pub fn create(home: &Home, hosts: &[String], now: Timestamp) -> Result<String, HomeError> {
    let (certificate, key) = home.authority_certificate();
    let ca_key = KeyPair::generate().map_err(refused)?;
    let ca = authority(now)?.self_signed(&ca_key).map_err(refused)?.pem();
    secrets::write_new(&certificate, 0o644, ca.as_bytes())?;
    secrets::write_new(&key, 0o600, ca_key.serialize_pem().as_bytes())?;
    renew_certificate(home, hosts, now)?;
    Ok(ca)
}

/// Makes a new server certificate under the CA; devices need no change.
pub fn renew_certificate(home: &Home, hosts: &[String], now: Timestamp) -> Result<(), HomeError> {
    let (_, ca_key) = home.authority_certificate();
    let ca_key = KeyPair::from_pem(&secrets::read_text(&ca_key)?).map_err(refused)?;
    let ca = authority(now)?;
    let issuer = Issuer::from_params(&ca, &ca_key);
    let key = KeyPair::generate().map_err(refused)?;
    let mut params = CertificateParams::new(hosts.to_vec()).map_err(refused)?;
    params.distinguished_name.push(DnType::CommonName, "Landfast authority");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    window(&mut params, now, SERVER_DAYS)?;
    let certificate = params.signed_by(&key, &issuer).map_err(refused)?;
    let both = Zeroizing::new([key.serialize_pem(), certificate.pem()].concat());
    secrets::replace(&home.tls_certificate(), 0o600, both.as_bytes())?;
    let _ = std::fs::remove_file(home.separate_tls_key());
    Ok(())
}

fn authority(now: Timestamp) -> Result<CertificateParams, HomeError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Landfast authority CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    window(&mut params, now, CA_YEARS * 365)?;
    Ok(params)
}

fn window(params: &mut CertificateParams, now: Timestamp, days: i64) -> Result<(), HomeError> {
    let today = i64::try_from(now.0)
        .ok()
        .and_then(|now| jiff::Timestamp::from_second(now).ok())
        .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
        .ok_or_else(|| refused("this machine's clock is wrong"))?;
    let date = |days: i64| {
        let day = today.checked_add(jiff::Span::new().days(days)).map_err(refused)?;
        let part = |number: i8| u8::try_from(number).map_err(refused);
        Ok::<_, HomeError>(rcgen::date_time_ymd(day.year().into(), part(day.month())?, part(day.day())?))
    };
    // A day earlier: the clocks of clients differ.
    params.not_before = date(-1)?;
    params.not_after = date(days)?;
    Ok(())
}

fn refused(reason: impl ToString) -> HomeError {
    HomeError::Certificate(reason.to_string())
}

/// What `serve` needs of a certificate chain and its key, both PEM files.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<rustls::ServerConfig>, HomeError> {
    let wrong = |reason: String| HomeError::Tls { path: certificate.to_owned(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(format!("its key: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_with_a_host() {
        let host = |text: &str| text.parse::<Address>().map(|address| address.host).ok();
        assert_eq!(host("https://license.example.com:8443/"), Some("license.example.com".to_owned()));
        assert_eq!(host("https://[::1]:8443"), Some("::1".to_owned()));
        for wrong in ["http://a", "a:1", "https://", "https://u@h", "https://h?q"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }
}
