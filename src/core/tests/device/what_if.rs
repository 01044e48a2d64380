//! B7: what would become of the binding, before anything is touched.

use crate::support::*;
use landfast_core::Event;
use landfast_core::view::BindingState;
use landfast_core::what_if::{NoSuchPart, Part, Prospect};
use landfast_protocol::evidence::Factor;
use landfast_protocol::operation::Outcome;
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Ignored, Reading};

fn reading() -> HardwareReading {
    let read = |factor, source: &str, value: &str| FactorReading {
        factor,
        source: source.to_owned(),
        primary: source == "sda",
        reading: Reading::Present(Identity::new(value)),
    };
    let bare = FactorReading {
        factor: Factor::Disk,
        source: "vdb".to_owned(),
        primary: false,
        reading: Reading::Unreadable("it has no serial number".to_owned()),
    };
    let factors = vec![
        read(Factor::ProductUuid, "product_uuid", "uuid"),
        read(Factor::BoardSerial, "board_serial", "board"),
        read(Factor::ProductSerial, "product_serial", "product"),
        read(Factor::Disk, "sda", "first"),
        read(Factor::Disk, "sdb", "second"),
        bare,
        read(Factor::NetworkCard, "eno1", "00:30:d6:00:00:01"),
        read(Factor::NetworkCard, "eno2", "00:30:d6:00:00:02"),
        read(Factor::Cpu, "cpu", "cpu"),
        read(Factor::MachineId, "machine-id", "id"),
    ];
    let docker = Ignored { source: "docker0".to_owned(), reason: "it is virtual".to_owned() };
    HardwareReading { factors, ignored: vec![docker], virtual_machine: false }
}

fn bound() -> Device {
    let mut issuer = Issuer::new();
    let mut device = Device::new(&issuer);
    device.handle(Event::Evidence(reading()));
    let request = device.activate(1);
    issuer.tokens = vec![token(1, "points", 1)];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    device
}

fn ask(device: &Device, parts: &[&str]) -> Result<Prospect, NoSuchPart> {
    let parts: Vec<Part> = parts.iter().map(|part| part.parse().unwrap()).collect();
    device.machine.view(&device.now).bench.replace(&parts)
}

#[test]
fn b7_the_prospect_of_each_part() {
    let device = bound();
    let verdict = |parts: &[&str]| ask(&device, parts).map(|found| found.state);
    for harmless in ["nic:eno1", "disk:sda", "disk:sdb", "cpu", "system", "chassis", "tpm"] {
        assert_eq!(verdict(&[harmless]), Ok(BindingState::Bound), "{harmless}");
    }
    let much = ["nic:eno1", "nic:eno2", "disk:sda", "disk:sdb"];
    assert_eq!(verdict(&much), Ok(BindingState::Drifted));
    assert_eq!(verdict(&["board"]), Ok(BindingState::Broken));
    assert_eq!(verdict(&[]), Ok(BindingState::Bound));
}

#[test]
fn b7_a_board_takes_what_is_built_in_with_it() {
    let found = ask(&bound(), &["board"]).unwrap();
    let expected =
        ["product_uuid", "board_serial", "product_serial", "network_card eno1", "network_card eno2"];
    assert_eq!(found.replaced, expected);
}

#[test]
fn b7_what_it_says_comes_true() {
    let mut device = bound();
    let said = ask(&device, &["nic:eno1", "disk:sda", "system"]).unwrap();
    let mut after = reading();
    for read in &mut after.factors {
        if ["eno1", "sda", "machine-id"].contains(&&*read.source) {
            read.reading = Reading::Present(Identity::new("a new part"));
        }
    }
    device.handle(Event::Evidence(after));
    let view = device.machine.view(&device.now);
    assert_eq!((view.binding.state, view.binding.score_permille), (said.state, said.score_permille));
}

#[test]
fn b7_parts_that_do_not_count_or_are_not_there() {
    let device = bound();
    let useless = |part| ask(&device, &[part]).unwrap().without_effect;
    assert_eq!(useless("nic:docker0"), ["nic:docker0 does not count: it is virtual"]);
    assert_eq!(useless("disk:vdb"), ["disk:vdb does not count: it has no serial number of its own"]);
    assert_eq!(useless("tpm"), ["tpm: nothing of it counts on this machine"]);
    let missing = ask(&device, &["nic:eth9"]).unwrap_err().to_string();
    assert_eq!(missing, "this machine has no network card called \"eth9\"; it has eno1, eno2");
    for text in ["", "nic", "nic:", "usb:sda", "Board", "board:eth0"] {
        assert!(text.parse::<Part>().unwrap_err().contains("nic:NAME"), "{text:?}");
    }
}

#[test]
fn b7_nothing_is_bound_without_a_license() {
    let device = Device::new(&Issuer::new());
    let found = ask(&device, &["board"]).unwrap();
    assert_eq!((found.state, found.score_permille), (BindingState::Unbound, 0));
}
