//! The keys that are made from the TPM's own seeds. The same template gives the same key each time, so none is stored.

use super::TpmError;
use super::client::{EMPTY, Tpm, handle};
use super::code::Failure;
use super::transport::{MESSAGE_LIMIT, QUICK, SLOW};
use sha2::{Digest, Sha256};
use tpm2_protocol::basic::{TpmHandle, TpmUint16, TpmUint32};
use tpm2_protocol::data::{
    Tpm2bData, Tpm2bDigest, Tpm2bEccParameter, Tpm2bName, Tpm2bPublic, Tpm2bPublicKeyRsa,
    Tpm2bSensitiveCreate, TpmAlgId, TpmCap, TpmCc, TpmEccCurve, TpmRcBase, TpmRh, TpmaObject,
    TpmlPcrSelection, TpmsEccParms, TpmsEccPoint, TpmsKeyedhashParms, TpmsRsaParms, TpmsSchemeHash,
    TpmtEccScheme, TpmtKdfScheme, TpmtKeyedhashScheme, TpmtPublic, TpmtRsaScheme, TpmtSymDef, TpmuAsymScheme,
    TpmuKeyedhashScheme, TpmuPublicId, TpmuPublicParms, TpmuSymKeyBits, TpmuSymMode,
};
use tpm2_protocol::frame::{TpmCreatePrimaryCommand, TpmCreatePrimaryResponse, TpmGetCapabilityCommand};
use tpm2_protocol::{TpmMarshal, TpmWriter};

/// The policy of the default endorsement keys: whoever has the authorisation of the endorsement hierarchy (TCG EK
/// Credential Profile 2.5, section B.6.2, "PolicyA").
const POLICY_A: [u8; 32] = [
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd,
    0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
];

/// What kinds of keys this TPM makes quickly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// NIST P-256.
    Ecc,
    /// RSA with 2048 bits, where there are no curves.
    Rsa,
}

/// A loaded primary key.
pub(super) struct Primary {
    pub handle: TpmHandle,
    /// Its public area (`TPMT_PUBLIC`), as the TPM publishes it.
    pub public: Vec<u8>,
    pub name: Tpm2bName,
}

impl Tpm {
    /// Which kind to make. Asked of the TPM and not found out by trying, so that no passing trouble gives another key.
    pub(super) fn kind(&mut self) -> Result<Kind, Failure> {
        let curve = TpmEccCurve::NistP256.value();
        let ask = TpmGetCapabilityCommand {
            handles: [],
            cap: TpmCap::EccCurves,
            property: u32::from(curve).into(),
            property_count: TpmUint32::new(1),
        };
        // By hand, because the curve that a TPM names in place of this one may be one that nobody knows.
        match self.raw(&ask, &[], QUICK) {
            Ok(response) => {
                // Head, whether there are more, what was asked; then how many there are, and the first one.
                let found = response.get(15..).and_then(|list| list.strip_prefix(&[0, 0, 0, 1]));
                Ok(if found == Some(&curve.to_be_bytes()) { Kind::Ecc } else { Kind::Rsa })
            }
            Err(failure) if failure.base() == Some(TpmRcBase::Value) => Ok(Kind::Rsa),
            Err(failure) => Err(failure),
        }
    }

    /// Makes the key of `template`; it stays loaded.
    pub(super) fn primary(&mut self, hierarchy: TpmRh, template: &TpmtPublic) -> Result<Primary, Failure> {
        let create = TpmCreatePrimaryCommand {
            handles: [handle(hierarchy)],
            in_sensitive: Tpm2bSensitiveCreate::default(),
            in_public: Tpm2bPublic { inner: template.clone() },
            outside_info: Tpm2bData::default(),
            creation_pcr: TpmlPcrSelection::default(),
        };
        let made: TpmCreatePrimaryResponse = self.run(&create, &[EMPTY], SLOW)?;
        let [handle] = made.handles;
        let public = made.out_public.inner;
        let wrong = |why: &str| TpmError::Nonsense(format!("to {}: {why}", TpmCc::CreatePrimary));
        if (TpmtPublic { unique: template.unique.clone(), ..public.clone() }) != *template {
            return Err(wrong("a key of another form").into());
        }
        let public = marshalled(&public).map_err(|error| wrong(&error.to_string()))?;
        if *made.name != name_of(&public) {
            return Err(wrong("a name that is not the key's").into());
        }
        Ok(Primary { handle, public, name: made.name })
    }
}

/// The default endorsement key (TCG EK Credential Profile 2.5, templates L-2 and L-1).
pub(super) fn endorsement(kind: Kind) -> TpmtPublic {
    let attributes = TpmaObject::FIXED_TPM
        | TpmaObject::FIXED_PARENT
        | TpmaObject::SENSITIVE_DATA_ORIGIN
        | TpmaObject::ADMIN_WITH_POLICY
        | TpmaObject::RESTRICTED
        | TpmaObject::DECRYPT;
    let unique = match kind {
        Kind::Ecc => point(&[0; 32], &[0; 32]),
        Kind::Rsa => TpmuPublicId::Rsa(filled::<Tpm2bPublicKeyRsa>(&[0; 256])),
    };
    storage(kind, attributes, filled::<Tpm2bDigest>(&POLICY_A), unique)
}

