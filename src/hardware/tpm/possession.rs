//! Proof that the TPM with one endorsement key is here: it opens what was encrypted to that key.

use super::TpmError;
use super::client::{Auth, EMPTY, Tpm, handle};
use super::code::Failure;
use super::template::attestation;
use super::transport::QUICK;
use tpm2_protocol::basic::{TpmHandle, TpmInt32};
use tpm2_protocol::data::{
    Tpm2bDigest, Tpm2bEncryptedSecret, Tpm2bIdObject, Tpm2bNonce, TpmAlgId, TpmCc, TpmRcBase, TpmRh, TpmSe,
    TpmtSymDef,
};
use tpm2_protocol::frame::{
    TpmActivateCredentialCommand, TpmPolicySecretCommand, TpmPolicySecretResponse, TpmReadPublicCommand,
    TpmReadPublicResponse, TpmStartAuthSessionCommand, TpmStartAuthSessionResponse,
};
use zeroize::Zeroizing;

/// The least that a session's first number may be long. Nothing is encrypted or signed with this session.
const NONCE: [u8; 16] = [0; 16];

/// The name of a key in the TPM: the number of the hash, and the hash of its public area. A challenge is bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectName(pub [u8; 34]);

impl Tpm {
    /// The name of the signing key that this TPM has for `label`. It is made from the endorsement seed each time, so
    /// it outlives a clear, and two labels give two names that nobody can tell to be of one machine.
    pub fn possession_name(&mut self, label: &[u8; 32]) -> Result<ObjectName, TpmError> {
        let kind = self.kind()?;
        let key = self.primary(TpmRh::Endorsement, &attestation(kind, label))?;
        let name = self.while_loaded(key.handle, |_| Ok(key.name))?;
        let bytes = name.first_chunk().copied();
        bytes.map(ObjectName).ok_or_else(|| TpmError::Nonsense(format!("a name of {} bytes", name.len())))
    }

    /// Opens a challenge that was made for this endorsement key and the key of `label`: the contents of
    /// `TPM2B_ID_OBJECT` and `TPM2B_ENCRYPTED_SECRET`.
    ///
    /// [`TpmError::NotOurs`] if it was made for another TPM or label, or changed on the way.
    pub fn open_credential(
        &mut self,
        label: &[u8; 32],
        id_object: &[u8],
        encrypted_secret: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        let too_long = |_| TpmError::NotOurs("the challenge has no known form".to_owned());
        let credential_blob = Tpm2bIdObject::try_from(id_object).map_err(too_long)?;
        let secret = Tpm2bEncryptedSecret::try_from(encrypted_secret).map_err(too_long)?;
        let kind = self.kind()?;
        let endorsement = self.endorsement_key()?;
        let opened = self.while_loaded(endorsement.handle, |tpm| {
            let key = tpm.primary(TpmRh::Endorsement, &attestation(kind, label))?;
            tpm.while_loaded(key.handle, |tpm| {
                let session = tpm.policy_session()?;
                tpm.while_loaded(session, |tpm| {
                    tpm.satisfy_policy_a(session)?;
                    let handles = [key.handle, endorsement.handle];
                    let activate = TpmActivateCredentialCommand { handles, credential_blob, secret };
                    let opened = tpm.run_for_secret(&activate, &[EMPTY, Auth::Policy(session)]);
                    opened.map_err(|failure| tpm.foreign(failure, key.handle))
                })
            })
        });
        Ok(opened?)
    }

    fn policy_session(&mut self) -> Result<TpmHandle, Failure> {
        let start = TpmStartAuthSessionCommand {
            handles: [handle(TpmRh::Null), handle(TpmRh::Null)],
            nonce_caller: Tpm2bNonce::try_from(&NONCE[..]).unwrap_or_default(),
            encrypted_salt: Tpm2bEncryptedSecret::default(),
            session_type: TpmSe::Policy,
            symmetric: TpmtSymDef::default(),
            auth_hash: TpmAlgId::Sha256,
        };
        let started: TpmStartAuthSessionResponse = self.run(&start, &[], QUICK)?;
        let [session] = started.handles;
        Ok(session)
    }

    /// Some TPMs call it a failure of their own when the padding of RSA is not right: then they work on.
    fn foreign(&mut self, failure: Failure, loaded: TpmHandle) -> Failure {
        let read = TpmReadPublicCommand { handles: [loaded] };
        if failure.base() == Some(TpmRcBase::Failure)
            && self.run::<TpmReadPublicResponse>(&read, &[], QUICK).is_ok()
        {
            return TpmError::NotOurs(format!("{}: {}", TpmCc::ActivateCredential, TpmRcBase::Failure))
                .into();
        }
        failure.about_content()
    }

    fn satisfy_policy_a(&mut self, session: TpmHandle) -> Result<(), Failure> {
        let secret = TpmPolicySecretCommand {
            handles: [handle(TpmRh::Endorsement), session],
            nonce_tpm: Tpm2bNonce::default(),
            cp_hash_a: Tpm2bDigest::default(),
            policy_ref: Tpm2bNonce::default(),
            expiration: TpmInt32::new(0),
        };
        self.run::<TpmPolicySecretResponse>(&secret, &[EMPTY], QUICK).map(drop)
    }
}
