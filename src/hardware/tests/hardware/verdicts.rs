//! From files to verdicts: what an owner does to a machine, and what the default policy makes of it.

use crate::common::{collect, evidence, hwdata, issuer, machines};
use landfast_hardware::Collector;
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_protocol::binding::{BindingPolicy, Comparison, Verdict, compare};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::reading::{HardwareReading, Reading};

fn judge(enrolled: &Evidence, current: &Evidence) -> Comparison {
    compare(enrolled, current, &BindingPolicy::default())
}

/// Writes a server, lets `change` happen to it, and compares.
fn after(server: &FieldServer, change: impl FnOnce(&Recording)) -> Verdict {
    let directory = tempfile::tempdir().unwrap();
    let recording = server.write(directory.path()).unwrap();
    let enrolled = evidence(recording.path());
    assert_eq!(judge(&enrolled, &enrolled).verdict, Verdict::Bound);
    change(&recording);
    judge(&enrolled, &evidence(recording.path())).verdict
}

/// A server becomes another one.
fn becomes(before: &FieldServer, now: &FieldServer) -> Verdict {
    let directory = tempfile::tempdir().unwrap();
    let enrolled = evidence(before.write(directory.path().join("before")).unwrap().path());
    judge(&enrolled, &evidence(now.write(directory.path().join("now")).unwrap().path())).verdict
}

fn two_disks() -> FieldServer {
    FieldServer::example(1)
}

fn one_disk() -> FieldServer {
    FieldServer { disks: vec![Disk::ata("sda", "ONLY0001")], ..two_disks() }
}

fn guest() -> FieldServer {
    let board = Board {
        vendor: "QEMU".into(),
        product: "Standard PC (Q35 + ICH9, 2009)".into(),
        ..Board::example(3)
    };
    FieldServer {
        board: Some(board),
        disks: vec![Disk::virtio("vda", "vol-77aa01")],
        cards: vec![Card::new("ens3", "52:54:00:7a:01:02")],
        virtual_machine: true,
        ..FieldServer::example(3)
    }
}

fn swap_both_cards(server: &Recording) {
    for (name, mac) in [("eth0", "00:30:d6:99:00:01"), ("eth1", "00:30:d6:99:00:02")] {
        server.swap_card(name, &Card::new(name, mac)).unwrap();
    }
}

#[test]
fn one_part_replaced_stays_bound() {
    assert_eq!(after(&two_disks(), |server| server.remove_card("eth1").unwrap()), Verdict::Bound);
    assert_eq!(after(&two_disks(), swap_both_cards), Verdict::Bound, "only the cards");
    let cloned = |server: &Recording| server.swap_disk("sda", &Disk::ata("sda", "CLONED01")).unwrap();
    assert_eq!(after(&two_disks(), cloned), Verdict::Bound);
    assert_eq!(after(&one_disk(), cloned), Verdict::Bound);
    assert_eq!(
        after(&two_disks(), |server| server.set_machine_id(&"ab".repeat(16)).unwrap()),
        Verdict::Bound
    );
    let processor = |server: &Recording| {
        server
            .write_file(
                "proc/cpuinfo",
                "vendor_id : GenuineIntel\ncpu family : 6\nmodel : 151\nstepping : 5\n",
            )
            .unwrap();
    };
    assert_eq!(after(&two_disks(), processor), Verdict::Bound);
}

#[test]
fn two_parts_replaced_drift() {
    let reinstalled = |server: &Recording| {
        server.swap_disk("sda", &Disk::ata("sda", "NEW00001")).unwrap();
        server.set_machine_id(&"cd".repeat(16)).unwrap();
    };
    assert_eq!(after(&one_disk(), reinstalled), Verdict::Drifted);
    let cards_and_disk = |server: &Recording| {
        swap_both_cards(server);
        server.swap_disk("sda", &Disk::ata("sda", "NEW00001")).unwrap();
    };
    assert_eq!(after(&one_disk(), cards_and_disk), Verdict::Drifted);
}

