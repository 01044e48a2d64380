//! Recordings of real machines, found through `LANDFAST_HWDATA`. Their values are not printed.

use crate::common::{Machine, Unpacked, hwdata, kept, machines, of, reason, recorded, single, values};
use landfast_hardware::fixture::{Board, FieldServer};
use landfast_hardware::{Collector, Root};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest};
use landfast_protocol::reading::Reading;
use std::collections::BTreeMap;

const LSBLK: &str = "util-linux/lsblk/dumps";

fn primary(evidence: &Evidence) -> Vec<FactorDigest> {
    evidence.present(Factor::Disk).filter(|(_, primary)| *primary).map(|(digest, _)| digest).collect()
}

#[test]
fn p2_eight_years_and_kernel_4_16_to_6_17_keep_two_disks_of_three() {
    let Some(hwdata) = hwdata() else { return };
    let before = Unpacked::new(&hwdata, &format!("{LSBLK}/simple-nvme.tar.xz"));
    let after = Unpacked::new(&hwdata, &format!("{LSBLK}/multi-devs-bcachefs.tar.xz"));
    assert_eq!(kept(&before.evidence(), &after.evidence(), Factor::Disk), (2, 3));
    assert_eq!(primary(&before.evidence()), primary(&after.evidence()), "the root is on the same disk");
    // The pair is about this: the kernel respelt the wwid of a disk that stayed.
    let wwid = |machine: &Unpacked| std::fs::read(machine.path().join("sys/block/sda/device/wwid")).unwrap();
    assert_ne!(wwid(&before), wwid(&after));
    let reading = after.collect();
    assert_eq!(of(&reading, Factor::Disk).len(), 3);
    assert!(reason(&reading, "sdc").contains("simulated") && reason(&reading, "sr0").contains("optical"));
}

#[test]
fn p1_volumes_that_were_added_change_nothing() {
    let Some(hwdata) = hwdata() else { return };
    let before = Unpacked::new(&hwdata, &format!("{LSBLK}/simple-nvme.tar.xz"));
    let after = Unpacked::new(&hwdata, &format!("{LSBLK}/simple-lvm.tar.xz"));
    assert_eq!(before.evidence(), after.evidence());
    assert_eq!(primary(&before.evidence()).len(), 1);
    for name in ["dm-0", "loop0", "loop1", "loop2", "loop3"] {
        reason(&after.collect(), name);
    }
}

#[test]
fn two_guests_on_one_mainframe_share_no_identity() {
    let Some(hwdata) = hwdata() else { return };
    let one = Unpacked::new(&hwdata, "util-linux/lscpu/dumps/s390-zvm.tar.gz");
    let other = Unpacked::new(&hwdata, "util-linux/lscpu/dumps/s390-kvm.tar.gz");
    let sequence = |machine: &Unpacked| {
        let text = std::fs::read_to_string(machine.path().join("proc/sysinfo")).unwrap();
        text.lines().find(|line| line.starts_with("Sequence Code")).unwrap().to_owned()
    };
    assert_eq!(sequence(&one), sequence(&other), "they are on one machine");
    for (guest, name) in [(&one, "zvm"), (&other, "kvm")] {
        assert!(guest.collect().virtual_machine);
        assert_eq!(Collector::of_recording(Root::new(guest.path())).describe().virtualization, name);
    }
    for factor in Factor::ALL.into_iter().filter(|factor| *factor != Factor::Cpu) {
        assert_eq!(kept(&one.evidence(), &other.evidence(), factor).0, 0, "{factor:?}");
    }
    let nested = recorded(&hwdata, "util-linux/lscpu/dumps/s390-nested-virt.tar.gz");
    assert!(matches!(single(nested, Factor::VirtualId), Reading::Present(_)), "the innermost guest's UUID");
}

#[test]
fn recordings_made_without_rights_are_unreadable_and_not_absent() {
    let Some(hwdata) = hwdata() else { return };
    for archive in ["32em64t-2n8c+dax+nvme+mic+dimms", "40intel64-2g2n4c+pcilocality", "8em64t-2s2ca2c"] {
        let reading = recorded(&hwdata, &format!("hwloc/linux/{archive}.tar.bz2"));
        for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial]
        {
            assert!(matches!(single(reading, factor), Reading::Unreadable(_)), "{archive} {factor:?}");
        }
    }
}

#[test]
fn boards_with_real_and_with_filled_in_serials_are_told_apart() {
    let Some(hwdata) = hwdata() else { return };
    let reading = recorded(&hwdata, "hwloc/linux/128arm-2pa2n8cluster4co.tar.bz2");
    for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial] {
        assert!(matches!(single(reading, factor), Reading::Present(_)), "{factor:?}");
    }
    assert!(matches!(single(reading, Factor::ChassisSerial), Reading::Placeholder(_)));
    let reading = recorded(&hwdata, "hwloc/linux/48amd64-4pa2n6c-sparse.tar.bz2");
    assert!(matches!(single(reading, Factor::BoardSerial), Reading::Placeholder(_)));
    assert!(matches!(single(reading, Factor::ProductUuid), Reading::Present(_)));
}

