//! `issuers.d/NAME.toml`: one vendor as this device believes it.

use super::address::Address;
use super::error::ConfigError;
use super::keys::Keys;
use super::trusted::TrustedFile;
use landfast_protocol::IssuerId;
use landfast_protocol::certificate::Trust;
use landfast_protocol::keys::PublicKey;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fmt;
use std::path::{Path, PathBuf};

const MAX_ROOTS: usize = 8;
const MAX_ADDRESSES: usize = 8;
const MAX_ISSUERS: usize = 16;

/// A pinned issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What administrators call it: lower-case letters, digits and dashes.
    pub name: String,
    /// Its pinned id.
    pub id: IssuerId,
    /// Its pinned root keys.
    pub roots: Vec<PublicKey>,
    /// Where its authority is reached, tried in order; empty for exchanges by file only.
    pub addresses: Vec<Address>,
    /// The CA certificates (PEM) that its authority's TLS certificate must come from; none for the system's.
    pub ca: Option<String>,
    /// The file that says so.
    pub file: PathBuf,
}

impl Issuer {
    /// Reads an issuer file.
    pub(super) fn parse(file: &TrustedFile) -> Result<Self, ConfigError> {
        let mut keys = Keys::of(file, &["name", "id", "roots", "addresses", "ca"])?;
        let issuer_file = "take the issuer file as the vendor gave it";
        let missing = |keys: &Keys<'_>, key| keys.refuse(key, "it is missing", issuer_file);

        let name = keys.text("name")?.ok_or_else(|| missing(&keys, "name"))?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            let advice = "write 1 to 32 lower-case letters, digits and dashes";
            return Err(keys.refuse("name", "it cannot be typed as a command's argument", advice));
        }

        let id = keys.text("id")?.ok_or_else(|| missing(&keys, "id"))?;
        let id = id.parse().map_err(|error| keys.refuse("id", format!("{error}"), issuer_file))?;

        let roots = keys.texts("roots")?.ok_or_else(|| missing(&keys, "roots"))?;
        if roots.is_empty() || roots.len() > MAX_ROOTS {
            let reason = format!("it holds {} keys", roots.len());
            return Err(keys.refuse("roots", reason, format!("write 1 to {MAX_ROOTS} keys")));
        }
        let roots = roots
            .iter()
            .map(|root| {
                root.parse::<PublicKey>().map_err(|_| {
                    keys.refuse("roots", format!("`{root}` is no Ed25519 public key"), issuer_file)
                })
            })
            .collect::<Result<_, _>>()?;

        let addresses = keys.texts("addresses")?.ok_or_else(|| missing(&keys, "addresses"))?;
        if addresses.len() > MAX_ADDRESSES {
            let reason = format!("it holds {} addresses", addresses.len());
            return Err(keys.refuse("addresses", reason, format!("write at most {MAX_ADDRESSES}")));
        }
        let example = "write addresses like https://licenses.example.com";
        let addresses = addresses
            .iter()
            .map(|address| {
                Address::parse(address).map_err(|reason| keys.refuse("addresses", reason, example))
            })
            .collect::<Result<_, _>>()?;

        let ca = keys.text("ca")?;
        if let Some(pem) = &ca {
            let advice = "paste the CA certificate with its BEGIN and END lines between ''' marks";
            ca_store(pem).map_err(|reason| keys.refuse("ca", reason, advice))?;
        }
        Ok(Self { name, id, roots, addresses, ca, file: file.path.clone() })
    }

    /// What this device believes of the issuer.
    #[must_use]
    pub fn trust(&self) -> Trust {
        Trust::new(self.id, self.roots.clone())
    }
}
impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "issuer {}: id {}, from {}", self.name, self.id, self.file.display())?;
        for root in &self.roots {
            writeln!(f, "  root {root}")?;
        }
        for address in &self.addresses {
            writeln!(f, "  address {address}")?;
        }
        if self.addresses.is_empty() {
            writeln!(f, "  no address: exchanges by file only")?;
        }
        writeln!(f, "  TLS roots: {}", if self.ca.is_some() { "from the file" } else { "of the system" })
    }
}

/// The certificates of a PEM text as TLS trust anchors; the error says what is wrong with it.
pub(crate) fn ca_store(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("it is no PEM text: {error}"))?;
        store.add(certificate).map_err(|error| format!("it holds an unusable certificate: {error}"))?;
    }
    if store.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(store) }
}

/// Two files for one issuer, or two issuers of one name, would leave it to chance which one counts.
pub(super) fn distinct(issuers: &[Issuer]) -> Result<(), ConfigError> {
    let refuse = |file: &Path, key: &str, reason: String, advice: &str| {
        Err(ConfigError::Value { file: file.into(), key: key.to_owned(), reason, advice: advice.to_owned() })
    };
    for (at, issuer) in issuers.iter().enumerate() {
        for earlier in &issuers[..at] {
            let also = |what: &str| format!("{} has the same {what}", earlier.file.display());
            if earlier.name == issuer.name {
                return refuse(&issuer.file, "name", also("name"), "give each issuer a name of its own");
            }
            if earlier.id == issuer.id {
                return refuse(&issuer.file, "id", also("id"), "remove one of the two files");
            }
        }
        if at >= MAX_ISSUERS {
            let reason = format!("there are more than {MAX_ISSUERS} issuers");
            return refuse(&issuer.file, "name", reason, "remove issuer files that are not needed");
        }
    }
    Ok(())
}