/// The parent of what is sealed: a storage key under the owner's seed, which a clear replaces.
pub(super) fn storage_root(kind: Kind) -> TpmtPublic {
    let attributes = TpmaObject::FIXED_TPM
        | TpmaObject::FIXED_PARENT
        | TpmaObject::SENSITIVE_DATA_ORIGIN
        | TpmaObject::USER_WITH_AUTH
        | TpmaObject::NO_DA
        | TpmaObject::RESTRICTED
        | TpmaObject::DECRYPT;
    let unique = match kind {
        Kind::Ecc => point(&[], &[]),
        Kind::Rsa => TpmuPublicId::Rsa(Tpm2bPublicKeyRsa::default()),
    };
    storage(kind, attributes, Tpm2bDigest::default(), unique)
}

/// A signing key of one label. It is what a challenge is bound to. Where there are no curves it is an HMAC key: chips
/// without them would search minutes for the primes of another RSA key.
pub(super) fn attestation(kind: Kind, label: &[u8; 32]) -> TpmtPublic {
    let attributes = TpmaObject::FIXED_TPM
        | TpmaObject::FIXED_PARENT
        | TpmaObject::SENSITIVE_DATA_ORIGIN
        | TpmaObject::USER_WITH_AUTH
        | TpmaObject::NO_DA
        | TpmaObject::SIGN_ENCRYPT;
    let hash = TpmsSchemeHash { hash_alg: TpmAlgId::Sha256 };
    match kind {
        Kind::Ecc => {
            let scheme = TpmtEccScheme { scheme: TpmAlgId::Ecdsa, details: TpmuAsymScheme::Hash(hash) };
            TpmtPublic {
                object_type: TpmAlgId::Ecc,
                name_alg: TpmAlgId::Sha256,
                object_attributes: attributes | TpmaObject::RESTRICTED,
                auth_policy: Tpm2bDigest::default(),
                parameters: TpmuPublicParms::Ecc(curve(TpmtSymDef::default(), scheme)),
                unique: point(label, &[0; 32]),
            }
        }
        Kind::Rsa => TpmtPublic {
            object_type: TpmAlgId::KeyedHash,
            name_alg: TpmAlgId::Sha256,
            object_attributes: attributes,
            auth_policy: Tpm2bDigest::default(),
            parameters: TpmuPublicParms::KeyedHash(TpmsKeyedhashParms {
                scheme: TpmtKeyedhashScheme {
                    scheme: TpmAlgId::Hmac,
                    details: TpmuKeyedhashScheme::Hmac(hash),
                },
            }),
            unique: TpmuPublicId::KeyedHash(filled::<Tpm2bDigest>(label)),
        },
    }
}

/// What is sealed: data, not a key.
pub(super) fn sealed() -> TpmtPublic {
    TpmtPublic {
        object_type: TpmAlgId::KeyedHash,
        name_alg: TpmAlgId::Sha256,
        // Its password is no word that can be guessed, so wrong ones must not lock the TPM for its other users.
        object_attributes: TpmaObject::FIXED_TPM
            | TpmaObject::FIXED_PARENT
            | TpmaObject::USER_WITH_AUTH
            | TpmaObject::NO_DA,
        auth_policy: Tpm2bDigest::default(),
        parameters: TpmuPublicParms::KeyedHash(TpmsKeyedhashParms::default()),
        unique: TpmuPublicId::KeyedHash(Tpm2bDigest::default()),
    }
}

/// The bytes of a public area.
pub(super) fn marshalled(public: &TpmtPublic) -> Result<Vec<u8>, tpm2_protocol::TpmError> {
    let mut buffer = vec![0; MESSAGE_LIMIT];
    let mut writer = TpmWriter::new(&mut buffer);
    public.marshal(&mut writer)?;
    Ok(writer.as_bytes().to_vec())
}

/// The name of an object: the number of its hash, and the hash.
fn name_of(public: &[u8]) -> Vec<u8> {
    [&TpmAlgId::Sha256.value().to_be_bytes()[..], &Sha256::digest(public)].concat()
}

/// A key that protects others, with AES-128.
fn storage(kind: Kind, attributes: TpmaObject, policy: Tpm2bDigest, unique: TpmuPublicId) -> TpmtPublic {
    let symmetric = TpmtSymDef {
        algorithm: TpmAlgId::Aes,
        key_bits: TpmuSymKeyBits::Aes(TpmUint16::new(128)),
        mode: TpmuSymMode::Aes(TpmAlgId::Cfb),
    };
    let (object_type, parameters) = match kind {
        Kind::Ecc => (TpmAlgId::Ecc, TpmuPublicParms::Ecc(curve(symmetric, TpmtEccScheme::default()))),
        Kind::Rsa => {
            let (key_bits, exponent) = (TpmUint16::new(2048), TpmUint32::new(0));
            let scheme = TpmtRsaScheme::default();
            (TpmAlgId::Rsa, TpmuPublicParms::Rsa(TpmsRsaParms { symmetric, scheme, key_bits, exponent }))
        }
    };
    TpmtPublic {
        object_type,
        name_alg: TpmAlgId::Sha256,
        object_attributes: attributes,
        auth_policy: policy,
        parameters,
        unique,
    }
}

fn curve(symmetric: TpmtSymDef, scheme: TpmtEccScheme) -> TpmsEccParms {
    TpmsEccParms { symmetric, scheme, curve_id: TpmEccCurve::NistP256, kdf: TpmtKdfScheme::default() }
}

fn point(x: &[u8], y: &[u8]) -> TpmuPublicId {
    TpmuPublicId::Ecc(TpmsEccPoint { x: filled::<Tpm2bEccParameter>(x), y: filled::<Tpm2bEccParameter>(y) })
}

/// A buffer with these bytes. Everything that is put into one here is shorter than its buffer.
fn filled<'a, B: TryFrom<&'a [u8]> + Default>(bytes: &'a [u8]) -> B {
    B::try_from(bytes).unwrap_or_default()
}