#[test]
fn p1_only_the_cards_of_a_server_count() {
    let Some(hwdata) = hwdata() else { return };
    let reading = recorded(&hwdata, "hwloc/linux/32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2");
    assert_eq!(values(reading, Factor::NetworkCard).len(), 2);
    // Of the bridge, the VLAN and the others, the recording holds links only.
    assert!(reason(reading, "ib0").contains("not Ethernet"));
    let reading = recorded(&hwdata, "hwloc/linux/40intel64-2g2n4c+pcilocality.tar.bz2");
    assert_eq!(values(reading, Factor::NetworkCard).len(), 4);
    let reading = recorded(&hwdata, "hwloc/linux/2pa-pcidomain32bits.tar.bz2");
    assert!(reading.virtual_machine);
    assert_eq!(values(reading, Factor::NetworkCard).len(), 1, "a guest's card may be locally administered");
}

#[test]
fn disks_of_a_storage_network_do_not_count() {
    let Some(hwdata) = hwdata() else { return };
    let reading = recorded(&hwdata, "ghw/snapshots/linux-s390x-snapshot.tar.gz");
    assert_eq!(single(reading, Factor::Disk), Reading::Absent);
    assert!(reason(reading, "sda").contains("network") && reason(reading, "dm-0").contains("volume"));
}

#[test]
fn every_recording_names_its_processor_and_shares_no_identity() {
    let Some(hwdata) = hwdata() else { return };
    let mut identities: BTreeMap<(Factor, String), &str> = BTreeMap::new();
    for Machine { archive, reading, names_its_processor } in machines(&hwdata) {
        let processor = matches!(single(reading, Factor::Cpu), Reading::Present(_));
        assert_eq!(processor, *names_its_processor, "{archive}");
        // Models are shared; and the three recordings below lsblk are one machine.
        if archive.starts_with(LSBLK) {
            continue;
        }
        for factor in Factor::ALL.into_iter().filter(|factor| *factor != Factor::Cpu) {
            for value in values(reading, factor) {
                let other = identities.insert((factor, value), archive);
                assert_eq!(other, None, "{archive} shares its {factor:?}");
            }
        }
    }
    assert!(identities.len() > 15);
}

/// Field and value of each line of a table of placeholders.
fn counted(hwdata: &std::path::Path) -> Vec<(String, String)> {
    let table = std::fs::read_to_string(hwdata.join("linuxhw-DMI/derived_placeholder_counts.tsv")).unwrap();
    let lines = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?.to_owned(), columns.next()?.to_owned()))
        })
        .collect()
}

#[test]
fn every_counted_filler_is_a_placeholder_or_blank() {
    let Some(hwdata) = hwdata() else { return };
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    let counted = counted(&hwdata);
    assert!(counted.len() > 300);
    for (field, value) in counted {
        server.write_file("sys/class/dmi/id/board_serial", format!("{value}\n")).unwrap();
        let read = single(&crate::common::collect(server.path()), Factor::BoardSerial);
        assert!(
            matches!(read, Reading::Placeholder(_) | Reading::Absent),
            "{field} {value:?} counts as a serial number"
        );
    }
}

#[test]
fn every_shared_uuid_is_a_placeholder() {
    let Some(hwdata) = hwdata() else { return };
    let table = std::fs::read_to_string(hwdata.join("linuxhw-DMI/derived_shared_uuids.tsv")).unwrap();
    let uuids: Vec<&str> = table
        .lines()
        .filter_map(|line| line.split('\t').nth(1)?.split(' ').next())
        .filter(|uuid| uuid.len() == 36)
        .collect();
    assert!(uuids.len() > 10);
    for uuid in uuids {
        let directory = tempfile::tempdir().unwrap();
        let board = Board { uuid: uuid.to_owned(), ..Board::example(1) };
        let server =
            FieldServer { board: Some(board), ..FieldServer::example(1) }.write(directory.path()).unwrap();
        let read = single(&crate::common::collect(server.path()), Factor::ProductUuid);
        assert!(matches!(read, Reading::Placeholder(_)), "{uuid}");
    }
}

#[test]
fn a_server_with_garbage_in_one_field_is_read() {
    let Some(hwdata) = hwdata() else { return };
    let text = std::fs::read(hwdata.join("node_exporter/sys-class-dmi.ttar")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let server = landfast_hardware::fixture::Recording::open(directory.path());
    let mut lines = text.split(|byte| *byte == b'\n');
    // ttar: "Path: …", "Lines: N", N lines, "Mode: …".
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix(b"Path: ") else { continue };
        let count = lines.next().unwrap().strip_prefix(b"Lines: ").unwrap();
        let count: usize = std::str::from_utf8(count).unwrap().parse().unwrap();
        let content: Vec<u8> = lines.by_ref().take(count).flat_map(|line| [line, b"\n"].concat()).collect();
        server.write_file(std::str::from_utf8(path).unwrap(), content).unwrap();
    }
    let reading = crate::common::collect(server.path());
    for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial] {
        assert!(matches!(single(&reading, factor), Reading::Present(_)), "{factor:?}");
    }
}
