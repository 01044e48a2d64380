//! Group B as the collector sees it.

use super::Machine;
use crate::common::{collect, single};
use landfast_hardware::fixture::{FieldServer, Recording};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::Reading;

fn reading(machine: &Machine) -> Reading {
    single(&collect(machine.root()), Factor::TpmKey)
}

fn without_tpm(prepare: impl FnOnce(&Recording)) -> Reading {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    prepare(&server);
    single(&collect(server.path()), Factor::TpmKey)
}

fn why(reading: Reading) -> String {
    let Reading::Unreadable(why) = reading else { panic!("{reading:?}") };
    assert!(why.contains("neither for nor against"), "{why}");
    why
}

#[test]
fn d1_the_endorsement_key_is_group_b() {
    let (Some(mut machine), Some(other)) = (Machine::new(), Machine::new()) else { return };
    let Reading::Present(value) = reading(&machine) else { panic!("{:?}", reading(&machine)) };
    assert_eq!(value.reveal(), machine.open().endorsement_area().unwrap().factor_value());
    assert!(value.reveal().len() == 64 && value.reveal().bytes().all(|c| c.is_ascii_hexdigit()));
    assert_ne!(reading(&machine), reading(&other));
    machine.power_cut();
    machine.power_on();
    assert_eq!(reading(&machine), Reading::Present(value.clone()), "after a power cut");
    machine.chip().clear().unwrap();
    assert_eq!(reading(&machine), Reading::Present(value), "after a clear");
    machine.assert_empty();
}

#[test]
fn d1_a_tpm_whose_keys_are_switched_off_is_absent() {
    let Some(machine) = Machine::new() else { return };
    // TPM2_HierarchyControl by the platform: the endorsement hierarchy, off.
    let mut off = vec![0x80, 2, 0, 0, 0, 32, 0, 0, 1, 0x21, 0x40, 0, 0, 0x0c];
    off.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0x40, 0, 0, 0x0b, 0]);
    assert_eq!(machine.chip().send(&off).unwrap()[6..10], [0; 4]);
    assert_eq!(reading(&machine), Reading::Absent);
    let message = machine.open().endorsement_area().unwrap_err().to_string();
    assert!(message.contains("switched off") && message.contains("firmware"), "{message}");
}

#[test]
fn d1_a_tpm_with_a_password_is_unreadable() {
    let Some(machine) = Machine::new() else { return };
    // TPM2_HierarchyChangeAuth of the endorsement hierarchy.
    let mut change = vec![0x80, 2, 0, 0, 0, 32, 0, 0, 1, 0x29, 0x40, 0, 0, 0x0b];
    change.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 3, b'p', b'w', b'd']);
    assert_eq!(machine.chip().send(&change).unwrap()[6..10], [0; 4]);
    assert!(why(reading(&machine)).contains("password"));
}

#[test]
fn d1_no_tpm_is_absent_and_a_hidden_one_is_not() {
    assert_eq!(without_tpm(|_| ()), Reading::Absent);
    let hidden =
        without_tpm(|server| server.write_file("sys/class/tpmrm/tpmrm0/dev", "252:65536\n").unwrap());
    assert!(why(hidden).contains("DeviceAllow"));
    let driverless =
        without_tpm(|server| server.write_file("sys/firmware/acpi/tables/TPM2", "TPM2").unwrap());
    assert!(why(driverless).contains("driver"));
    let file = without_tpm(|server| server.write_file("dev/tpmrm0", "no device").unwrap());
    assert!(why(file).contains("no device"));
    let nothing = tempfile::tempdir().unwrap();
    assert!(why(single(&collect(nothing.path()), Factor::TpmKey)).contains("/sys"));
    let link = without_tpm(|server| server.write_link("dev/tpmrm0", "dev/elsewhere").unwrap());
    assert_eq!(link, Reading::Absent);
}
