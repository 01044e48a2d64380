//! A challenge that only the right TPM opens.

use super::Machine;
use landfast_hardware::tpm::{ObjectName, Tpm, TpmError};
use landfast_protocol::credential::{Credential, EndorsementKey, make_credential};

const LABEL: [u8; 32] = [1; 32];
const SECRET: [u8; 32] = [0x5e; 32];

/// What the authority does with what the device sent.
fn challenge(tpm: &mut Tpm, label: &[u8; 32]) -> (EndorsementKey, ObjectName, Credential) {
    let area = tpm.endorsement_area().unwrap();
    let key = EndorsementKey::from_public_area(area.as_bytes()).unwrap();
    assert_eq!(key.factor_value(), area.factor_value());
    let name = tpm.possession_name(label).unwrap();
    let credential = make_credential(&key, &name.0, &SECRET, &[0xa7; 64]);
    (key, name, credential)
}

fn open(tpm: &mut Tpm, label: &[u8; 32], credential: &Credential) -> Result<Vec<u8>, TpmError> {
    let opened = tpm.open_credential(label, &credential.id_object, &credential.encrypted_secret);
    opened.map(|secret| secret.to_vec())
}

fn is_not_ours(result: &Result<Vec<u8>, TpmError>) -> bool {
    matches!(result, Err(TpmError::NotOurs(_)))
}

#[test]
fn b6_the_right_tpm_opens_the_challenge_and_another_one_does_not() {
    let (Some(machine), Some(other)) = (Machine::new(), Machine::new()) else { return };
    let (key, name, credential) = challenge(&mut machine.open(), &LABEL);
    assert_eq!(open(&mut machine.open(), &LABEL, &credential).unwrap(), SECRET);
    let refused = open(&mut other.open(), &LABEL, &credential);
    assert!(is_not_ours(&refused), "{refused:?}");
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("recover"), "{message}");
    // Not even for the name of the other one's key.
    let theirs = other.open().possession_name(&LABEL).unwrap();
    assert_ne!(theirs, name);
    let for_theirs = make_credential(&key, &theirs.0, &SECRET, &[0xa7; 64]);
    assert!(is_not_ours(&open(&mut other.open(), &LABEL, &for_theirs)));
    assert!(is_not_ours(&open(&mut machine.open(), &LABEL, &for_theirs)));
    for machine in [&machine, &other] {
        machine.assert_empty();
    }
}

#[test]
fn b6_many_challenges_are_opened_whatever_their_numbers_begin_with() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    let (key, name, _) = challenge(&mut tpm, &LABEL);
    for number in 0..100 {
        let random = std::array::from_fn(|at| number ^ u8::try_from(at).unwrap().wrapping_mul(37));
        let credential = make_credential(&key, &name.0, &[number; 32], &random);
        assert_eq!(open(&mut tpm, &LABEL, &credential).unwrap(), [number; 32]);
    }
    drop(tpm);
    machine.assert_empty();
}

#[test]
fn b6_a_challenge_is_for_one_label_and_does_not_bear_changes() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    let (_, name, credential) = challenge(&mut tpm, &LABEL);
    assert_eq!(tpm.possession_name(&LABEL), Ok(name));
    assert_ne!(tpm.possession_name(&[2; 32]), Ok(name));
    assert!(is_not_ours(&open(&mut tpm, &[2; 32], &credential)));
    for at in [0, 1, 2, 33, 34, 60, credential.id_object.len() - 1] {
        let mut changed = credential.clone();
        changed.id_object[at] ^= 1;
        assert!(is_not_ours(&open(&mut tpm, &LABEL, &changed)), "byte {at}");
    }
    for at in [0, 1, 2, 40, 67] {
        let mut changed = credential.clone();
        changed.encrypted_secret[at] ^= 1;
        assert!(is_not_ours(&open(&mut tpm, &LABEL, &changed)), "byte {at}");
    }
    for length in [0, 1, 10, 5000] {
        let changed = Credential { id_object: vec![7; length], ..credential.clone() };
        assert!(is_not_ours(&open(&mut tpm, &LABEL, &changed)), "{length} bytes");
        let changed = Credential { encrypted_secret: vec![7; length], ..credential.clone() };
        assert!(is_not_ours(&open(&mut tpm, &LABEL, &changed)), "{length} bytes");
    }
    assert_eq!(open(&mut tpm, &LABEL, &credential).unwrap(), SECRET, "and it still works");
    drop(tpm);
    machine.assert_empty();
}

#[test]
fn b6_the_proof_outlives_a_power_cut_and_a_clear() {
    let Some(mut machine) = Machine::new() else { return };
    let (_, _, credential) = challenge(&mut machine.open(), &LABEL);
    machine.power_cut();
    machine.power_on();
    assert_eq!(open(&mut machine.open(), &LABEL, &credential).unwrap(), SECRET);
    machine.chip().clear().unwrap();
    assert_eq!(open(&mut machine.open(), &LABEL, &credential).unwrap(), SECRET, "a clear keeps these seeds");
}

#[test]
fn b6_a_tpm_without_curves_proves_itself_with_rsa() {
    let (Some(machine), Some(other)) = (Machine::new(), Machine::new()) else { return };
    let mut tpm = machine.open_without_curves();
    let (key, name, credential) = challenge(&mut tpm, &LABEL);
    assert_eq!((credential.encrypted_secret.len(), format!("{key:?}").contains("RSA")), (256, true));
    assert_eq!(open(&mut tpm, &LABEL, &credential).unwrap(), SECRET);
    assert_eq!(tpm.possession_name(&LABEL), Ok(name));
    let refused = open(&mut other.open_without_curves(), &LABEL, &credential);
    assert!(is_not_ours(&refused), "{refused:?}");
    drop(tpm);
    machine.assert_empty();
}
