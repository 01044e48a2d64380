//! A counter that a restored disk does not set back.

use super::Machine;
use landfast_hardware::tpm::{CounterIndex, TpmError};

const INDEX: CounterIndex = CounterIndex::new(1);
const OTHER: CounterIndex = CounterIndex::new(2);

#[test]
fn b11_a_counter_only_rises_through_power_cuts() {
    let Some(mut machine) = Machine::new() else { return };
    assert_eq!(machine.open().counter(INDEX), Ok(None), "first use");
    assert_eq!(machine.open().advance_counter(INDEX), Ok(None), "what is not there is not made by counting");
    let first = machine.open().create_counter(INDEX).unwrap();
    assert_eq!(machine.open().create_counter(INDEX), Ok(first), "making it again changes nothing");
    for last in first..first + 3 {
        machine.power_cut();
        machine.power_on();
        assert_eq!(machine.open().counter(INDEX), Ok(Some(last)));
        assert_eq!(machine.open().advance_counter(INDEX), Ok(Some(last + 1)));
    }
    assert_eq!(machine.open().counter(OTHER), Ok(None), "others are others");
    machine.assert_empty();
}

#[test]
fn b11_a_counter_is_gone_after_a_clear_and_a_new_one_begins_above() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    tpm.create_counter(INDEX).unwrap();
    let last = (0..5).map(|_| tpm.advance_counter(INDEX).unwrap().unwrap()).max().unwrap();
    drop(tpm);
    machine.chip().clear().unwrap();
    assert_eq!(machine.open().counter(INDEX), Ok(None));
    assert_eq!(machine.open().advance_counter(INDEX), Ok(None));
    let begun = machine.open().create_counter(INDEX).unwrap();
    assert!(begun > last, "{begun} after {last}");
}

#[test]
fn b11_removing_a_counter_and_making_it_anew_does_not_set_it_back() {
    let Some(machine) = Machine::new() else { return };
    let mut tpm = machine.open();
    tpm.create_counter(INDEX).unwrap();
    let last = tpm.advance_counter(INDEX).unwrap().unwrap();
    tpm.remove_counter(INDEX).unwrap();
    assert_eq!(tpm.counter(INDEX), Ok(None));
    assert_eq!(tpm.remove_counter(INDEX), Ok(()), "nothing to remove is no fault");
    let begun = tpm.create_counter(INDEX).unwrap();
    assert!(begun > last, "{begun} after {last}");
}

#[test]
fn b11_a_counter_that_was_never_counted_is_begun_and_one_of_others_is_left_alone() {
    let Some(machine) = Machine::new() else { return };
    // As ours, but interrupted before the first count.
    define(&machine, 0x01af_0001, 0x0206_0016);
    assert_eq!(machine.open().counter(INDEX), Ok(None));
    let begun = machine.open().create_counter(INDEX).unwrap();
    assert_eq!(machine.open().counter(INDEX), Ok(Some(begun)));
    // Eight bytes of ordinary memory.
    define(&machine, 0x01af_0002, 0x0206_0006);
    let Err(error) = machine.open().create_counter(OTHER) else { panic!("it is taken for a counter") };
    assert!(
        matches!(error, TpmError::Other { .. }) && error.to_string().contains("another program"),
        "{error}"
    );
}

/// `TPM2_NV_DefineSpace` by the owner: eight bytes at `index`.
fn define(machine: &Machine, index: u32, attributes: u32) {
    let mut command = vec![0x80, 2, 0, 0, 0, 45, 0, 0, 1, 0x2a, 0x40, 0, 0, 1];
    command.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0]);
    command.extend([0, 0, 0, 14]);
    command.extend(index.to_be_bytes());
    command.extend([0, 0x0b]);
    command.extend(attributes.to_be_bytes());
    command.extend([0, 0, 0, 8]);
    assert_eq!(machine.chip().send(&command).unwrap()[6..10], [0; 4]);
}
