//! Data that only this TPM gives back, until it is cleared.

use super::TpmError;
use super::client::{Auth, EMPTY, Tpm};
use super::code::Failure;
use super::template::{sealed, storage_root};
use super::transport::QUICK;
use std::fmt;
use tpm2_protocol::basic::TpmHandle;
use tpm2_protocol::data::{
    Tpm2bAuth, Tpm2bData, Tpm2bPrivate, Tpm2bPublic, Tpm2bSensitiveCreate, Tpm2bSensitiveData, TpmRh,
    TpmlPcrSelection, TpmsSensitiveCreate,
};
use tpm2_protocol::frame::{
    TpmCreateCommand, TpmCreateResponse, TpmLoadCommand, TpmLoadResponse, TpmUnsealCommand,
};
use tpm2_protocol::{TpmMarshal, TpmUnmarshal, TpmWriter};
use zeroize::Zeroizing;

/// How much can be sealed: what every TPM takes (`MAX_SYM_DATA`, TCG PC Client Platform TPM Profile).
pub const SEALED_LIMIT: usize = 128;

/// No sealed data is longer.
const LONGEST: usize = 2048;

/// Sealed data: a `TPM2B_PUBLIC` and a `TPM2B_PRIVATE`. It is worth nothing without the TPM that made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes what [`as_bytes`](Self::as_bytes) gave. Whether it is sealed data at all shows when it is opened.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// To be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(public: &Tpm2bPublic, private: &Tpm2bPrivate) -> Result<Self, tpm2_protocol::TpmError> {
        let mut buffer = vec![0; LONGEST];
        let mut writer = TpmWriter::new(&mut buffer);
        public.marshal(&mut writer)?;
        private.marshal(&mut writer)?;
        Ok(Self(writer.as_bytes().to_vec()))
    }

    fn parts(&self) -> Option<(Tpm2bPublic, Tpm2bPrivate)> {
        let (public, rest) = Tpm2bPublic::unmarshal(&self.0).ok()?;
        let (private, rest) = Tpm2bPrivate::unmarshal(rest).ok()?;
        rest.is_empty().then_some((public, private))
    }
}
impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Tpm {
    /// Seals 1 to [`SEALED_LIMIT`] bytes under the storage root key. With a `password`, only whoever knows it opens
    /// them; it must be as good as a key, because wrong ones are not counted.
    pub fn seal(&mut self, data: &[u8], password: Option<&[u8; 32]>) -> Result<Sealed, TpmError> {
        let refused = |code: String| TpmError::Other { operation: "sealing".to_owned(), code };
        if data.is_empty() || data.len() > SEALED_LIMIT {
            return Err(refused(format!("{} bytes, and 1 to {SEALED_LIMIT} can be sealed", data.len())));
        }
        let wrong = |error: tpm2_protocol::TpmError| refused(error.to_string());
        let sensitive = TpmsSensitiveCreate {
            user_auth: Tpm2bAuth::try_from(value(password)).map_err(wrong)?,
            data: Tpm2bSensitiveData::try_from(data).map_err(wrong)?,
        };
        let made = self.under_root(|tpm, root| {
            let create = TpmCreateCommand {
                handles: [root],
                in_sensitive: Tpm2bSensitiveCreate { inner: sensitive },
                in_public: Tpm2bPublic { inner: sealed() },
                outside_info: Tpm2bData::default(),
                creation_pcr: TpmlPcrSelection::default(),
            };
            tpm.run::<TpmCreateResponse>(&create, &[EMPTY], QUICK)
        })?;
        Sealed::of(&made.out_public, &made.out_private).map_err(wrong)
    }

    /// Opens what was sealed here.
    ///
    /// [`TpmError::NotOurs`] if another TPM sealed it, this one was cleared since, or it was changed;
    /// [`TpmError::Permission`] if the password is wrong.
    pub fn unseal(
        &mut self,
        sealed: &Sealed,
        password: Option<&[u8; 32]>,
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let Some((in_public, in_private)) = sealed.parts() else {
            return Err(TpmError::NotOurs("it is no sealed data".to_owned()));
        };
        let opened = self.under_root(|tpm, root| {
            let load = TpmLoadCommand { handles: [root], in_private, in_public };
            let loaded: TpmLoadResponse = tpm.run(&load, &[EMPTY], QUICK).map_err(Failure::about_content)?;
            let [object] = loaded.handles;
            tpm.while_loaded(object, |tpm| {
                let unseal = TpmUnsealCommand { handles: [object] };
                tpm.run_for_secret(&unseal, &[Auth::Password(value(password))])
            })
        })?;
        Ok(opened)
    }

    fn under_root<T>(
        &mut self,
        use_it: impl FnOnce(&mut Self, TpmHandle) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let kind = self.kind()?;
        let root = self.primary(TpmRh::Owner, &storage_root(kind))?.handle;
        self.while_loaded(root, |tpm| use_it(tpm, root))
    }
}

fn value(password: Option<&[u8; 32]>) -> &[u8] {
    password.map_or(&[], |password| password)
}
