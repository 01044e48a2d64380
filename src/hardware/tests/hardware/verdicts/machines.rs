//! Another machine: broken.

use super::{becomes, guest, judge, server};
use crate::common::evidence;
use landfast_hardware::fixture::{Board, Card, FieldServer};
use landfast_protocol::binding::Verdict;
use landfast_protocol::evidence::Evidence;

/// A board of the Raspberry Pi's kind: a SoC with a number, a card, a memory card.
fn small_board(directory: &std::path::Path, number: u16) -> Evidence {
    let board = FieldServer {
        board: None,
        disks: Vec::new(),
        cards: vec![Card::new("eth0", &format!("dc:a6:32:00:00:{number:02x}"))],
        machine_id: "cc".repeat(15) + "01",
        ..FieldServer::example(number)
    };
    let recording = board.write(directory).unwrap();
    recording.write_file("proc/device-tree/serial-number", format!("10000000a1b2c3{number:02x}\0")).unwrap();
    let cpu =
        "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n";
    recording.write_file("proc/cpuinfo", cpu).unwrap();
    recording.write_file("sys/block/mmcblk0/device/type", "SD\n").unwrap();
    recording.write_file("sys/block/mmcblk0/device/cid", "0353445344333247\n").unwrap();
    evidence(recording.path())
}

#[test]
fn p10_disks_moved_into_another_machine() {
    let moved =
        FieldServer { disks: server().disks, machine_id: server().machine_id, ..FieldServer::example(2) };
    becomes(Verdict::Broken, &server(), &moved);
}

#[test]
fn p10_same_model_other_unit() {
    becomes(Verdict::Broken, &server(), &FieldServer::example(2));
}

#[test]
fn p10_two_machines_with_placeholder_dmi() {
    let filled_in = |number| {
        let text = || "To be filled by O.E.M.".to_owned();
        let board = Board {
            uuid: "03000200-0400-0500-0006-000700080009".into(),
            board_serial: text(),
            product_serial: text(),
            chassis_serial: text(),
            ..Board::example(1)
        };
        FieldServer { board: Some(board), ..FieldServer::example(number) }
    };
    becomes(Verdict::Broken, &filled_in(1), &filled_in(2));
}

#[test]
fn p10_two_machines_with_one_placeholder_mac() {
    let card = |number| FieldServer {
        cards: vec![Card::new("eth0", "88:88:88:88:87:88")],
        ..FieldServer::example(number)
    };
    becomes(Verdict::Broken, &card(1), &card(2));
}

#[test]
fn p10_two_blades_one_chassis_serial() {
    let blade = |number| {
        let board = Board { chassis_serial: "2YCHASSIS".into(), ..Board::example(number) };
        FieldServer { board: Some(board), ..FieldServer::example(number) }
    };
    becomes(Verdict::Broken, &blade(1), &blade(2));
}

#[test]
fn p10_vm_clone_with_new_uuid_and_mac_and_the_same_machine_id() {
    let uuid = "0b7c9a10-55aa-4e0f-9d2c-52540099aa01".to_owned();
    let clone = FieldServer {
        board: Some(Board { uuid, ..guest().board.unwrap() }),
        cards: vec![Card::new("ens3", "52:54:00:99:aa:01")],
        ..guest()
    };
    assert_eq!(clone.machine_id, guest().machine_id);
    becomes(Verdict::Broken, &guest(), &clone);
}

#[test]
fn p10_sd_card_moved_to_another_board() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] = [1, 2].map(|number| small_board(&directory.path().join(number.to_string()), number));
    assert_eq!(judge(&one, &one).verdict, Verdict::Bound);
    assert_eq!(judge(&one, &other).verdict, Verdict::Broken);
}

#[test]
fn p10_vm_clone_with_the_same_uuid_and_mac_is_left_to_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] =
        ["one", "other"].map(|name| evidence(guest().write(directory.path().join(name)).unwrap().path()));
    assert_eq!(one, other, "nothing offline tells them apart");
}