#[test]
fn a_new_board_breaks() {
    let board = |server: &Recording| {
        server.swap_board(&Board::example(9)).unwrap();
        swap_both_cards(server);
    };
    assert_eq!(after(&two_disks(), board), Verdict::Broken);
    // The vendor's service burnt tag and UUID anew.
    let burnt_anew = |server: &Recording| {
        server.swap_board(&Board { board_serial: "WI24B90909".into(), ..Board::example(1) }).unwrap();
        swap_both_cards(server);
    };
    assert_eq!(after(&two_disks(), burnt_anew), Verdict::Bound);
}

#[test]
fn a_blank_tag_is_never_equal_to_another_blank_tag() {
    let blank = |server: &Recording, card: &str| {
        let board = Board {
            uuid: "4c4c4544-0020-2010-8020-a0c04f202020".into(),
            board_serial: " ".into(),
            product_serial: " ".into(),
            chassis_serial: " ".into(),
            ..Board::example(1)
        };
        server.swap_board(&board).unwrap();
        server.swap_card("eth0", &Card::new("eth0", card)).unwrap();
        server.remove_card("eth1").unwrap();
    };
    assert_eq!(after(&two_disks(), |server| blank(server, "00:30:d6:55:00:01")), Verdict::Broken);
    // Two of them have nothing to be compared by but what is their own.
    let directory = tempfile::tempdir().unwrap();
    let [one, other] = [1, 2].map(|number| {
        let server = FieldServer::example(number).write(directory.path().join(number.to_string())).unwrap();
        blank(&server, &format!("00:30:d6:55:00:0{number}"));
        evidence(server.path())
    });
    assert_eq!(judge(&one, &other).verdict, Verdict::Broken);
}

#[test]
fn another_machine_is_broken() {
    assert_eq!(becomes(&FieldServer::example(1), &FieldServer::example(2)), Verdict::Broken, "same model");
    let moved = FieldServer {
        disks: two_disks().disks,
        machine_id: two_disks().machine_id,
        ..FieldServer::example(2)
    };
    assert_eq!(becomes(&two_disks(), &moved), Verdict::Broken, "the disks were moved into it");
    let blade = |number| {
        let board = Board { chassis_serial: "2YCHASSIS".into(), ..Board::example(number) };
        FieldServer { board: Some(board), ..FieldServer::example(number) }
    };
    assert_eq!(becomes(&blade(1), &blade(2)), Verdict::Broken, "two blades of one chassis");
    let card = |number| FieldServer {
        cards: vec![Card::new("eth0", "88:88:88:88:87:88")],
        ..FieldServer::example(number)
    };
    assert_eq!(becomes(&card(1), &card(2)), Verdict::Broken, "one placeholder address");
    let cloned = FieldServer {
        board: Some(Board { uuid: "0b7c9a10-55aa-4e0f-9d2c-52540099aa01".into(), ..guest().board.unwrap() }),
        cards: vec![Card::new("ens3", "52:54:00:99:aa:01")],
        ..guest()
    };
    assert_eq!(becomes(&guest(), &cloned), Verdict::Broken, "a clone with a UUID and an address of its own");
}

/// The same reading, as an agent gets it that lost the right to read SMBIOS.
fn without_rights(mut reading: HardwareReading) -> HardwareReading {
    for read in &mut reading.factors {
        if matches!(
            read.factor,
            Factor::ProductUuid | Factor::BoardSerial | Factor::ProductSerial | Factor::ChassisSerial
        ) {
            read.reading = Reading::Unreadable("only root may read it".into());
        }
    }
    reading
}

#[test]
fn an_agent_that_loses_the_right_to_read_dmi_stays_bound() {
    let directory = tempfile::tempdir().unwrap();
    let server = two_disks().write(directory.path()).unwrap();
    let now = Evidence::digest(&without_rights(collect(server.path())), &issuer());
    assert_eq!(judge(&evidence(server.path()), &now).verdict, Verdict::Bound);
}

