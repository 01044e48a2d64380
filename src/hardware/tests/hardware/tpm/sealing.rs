//! Data that only one TPM gives back.

use super::Machine;
use landfast_hardware::tpm::{SEALED_LIMIT, Sealed, TpmError};

const PASSWORD: [u8; 32] = [9; 32];

#[test]
fn b6_sealed_data_comes_back_on_this_tpm_only() {
    let (Some(mut machine), Some(other)) = (Machine::new(), Machine::new()) else { return };
    for length in [1, 32, SEALED_LIMIT] {
        let data: Vec<u8> = (0..length).map(|at| u8::try_from(at).unwrap()).collect();
        let sealed = machine.open().seal(&data, None).unwrap();
        assert!(!sealed.as_bytes().windows(length).any(|part| part == data) || length == 1);
        assert_eq!(*machine.open().unseal(&sealed, None).unwrap(), data);
        machine.power_cut();
        machine.power_on();
        let stored = Sealed::from_bytes(sealed.as_bytes());
        assert_eq!(*machine.open().unseal(&stored, None).unwrap(), data);
        let refused = other.open().unseal(&stored, None);
        assert!(matches!(refused, Err(TpmError::NotOurs(_))), "{refused:?}");
    }
    for machine in [&machine, &other] {
        machine.assert_empty();
    }
}

#[test]
fn b6_what_was_sealed_before_a_clear_is_lost_and_says_so() {
    let Some(machine) = Machine::new() else { return };
    let sealed = machine.open().seal(b"device key", None).unwrap();
    machine.chip().clear().unwrap();
    let Err(error) = machine.open().unseal(&sealed, None) else { panic!("it opens") };
    assert!(matches!(error, TpmError::NotOurs(_)), "{error}");
    assert!(error.to_string().contains("cleared") && error.to_string().contains("recover"), "{error}");
    let again = machine.open().seal(b"device key", None).unwrap();
    assert_eq!(**machine.open().unseal(&again, None).unwrap(), *b"device key");
    machine.assert_empty();
}

#[test]
fn b6_a_password_is_needed_where_one_was_given_and_wrong_ones_lock_nothing() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    let sealed = tpm.seal(b"share", Some(&PASSWORD)).unwrap();
    for _ in 0..50 {
        for wrong in [None, Some(&[8; 32])] {
            let refused = tpm.unseal(&sealed, wrong);
            assert!(matches!(refused, Err(TpmError::Permission(_))), "{refused:?}");
        }
    }
    assert_eq!(**tpm.unseal(&sealed, Some(&PASSWORD)).unwrap(), *b"share");
    drop(tpm);
    machine.assert_empty();
}

#[test]
fn b6_changed_and_foreign_bytes_are_refused() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    let sealed = tpm.seal(&[3; 64], None).unwrap();
    let good = sealed.as_bytes();
    for at in 0..good.len() {
        let mut changed = good.to_vec();
        changed[at] ^= 1;
        let refused = tpm.unseal(&Sealed::from_bytes(changed), None);
        assert!(matches!(refused, Err(TpmError::NotOurs(_))), "byte {at}: {refused:?}");
    }
    for foreign in [&[][..], &good[..good.len() - 1], &[good, &[0]].concat(), &[0xff; 300]] {
        assert!(matches!(tpm.unseal(&Sealed::from_bytes(foreign), None), Err(TpmError::NotOurs(_))));
    }
    for data in [&[][..], &[0; SEALED_LIMIT + 1]] {
        let Err(error) = tpm.seal(data, None) else { panic!("{} bytes are sealed", data.len()) };
        assert!(error.to_string().contains("1 to 128"), "{error}");
    }
    assert_eq!(*tpm.unseal(&sealed, None).unwrap(), [3; 64]);
    drop(tpm);
    machine.assert_empty();
}

#[test]
fn b6_a_tpm_without_curves_seals_under_rsa() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open_without_curves();
    let sealed = tpm.seal(b"device key", Some(&PASSWORD)).unwrap();
    assert_eq!(**tpm.unseal(&sealed, Some(&PASSWORD)).unwrap(), *b"device key");
    drop(tpm);
    machine.assert_empty();
}
