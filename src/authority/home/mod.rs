//! The authority's directory: keys, certificates, database, issuer file.

mod init;
mod issuer_file;
mod secrets;
mod tls;

pub use init::{Setup, rotate};
pub use issuer_file::IssuerFile;
pub use tls::{Address, renew_certificate, server_config};

use crate::signer::{SignError, Signer};
use crate::storage::StorageError;
use landfast_protocol::keys::{PublicKey, SecretKey};
use std::path::{Path, PathBuf};

/// What is wrong with the directory.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// `init` was not run.
    #[error(
        "{0} holds no authority; run `landfast-authority --data {0} init` first, or name another directory with --data"
    )]
    Missing(PathBuf),
    /// `init` was run before.
    #[error("{0} is not empty; an authority is set up once, in a directory of its own")]
    NotEmpty(PathBuf),
    /// The system refused.
    #[error("cannot {operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// What was said.
        source: std::io::Error,
    },
    /// Others can read a secret.
    #[error("{path} can be read by others (mode {mode:o}); run `chmod 600 {path}`")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} is damaged: {reason}; restore it from a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The name of the issuer cannot name a file.
    #[error("{0:?} cannot name an issuer; use up to 32 of a-z, 0-9 and -, and start with a letter")]
    Name(String),
    /// The address is no https address.
    #[error("{0:?} is not an address; write https://HOST:PORT")]
    Address(String),
    /// No certificate could be made.
    #[error("cannot make the TLS certificate: {0}")]
    Certificate(String),
    /// The certificate cannot be used.
    #[error(
        "cannot serve TLS with {path}: {reason}; name others with --tls-certificate and --tls-key, or make them anew \
         with `landfast-authority tls renew`"
    )]
    Tls {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The signing key cannot be read.
    #[error("{0}; if there is no backup, make a new signing key with `landfast-authority key rotate`")]
    SigningKey(Box<HomeError>),
    /// The signing key cannot be used.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] crate::adapters::EntropyError),
}

/// The directory of one authority.
#[derive(Clone, Debug)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    /// A directory that `init` has filled.
    pub fn open(directory: &Path) -> Result<Self, HomeError> {
        let home = Self { directory: directory.to_owned() };
        if home.database().exists() { Ok(home) } else { Err(HomeError::Missing(home.directory)) }
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.directory.join("authority.db")
    }

    /// The signing key with its certificate.
    pub fn signer(&self) -> Result<Signer, HomeError> {
        let (key, chain) = self.signing_pair().map_err(|error| match error {
            HomeError::Exposed { .. } => error,
            lost => HomeError::SigningKey(Box::new(lost)),
        })?;
        Ok(Signer::new(key, chain, &[self.root()?])?)
    }

    fn signing_pair(&self) -> Result<(SecretKey, Vec<u8>), HomeError> {
        let path = self.signing_key();
        let text = secrets::read_secret(&path)?;
        let (key, chain) = match text.trim().split_once('\n') {
            Some((key, chain)) => (key, secrets::bytes(&path, chain)?),
            None => (text.trim(), secrets::read_hex(&self.separate_certificate())?),
        };
        Ok((secrets::key(&path, key)?, chain))
    }

    /// The public root key, which devices pin.
    pub fn root(&self) -> Result<PublicKey, HomeError> {
        let path = self.root_public();
        let text = secrets::read_text(&path)?;
        text.trim()
            .parse()
            .map_err(|_| HomeError::Damaged { path, reason: "it holds no public key".to_owned() })
    }

    /// The files with the certificate that `serve` shows, and with its key. They are one, so that no crash leaves a
    /// certificate without its key, unless the first builds made them.
    #[must_use]
    pub fn tls_files(&self) -> (PathBuf, PathBuf) {
        let certificate = self.tls_certificate();
        let both = secrets::read_text(&certificate).is_ok_and(|text| text.contains("PRIVATE KEY"));
        let key = if both { certificate.clone() } else { self.separate_tls_key() };
        (certificate, key)
    }

    fn tls_certificate(&self) -> PathBuf {
        self.directory.join("tls/server.pem")
    }

    fn separate_tls_key(&self) -> PathBuf {
        self.directory.join("tls/server.key")
    }

    /// The file that devices pin.
    #[must_use]
    pub fn issuer_file(&self, name: &str) -> PathBuf {
        self.directory.join("issuers").join(format!("{name}.toml"))
    }

    fn root_key(&self) -> PathBuf {
        self.directory.join("root.key")
    }

    fn root_public(&self) -> PathBuf {
        self.directory.join("root.pub")
    }

    /// The key, and its certificate in the next line: one file, so that no crash leaves one without the other.
    fn signing_key(&self) -> PathBuf {
        self.directory.join("signing.key")
    }

    /// Where the first builds kept the certificate.
    fn separate_certificate(&self) -> PathBuf {
        self.directory.join("signing.cert")
    }

    fn authority_certificate(&self) -> (PathBuf, PathBuf) {
        (self.directory.join("tls/ca.pem"), self.directory.join("tls/ca.key"))
    }
}