#[test]
fn p2_what_hypervisors_change_stays_bound() {
    let loses_its_serial = |server: &Recording| server.swap_disk("vda", &Disk::virtio("vda", "")).unwrap();
    assert_eq!(after(&guest(), loses_its_serial), Verdict::Bound);
    let without = FieldServer { disks: vec![Disk::virtio("vda", "")], ..guest() };
    let gains_one = |server: &Recording| server.swap_disk("vda", &Disk::virtio("vda", "vol-77aa01")).unwrap();
    assert_eq!(after(&without, gains_one), Verdict::Bound);
    let moved = |server: &Recording| {
        let other =
            "vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nstepping : 1\nflags : lm hypervisor\n";
        server.write_file("proc/cpuinfo", other).unwrap();
    };
    assert_eq!(after(&guest(), moved), Verdict::Bound);
    let upgraded = |server: &Recording| {
        let uuid = guest().board.unwrap().uuid;
        let twin = format!("c2041e7b-5d9a-384f{}", &uuid[18..]).to_uppercase();
        assert_ne!(uuid.to_uppercase(), twin);
        server.swap_board(&Board { uuid: twin, ..guest().board.unwrap() }).unwrap();
    };
    assert_eq!(after(&guest(), upgraded), Verdict::Bound);
}

#[test]
fn a_board_with_a_random_address_at_each_boot_is_bound_without_it() {
    let random = |server: &Recording, mac: &str| server.swap_card("eth0", &Card::new("eth0", mac)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer { cards: Vec::new(), ..two_disks() }.write(directory.path()).unwrap();
    random(&server, "1a:30:d6:01:02:03");
    let enrolled = evidence(server.path());
    assert_eq!(enrolled.present(Factor::NetworkCard).count(), 0);
    random(&server, "5e:77:d6:09:08:07");
    assert_eq!(judge(&enrolled, &evidence(server.path())).verdict, Verdict::Bound);
}

#[test]
fn too_little_of_its_own_is_no_verdict() {
    let microvm = FieldServer {
        board: None,
        disks: vec![Disk::virtio("vda", "overlayblk")],
        cards: vec![Card::new("eth0", "02:fc:00:00:00:01")],
        ..guest()
    };
    let directory = tempfile::tempdir().unwrap();
    let server = microvm.write(directory.path()).unwrap();
    assert!(!BindingPolicy::default().can_enrol(&evidence(server.path())));
    // A container that was restarted with another address and machine id.
    let contained = |server: &Recording| {
        server.write_file("run/systemd/container", "docker\n").unwrap();
        for card in ["eth0", "eth1"] {
            server.remove_card(card).unwrap();
        }
        server.set_machine_id(&"ef".repeat(16)).unwrap();
    };
    assert_eq!(after(&two_disks(), contained), Verdict::Indeterminate);
    let in_host_mode = |server: &Recording| {
        server.write_file("run/systemd/container", "docker\n").unwrap();
        server.set_machine_id(&"ef".repeat(16)).unwrap();
    };
    assert_eq!(after(&two_disks(), in_host_mode), Verdict::Bound);
}

#[test]
fn no_recorded_machine_passes_for_another() {
    let Some(hwdata) = hwdata() else { return };
    // The three recordings below lsblk are one machine; the first stands for it.
    let machines: Vec<_> = machines(&hwdata)
        .iter()
        .filter(|machine| !machine.archive.contains("lsblk") || machine.archive.contains("simple-nvme"))
        .map(|machine| (&machine.archive, Evidence::digest(&machine.reading, &issuer())))
        .collect();
    assert!(machines.len() > 40);
    for (name, enrolled) in &machines {
        for (other, current) in machines.iter().filter(|(other, _)| other != name) {
            let verdict = judge(enrolled, current).verdict;
            assert!(!matches!(verdict, Verdict::Bound | Verdict::Drifted), "{other} passes for {name}");
        }
    }
}

#[test]
fn this_machine_passes_for_itself_or_says_that_it_cannot_tell() {
    let evidence = Evidence::digest(&Collector::of_this_machine().collect(), &issuer());
    let expected =
        if BindingPolicy::default().can_enrol(&evidence) { Verdict::Bound } else { Verdict::Indeterminate };
    assert_eq!(judge(&evidence, &evidence).verdict, expected);
}
