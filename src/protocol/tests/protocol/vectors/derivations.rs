//! Keys, and everything that is derived without a message.

use super::{Hex, committed, hex, key};
use crate::samples::{self, ISSUER, OTHER_ISSUER};
use landfast_protocol::evidence::{Factor, FactorDigest};
use landfast_protocol::keys::{PublicKey, SecretKey, activation_proof};
use landfast_protocol::{DeviceId, Digest, IssuerId, LicenseId, OperationId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Keys {
    about: String,
    keys: Vec<NamedKey>,
    refused: Vec<RefusedKey>,
}

#[derive(Serialize, Deserialize)]
struct NamedKey {
    name: String,
    seed: Digest,
    public: PublicKey,
    device_id_is_sha256_of: Hex,
    device_id: DeviceId,
    message: Hex,
    signature: Hex,
}

#[derive(Serialize, Deserialize)]
struct RefusedKey {
    public: Digest,
    why: String,
}

fn named(name: &str) -> NamedKey {
    let secret = key(name);
    let message = format!("signed by {name}");
    NamedKey {
        name: name.to_owned(),
        seed: Digest(*secret.seed()),
        public: secret.public(),
        device_id_is_sha256_of: hex([b"landfast/1/device\0", &secret.public().as_bytes()[..]].concat()),
        device_id: secret.public().device(),
        signature: hex(secret.sign(message.as_bytes())),
        message: hex(message),
    }
}

#[test]
fn keys() {
    let refused =
        |public: &str, why: &str| RefusedKey { public: public.parse().unwrap(), why: why.to_owned() };
    let zeros = "0".repeat(62);
    let content = Keys {
        about: "Ed25519 keys by name, used by the other files. A device id is the SHA-256 of a prefix and the public key.".to_owned(),
        keys: ["root", "signing", "device", "retired", "stranger"].into_iter().map(named).collect(),
        refused: vec![
            refused(&format!("01{zeros}"), "a point of small order"),
            refused("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "a point of small order"),
            refused(&format!("02{zeros}"), "no point has this coordinate"),
            refused(&format!("f0{}7f", "f".repeat(60)), "not reduced: another spelling of the coordinate 3"),
        ],
    };
    let read = committed("keys.json", &content);
    for entry in read.keys {
        let secret = SecretKey::from_seed(&entry.seed.0);
        assert_eq!(secret.public(), entry.public);
        assert_eq!(Digest::of(&entry.device_id_is_sha256_of).0, entry.device_id.0);
        assert_eq!(entry.public.device(), entry.device_id);
        assert_eq!(secret.sign(&entry.message), entry.signature[..]);
        assert!(entry.public.verifies(&entry.message, entry.signature[..].try_into().unwrap()));
    }
    for entry in read.refused {
        assert_eq!(PublicKey::from_bytes(entry.public.0), None, "{}", entry.why);
    }
}

#[derive(Serialize, Deserialize)]
struct Derivations {
    about: String,
    licenses: Vec<License>,
    proofs: Vec<Proof>,
    factors: Vec<FactorVector>,
}

#[derive(Serialize, Deserialize)]
struct License {
    issuer: IssuerId,
    activation_id: String,
    sha256_of: Hex,
    license: LicenseId,
}

#[derive(Serialize, Deserialize)]
struct Proof {
    issuer: IssuerId,
    activation_id: String,
    device_key: PublicKey,
    operation: OperationId,
    key_is_sha256_of: Hex,
    hmac_key: Digest,
    hmac_of: Hex,
    proof: Digest,
}

#[derive(Serialize, Deserialize)]
struct FactorVector {
    issuer: IssuerId,
    factor: Factor,
    value: String,
    hmac_of: Hex,
    digest: FactorDigest,
}

const IDS: [&str; 2] = ["3f0c9a52-6d1e-4b7a-9c84-d2e5f7018b36", "00000000-0000-4000-8000-000000000000"];

fn license(issuer: IssuerId, text: &str) -> License {
    let id: landfast_protocol::ActivationId = text.parse().unwrap();
    License {
        issuer,
        activation_id: text.to_owned(),
        sha256_of: hex([b"landfast/1/license\0", &issuer.0[..], id.as_bytes()].concat()),
        license: id.license(&issuer),
    }
}

fn proof(issuer: IssuerId, text: &str, device: &str, operation: u8) -> Proof {
    let id: landfast_protocol::ActivationId = text.parse().unwrap();
    let device_key = key(device).public();
    let operation = samples::operation_id(operation);
    let key_is_sha256_of = [b"landfast/1/activation\0", &issuer.0[..], id.as_bytes()].concat();
    Proof {
        issuer,
        activation_id: text.to_owned(),
        device_key,
        operation,
        hmac_key: Digest::of(&key_is_sha256_of),
        key_is_sha256_of: hex(key_is_sha256_of),
        hmac_of: hex([&device_key.as_bytes()[..], &operation.0].concat()),
        proof: Digest(activation_proof(&id, &issuer, &device_key, &operation)),
    }
}

fn factor(issuer: IssuerId, factor: Factor, value: &str) -> FactorVector {
    FactorVector {
        issuer,
        factor,
        value: value.to_owned(),
        hmac_of: hex([&issuer.0[..], factor.name().as_bytes(), b"\0", value.as_bytes()].concat()),
        digest: FactorDigest::of(&issuer, factor, value),
    }
}

#[test]
fn derivations() {
    let values = [
        (Factor::ProductUuid, "44454c4c-4300-1035-8052-b4c04f4e3633"),
        (Factor::BoardSerial, ".h5crn63.cnivc0087900a2."),
        (Factor::ProductSerial, "h5crn63"),
        (Factor::TpmKey, "5c1f0e8d7b6a594837261504f3e2d1c0bfae9d8c7b6a59483726150433221100"),
        (Factor::SocSerial, "10000000abcdef01"),
        (Factor::VirtualId, "i-0abcdef1234567890"),
        (Factor::Disk, "samsung mz1lb960hajq-00007/s435na0m601234"),
        (Factor::NetworkCard, "b0:7b:25:aa:00:10"),
        (Factor::Cpu, "genuineintel/6/85/7"),
        (Factor::ChassisSerial, "größe 7"),
        (Factor::MachineId, ""),
    ];
    let content = Derivations {
        about: "License ids are the first 16 bytes of a SHA-256. Proofs and factor digests are HMAC-SHA256; \
                a factor digest is its first 16 bytes, under the key `landfast/1/evidence`. Values are given as \
                they are after normalising."
            .to_owned(),
        licenses: IDS.iter().flat_map(|id| [license(ISSUER, id), license(OTHER_ISSUER, id)]).collect(),
        proofs: vec![
            proof(ISSUER, IDS[0], "device", 1),
            proof(ISSUER, IDS[0], "device", 2),
            proof(ISSUER, IDS[0], "retired", 1),
            proof(OTHER_ISSUER, IDS[0], "device", 1),
            proof(ISSUER, IDS[1], "device", 1),
        ],
        factors: values
            .into_iter()
            .flat_map(|(name, value)| [factor(ISSUER, name, value), factor(OTHER_ISSUER, name, value)])
            .collect(),
    };
    let read = committed("derivations.json", &content);
    for entry in read.licenses {
        assert_eq!(entry.license.0, Digest::of(&entry.sha256_of).0[..16]);
        assert_eq!(
            entry.activation_id.parse::<landfast_protocol::ActivationId>().unwrap().license(&entry.issuer),
            entry.license
        );
    }
    for entry in read.proofs {
        assert_eq!(Digest::of(&entry.key_is_sha256_of), entry.hmac_key);
        let id = entry.activation_id.parse().unwrap();
        assert_eq!(activation_proof(&id, &entry.issuer, &entry.device_key, &entry.operation), entry.proof.0);
    }
    for entry in read.factors {
        assert_eq!(FactorDigest::of(&entry.issuer, entry.factor, &entry.value), entry.digest);
    }
}
