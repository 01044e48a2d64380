//! What the agent may not see, and what hypervisors and containers do.

use super::{both, expect, guest, judge, reinstalled, server, unchanged, virtual_interface};
use crate::common::{collect, evidence, issuer};
use landfast_hardware::Collector;
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_protocol::binding::{BindingPolicy, Verdict};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::reading::{HardwareReading, Reading};

/// The same reading, as an agent gets it that lost the right to read SMBIOS.
fn without_rights(mut reading: HardwareReading) -> HardwareReading {
    let restricted = [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial];
    for read in reading.factors.iter_mut().filter(|read| restricted.contains(&read.factor)) {
        read.reading = Reading::Unreadable("only root may read it".into());
    }
    reading
}

#[test]
fn p2_agent_loses_the_right_to_read_dmi() {
    for (server, verdict) in
        [(server(), Verdict::Bound), (FieldServer { disks: Vec::new(), ..server() }, Verdict::Indeterminate)]
    {
        let directory = tempfile::tempdir().unwrap();
        let recording = server.write(directory.path()).unwrap();
        let now = Evidence::digest(&without_rights(collect(recording.path())), &issuer());
        assert_eq!(judge(&evidence(recording.path()), &now).verdict, verdict);
    }
}

#[test]
fn p2_virtio_disk_loses_its_serial() {
    expect(Verdict::Bound, &guest(), |server| server.swap_disk("vda", &Disk::virtio("vda", "")).unwrap());
}

#[test]
fn p2_virtio_disk_gains_its_serial() {
    let without = FieldServer { disks: vec![Disk::virtio("vda", "")], ..guest() };
    expect(Verdict::Bound, &without, |server| {
        server.swap_disk("vda", &Disk::virtio("vda", "vol-77aa01")).unwrap();
    });
}

#[test]
fn p2_vmotion_to_another_cpu_model() {
    expect(Verdict::Bound, &guest(), |server| {
        let other =
            "vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nstepping : 1\nflags : lm hypervisor\n";
        server.write_file("proc/cpuinfo", other).unwrap();
    });
}

#[test]
fn p2_hypervisor_upgrade_flips_the_byte_order() {
    unchanged(&guest(), |server| {
        let uuid = guest().board.unwrap().uuid;
        let twin = format!("c2041e7b-5d9a-384f{}", &uuid[18..]).to_uppercase();
        assert_ne!(uuid.to_uppercase(), twin);
        server.swap_board(&Board { uuid: twin, ..guest().board.unwrap() }).unwrap();
    });
}

#[test]
fn container_restarted_with_new_mac_and_machine_id() {
    let restart = |server: &Recording| {
        server.write_file("run/systemd/container", "docker\n").unwrap();
        reinstalled(server);
    };
    expect(Verdict::Bound, &server(), restart);
    expect(Verdict::Indeterminate, &server(), |server| {
        restart(server);
        for card in ["eth0", "eth1"] {
            server.remove_card(card).unwrap();
        }
        virtual_interface(server, "eth0", "veth");
    });
}

#[test]
fn board_with_a_random_mac_at_each_boot() {
    let cards = vec![Card::new("eth0", "1a:30:d6:01:02:03")];
    let (enrolled, current) = both(&FieldServer { cards, ..server() }, |server| {
        server.swap_card("eth0", &Card::new("eth0", "5e:77:d6:09:08:07")).unwrap();
    });
    assert_eq!(enrolled.present(Factor::NetworkCard).count(), 0);
    assert_eq!(judge(&enrolled, &current).verdict, Verdict::Bound);
}

#[test]
fn no_dmi_locally_administered_mac_constant_virtio_serial() {
    let microvm = FieldServer {
        board: None,
        disks: vec![Disk::virtio("vda", "overlayblk")],
        cards: vec![Card::new("eth0", "02:fc:00:00:00:01")],
        ..guest()
    };
    let directory = tempfile::tempdir().unwrap();
    let evidence = evidence(microvm.write(directory.path()).unwrap().path());
    assert!(!BindingPolicy::default().can_enrol(&evidence));
    assert_eq!(judge(&evidence, &evidence).verdict, Verdict::Indeterminate);
}

#[test]
fn this_machine_passes_for_itself_or_says_that_it_cannot_tell() {
    let evidence = Evidence::digest(&Collector::of_this_machine().collect(), &issuer());
    let expected =
        if BindingPolicy::default().can_enrol(&evidence) { Verdict::Bound } else { Verdict::Indeterminate };
    assert_eq!(judge(&evidence, &evidence).verdict, expected);
}
