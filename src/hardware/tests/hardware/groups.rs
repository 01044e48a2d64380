//! What each group reads, on machines that were written for it.

use crate::common::{collect, evidence, kept, of, reason, single, values};
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_hardware::{Collector, Root};
use landfast_protocol::evidence::{Factor, Group};
use landfast_protocol::reading::{HardwareReading, Identity, Reading};

fn write(server: &FieldServer) -> (tempfile::TempDir, Recording) {
    let directory = tempfile::tempdir().unwrap();
    let recording = server.write(directory.path()).unwrap();
    (directory, recording)
}

fn present(value: &str) -> Reading {
    Reading::Present(Identity::new(value))
}

fn is_primary(reading: &HardwareReading, source: &str) -> bool {
    reading.factors.iter().any(|factor| factor.source == source && factor.primary)
}

#[test]
fn a_field_server_shows_every_group_that_it_has() {
    let (_directory, server) = write(&FieldServer::example(7));
    let reading = collect(server.path());
    assert!(!reading.virtual_machine);
    assert_eq!(single(&reading, Factor::BoardSerial), present("wi24b00007"));
    assert_eq!(single(&reading, Factor::ProductSerial), present("wi24s00007"));
    assert_eq!(single(&reading, Factor::ChassisSerial), present("wi24c00007"));
    assert!(matches!(single(&reading, Factor::ProductUuid), Reading::Present(_)));
    assert_eq!(single(&reading, Factor::Cpu), present("genuineintel/6/150/1"));
    assert!(matches!(single(&reading, Factor::MachineId), Reading::Present(_)));
    let disks = values(&reading, Factor::Disk);
    assert_eq!(disks, ["kern nv3 1tb/s7kne00007", "wt sa210 480gb/wt1da00007"].map(str::to_owned).into());
    let cards = values(&reading, Factor::NetworkCard);
    assert_eq!(cards, ["00:30:d6:00:07:01", "00:30:d6:00:07:02"].map(str::to_owned).into());
    assert!(is_primary(&reading, "sda") && !is_primary(&reading, "nvme0n1"));
    let about = Collector::of_recording(server.root()).describe();
    assert_eq!(
        (about.os.as_str(), about.architecture.as_str()),
        ("Debian GNU/Linux 12 (bookworm)", "x86_64")
    );
    assert_eq!((about.kernel.as_str(), about.cpus, about.memory_mib), ("6.1.0-31-amd64", 4, 7822));
    assert_eq!(about.virtualization, "none");
}

#[test]
fn two_servers_of_one_model_share_only_what_the_model_gives() {
    let (_one, one) = write(&FieldServer::example(1));
    let (_other, other) = write(&FieldServer::example(2));
    for factor in Factor::ALL {
        let (kept, _) = kept(&evidence(one.path()), &evidence(other.path()), factor);
        assert_eq!(kept, usize::from(factor == Factor::Cpu), "{factor:?}");
    }
}

#[test]
fn parts_are_exchanged_one_by_one() {
    let (_directory, server) = write(&FieldServer::example(1));
    let before = evidence(server.path());
    let kept_of = |factor| kept(&before, &evidence(server.path()), factor);
    server.swap_card("eth1", &Card::new("eth1", "00:30:d6:99:99:99")).unwrap();
    assert_eq!(kept_of(Factor::NetworkCard), (1, 2));
    server.swap_disk("sda", &Disk::ata("sda", "NEW00001")).unwrap();
    assert_eq!(kept_of(Factor::Disk), (1, 2));
    assert!(is_primary(&collect(server.path()), "sda"));
    assert_eq!(kept_of(Factor::BoardSerial), (1, 1));
    server.swap_board(&Board::example(2)).unwrap();
    for factor in [Factor::BoardSerial, Factor::ProductUuid, Factor::ProductSerial, Factor::ChassisSerial] {
        assert_eq!(kept_of(factor), (0, 1));
    }
    server.remove_card("eth0").unwrap();
    server.remove_disk("nvme0n1").unwrap();
    assert_eq!((kept_of(Factor::NetworkCard), kept_of(Factor::Disk)), ((0, 2), (0, 2)));
}

#[test]
fn p2_a_uuid_in_the_other_byte_order_or_letter_case_is_the_same() {
    let board = |uuid: &str| {
        let board = Board { uuid: uuid.to_owned(), ..Board::example(1) };
        let (_directory, server) = write(&FieldServer { board: Some(board), ..FieldServer::example(1) });
        evidence(server.path())
    };
    let one = board("46364331-3536-3235-b600-0030d6000101");
    assert_eq!(board("31433646-3635-3532-b600-0030d6000101"), one);
    assert_eq!(board("46364331-3536-3235-B600-0030D6000101"), one);
    assert_ne!(board("46364331-3536-3235-b600-0030d6000102"), one);
}

#[test]
fn a_machine_without_parts_says_absent() {
    let (_directory, server) = write(&FieldServer { board: None, ..FieldServer::example(1) });
    for class in ["sys/class/net", "sys/block"] {
        std::fs::remove_dir_all(server.path().join(class)).unwrap();
        std::fs::create_dir(server.path().join(class)).unwrap();
    }
    std::fs::remove_file(server.path().join("etc/machine-id")).unwrap();
    let reading = collect(server.path());
    for factor in [
        Factor::ProductUuid,
        Factor::BoardSerial,
        Factor::ProductSerial,
        Factor::ChassisSerial,
        Factor::SocSerial,
        Factor::Disk,
        Factor::NetworkCard,
        Factor::MachineId,
    ] {
        assert_eq!(single(&reading, factor), Reading::Absent, "{factor:?}");
    }
}

#[test]
fn what_a_sandbox_hides_is_unreadable_and_not_absent() {
    let nothing = tempfile::tempdir().unwrap();
    let reading = collect(nothing.path());
    for read in reading.factors.iter().filter(|read| read.factor != Factor::MachineId) {
        assert!(matches!(read.reading, Reading::Unreadable(_)), "{read:?}");
    }
    assert_eq!(single(&reading, Factor::MachineId), Reading::Absent);
    assert_eq!(reading, collect("/nonexistent/landfast"));
}

#[test]
fn a_disk_without_a_serial_number_is_unreadable_and_one_with_a_shared_one_is_a_placeholder() {
    let disks = ["", "    ", "QM00001", "000000000000"].map(|serial| Disk::ata("sda", serial));
    let readings = disks.map(|disk| {
        let (_directory, server) = write(&FieldServer { disks: vec![disk], ..FieldServer::example(1) });
        single(&collect(server.path()), Factor::Disk)
    });
    assert!(matches!(readings[0], Reading::Unreadable(_)) && matches!(readings[1], Reading::Unreadable(_)));
    assert!(matches!(readings[2], Reading::Placeholder(_)) && matches!(readings[3], Reading::Placeholder(_)));

    let (_directory, server) = write(&FieldServer::example(1));
    server.write_file("sys/block/sda/device/vpd_pg80", b"\0\x83\0\x04junk").unwrap();
    let read = of(&collect(server.path()), Factor::Disk);
    assert!(
        read.iter().any(|(source, reading)| source == "sda" && matches!(reading, Reading::Unreadable(_)))
    );
}

#[test]
fn the_root_disk_is_found_below_volumes_and_raids() {
    let (_directory, server) = write(&FieldServer::example(1));
    let write = |at: &str, content: &str| server.write_file(at, content).unwrap();
    let link = |at: &str, to: &str| server.write_link(at, to).unwrap();
    // An encrypted volume on a RAID of both disks.
    write("sys/devices/virtual/block/dm-3/dm/name", "root_crypt\n");
    link("sys/block/dm-3", "sys/devices/virtual/block/dm-3");
    link("sys/dev/block/253:3", "sys/devices/virtual/block/dm-3");
    link("sys/devices/virtual/block/dm-3/slaves/md1", "sys/devices/virtual/block/md1");
    link("sys/block/md1", "sys/devices/virtual/block/md1");
    let part = |disk: &str, part: &str| {
        let whole = server.root().path().join("sys/block").join(disk).canonicalize().unwrap();
        let whole = whole.strip_prefix(server.path().canonicalize().unwrap()).unwrap().to_owned();
        link(&format!("sys/devices/virtual/block/md1/slaves/{part}"), whole.join(part).to_str().unwrap());
    };
    part("sda", "sda1");
    part("nvme0n1", "nvme0n1p1");
    for mounts in [
        "30 1 253:3 / / rw - ext4 /dev/mapper/root_crypt rw\n",
        "30 1 0:44 /@ / rw - btrfs /dev/mapper/root_crypt rw\n",
        "30 1 8:1 / / rw - ext4 /dev/old rw\n31 30 253:3 / / rw - ext4 /dev/mapper/root_crypt rw\n",
        "30 1 0:50 / / rw - overlay composefs ro\n31 30 253:3 / /sysroot rw - ext4 /dev/mapper/root_crypt rw\n",
    ] {
        write("proc/self/mountinfo", mounts);
        let reading = collect(server.path());
        assert!(is_primary(&reading, "sda") && is_primary(&reading, "nvme0n1"), "{mounts}");
    }
    for mounts in
        ["30 1 0:44 / / rw - nfs4 10.0.0.1:/root rw\n", "garbage\n", "", "30 1 99:9 / / rw - ext4 /dev/zz rw"]
    {
        write("proc/self/mountinfo", mounts);
        let reading = collect(server.path());
        assert!(!is_primary(&reading, "sda") && !is_primary(&reading, "nvme0n1"), "{mounts}");
    }
    // A volume that is made of itself.
    link("sys/devices/virtual/block/md1/slaves/dm-3", "sys/devices/virtual/block/dm-3");
    write("proc/self/mountinfo", "30 1 253:3 / / rw - ext4 /dev/mapper/root_crypt rw\n");
    assert!(is_primary(&collect(server.path()), "sda"));
}

fn virtual_machine() -> FieldServer {
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

#[test]
fn a_virtual_machine_is_known_by_its_own_id_and_not_by_its_host() {
    let (_directory, server) = write(&virtual_machine());
    let reading = collect(server.path());
    assert!(reading.virtual_machine);
    assert!(matches!(single(&reading, Factor::VirtualId), Reading::Present(_)));
    assert!(reading.factors.iter().all(|read| !matches!(read.factor.group(), Group::Board | Group::Chassis)));
    for field in ["board_serial", "product_serial", "chassis_serial"] {
        assert!(reason(&reading, field).contains("host"));
    }
    assert_eq!(single(&reading, Factor::Disk), present("virtio/vol-77aa01"));
    assert_eq!(
        single(&reading, Factor::NetworkCard),
        present("52:54:00:7a:01:02"),
        "a hypervisor's own address"
    );
    let about = Collector::of_recording(server.root()).describe();
    assert_eq!(about.virtualization, "qemu");
}

#[test]
fn a_virtio_disk_without_a_serial_number_is_unreadable() {
    let server = FieldServer { disks: vec![Disk::virtio("vda", "")], ..virtual_machine() };
    let (_directory, server) = write(&server);
    assert!(matches!(single(&collect(server.path()), Factor::Disk), Reading::Unreadable(_)));
}

#[test]
fn a_microvm_has_no_disk_of_its_own() {
    let server = FieldServer {
        board: None,
        disks: vec![Disk::virtio("vda", "overlayblk")],
        cards: vec![Card::new("eth0", "02:fc:00:00:00:01")],
        ..virtual_machine()
    };
    let (_directory, server) = write(&server);
    let reading = collect(server.path());
    assert_eq!(single(&reading, Factor::VirtualId), Reading::Absent);
    assert!(matches!(single(&reading, Factor::Disk), Reading::Placeholder(_)));
    assert_eq!(single(&reading, Factor::NetworkCard), present("02:fc:00:00:00:01"));
}

/// A machine of a cloud, virtual or whole, by what its SMBIOS says.
fn cloud(vendor: &str, product: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Recording) {
    let board = Board { vendor: vendor.into(), product: product.into(), ..Board::example(4) };
    let (directory, server) = write(&FieldServer { board: Some(board), ..virtual_machine() });
    for (field, value) in files {
        server.write_file(format!("sys/class/dmi/id/{field}"), format!("{value}\n")).unwrap();
    }
    (directory, server)
}

#[test]
fn an_instance_of_ec2_is_known_by_its_instance_id() {
    let tag = [("board_asset_tag", "i-0AB12cd34ef56ab78")];
    let (_directory, server) = cloud("Amazon EC2", "m7i.large", &tag);
    let reading = collect(server.path());
    assert!(reading.virtual_machine);
    assert_eq!(single(&reading, Factor::VirtualId), present("i-0ab12cd34ef56ab78"));
    // A whole machine: after a stop and a start the instance is on another one, and is the same instance.
    let (_directory, whole) = cloud("Amazon EC2", "m7i.metal-24xl", &tag);
    whole.write_file("proc/cpuinfo", "vendor_id : GenuineIntel\nstepping : 8\nflags : lm\n").unwrap();
    let reading = collect(whole.path());
    assert!(!reading.virtual_machine);
    assert_eq!(single(&reading, Factor::VirtualId), present("i-0ab12cd34ef56ab78"));
    assert!(
        of(&reading, Factor::BoardSerial).is_empty() && reason(&reading, "board_serial").contains("host")
    );
    // Before Nitro there was no such tag; other text there is no id.
    for tag in ["", "Amazon EC2", "i-xyz", "i-0ab12cd3g"] {
        let (_directory, server) = cloud("Amazon EC2", "m4.large", &[("board_asset_tag", tag)]);
        let reading = collect(server.path());
        assert!(reading.factors.iter().any(|read| read.source == "product_uuid"), "{tag}");
    }
    // Nobody else's tag is one.
    let (_directory, other) = cloud("QEMU", "Standard PC", &tag);
    assert!(collect(other.path()).factors.iter().any(|read| read.source == "product_uuid"));
}

#[test]
fn an_instance_id_that_cannot_be_read_is_not_replaced_by_another_id() {
    let (_directory, server) = cloud("Amazon EC2", "m7i.large", &[]);
    std::fs::create_dir(server.path().join("sys/class/dmi/id/board_asset_tag")).unwrap();
    assert!(matches!(single(&collect(server.path()), Factor::VirtualId), Reading::Unreadable(_)));
}

#[test]
fn p2_an_instance_of_azure_or_google_is_known_by_its_uuid_in_either_byte_order() {
    let azure = [("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77")];
    let google = [("product_serial", "GoogleCloud-7B1E04C29A5D4F38B6040030D6000401")];
    for (vendor, product, files) in [
        ("Microsoft Corporation", "Virtual Machine", &azure[..]),
        ("Google", "Google Compute Engine", &google[..]),
    ] {
        let (_one, one) = cloud(vendor, product, files);
        let own = single(&collect(one.path()), Factor::VirtualId);
        assert!(matches!(own, Reading::Present(_)));
        let twin = "C2041E7B-5D9A-384F-B604-0030D6000401";
        let (_other, other) = cloud(vendor, product, &[files, &[("product_uuid", twin)]].concat());
        assert_eq!(single(&collect(other.path()), Factor::VirtualId), own, "{product}");
    }
}

#[test]
fn machines_of_clouds_without_a_hypervisor_are_machines() {
    let (_directory, server) = cloud("Hetzner", "vServer", &[]);
    assert!(collect(server.path()).virtual_machine);
    server.write_file("sys/class/dmi/id/product_name", "AX41-Metal\n").unwrap();
    server.write_file("proc/cpuinfo", "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n").unwrap();
    let reading = collect(server.path());
    assert!(!reading.virtual_machine && matches!(single(&reading, Factor::BoardSerial), Reading::Present(_)));
}

#[test]
fn a_guest_of_a_mainframe_is_known_by_its_uuid_or_by_the_way_to_it() {
    let guest = |files: &str| {
        let directory = tempfile::tempdir().unwrap();
        let recording = Recording::open(directory.path());
        let machine = "Type: 2817\nSequence Code: 00000000000EAA14\nPlant: 02\nLPAR Number: 41\n";
        recording.write_file("proc/sysinfo", format!("{machine}{files}")).unwrap();
        single(&collect(directory.path()), Factor::VirtualId)
    };
    let outer = "VM01 Name: OSHIFT5\nVM01 Control Program: z/VM 6.4.0\n";
    let inner = "VM00 Name: rhel8-1\nVM00 Control Program: KVM/Linux\n";
    let uuid = "VM00 UUID: 209c8e3b-7191-4338-97a2-67685e5232be\n";
    assert_eq!(guest(&format!("{inner}{outer}")), present("2817/02/00000000000eaa14/41/oshift5/rhel8-1"));
    let by_uuid = guest(&format!("{inner}{uuid}{outer}"));
    assert!(matches!(&by_uuid, Reading::Present(id) if id.reveal().ends_with("97a2-67685e5232be")));
    assert_ne!(
        guest(inner),
        guest(&inner.replace("rhel8-1", "rhel8-2")),
        "the host's number alone is not enough"
    );
    let nameless = "VM00 Control Program: KVM/Linux\n";
    assert!(!matches!(guest(nameless), Reading::Present(_)));
}

#[test]
fn hypervisors_are_named_by_what_they_leave() {
    let named = |files: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        let recording = Recording::open(directory.path());
        for (at, content) in files {
            recording.write_file(at, content).unwrap();
        }
        Collector::of_recording(Root::new(directory.path())).describe().virtualization
    };
    let flags = "stepping : 1\nflags : lm hypervisor nx\n";
    assert_eq!(named(&[]), "none");
    assert_eq!(named(&[("proc/cpuinfo", flags)]), "hypervisor");
    assert_eq!(named(&[("proc/cpuinfo", flags), ("sys/hypervisor/type", "xen\n")]), "xen");
    let privileged =
        [("proc/cpuinfo", flags), ("sys/hypervisor/type", "xen\n"), ("proc/xen/capabilities", "control_d\n")];
    assert_eq!(named(&privileged), "none");
    let by_bit = [("sys/hypervisor/type", "xen\n"), ("sys/hypervisor/properties/features", "00000a7d\n")];
    assert_eq!(named(&by_bit), "none");
    assert_eq!(named(&[("proc/device-tree/vm,uuid", "x\0")]), "kvm");
    assert_eq!(named(&[("proc/device-tree/compatible", "linux,dummy-virt\0")]), "qemu");
    assert_eq!(named(&[("sys/class/dmi/id/sys_vendor", "VMware, Inc.\n")]), "vmware");
    let hyper_v = [
        ("sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n"),
        ("sys/class/dmi/id/product_name", "Virtual Machine\n"),
    ];
    assert_eq!(named(&hyper_v), "hyper-v");
    let surface = [
        ("sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n"),
        ("proc/cpuinfo", "stepping : 1\nflags : lm\n"),
    ];
    assert_eq!(named(&surface), "none");
    assert_eq!(named(&[("run/systemd/container", "systemd-nspawn\n")]), "none, container: systemd-nspawn");
    let overlay =
        "30 1 0:99 / / rw - overlay overlay rw,lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1/1\n";
    assert_eq!(named(&[("proc/self/mountinfo", overlay)]), "none, container: containerd");
    assert_eq!(named(&[(".dockerenv", "")]), "none, container: docker");
    let exported = [(".dockerenv", ""), ("proc/self/mountinfo", "30 1 254:0 / / rw - ext4 /dev/vda rw\n")];
    assert_eq!(named(&exported), "none", "a disk made from a container's image");
}

#[test]
fn a_container_claims_the_hosts_hardware_only_with_the_hosts_network() {
    let (_directory, server) = write(&FieldServer::example(1));
    let on_host = evidence(server.path());
    server.write_file("run/systemd/container", "docker\n").unwrap();
    assert_eq!(evidence(server.path()), on_host, "with the host's network it is the host");
    server.remove_card("eth0").unwrap();
    server.remove_card("eth1").unwrap();
    server.write_file("sys/devices/virtual/net/veth0/type", "1\n").unwrap();
    server.write_link("sys/class/net/eth0", "sys/devices/virtual/net/veth0").unwrap();
    let reading = collect(server.path());
    for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial] {
        assert!(matches!(single(&reading, factor), Reading::Unreadable(_)), "{factor:?}");
    }
    assert!(of(&reading, Factor::Disk).iter().all(|(_, disk)| matches!(disk, Reading::Unreadable(_))));
    assert_eq!(single(&reading, Factor::NetworkCard), Reading::Absent);
}

#[test]
fn p2_a_soc_that_was_enrolled_counts_also_when_the_board_cannot_be_read() {
    let text = || "To be filled by O.E.M.".to_owned();
    let board =
        Board { uuid: "0".repeat(32), board_serial: text(), product_serial: text(), ..Board::example(1) };
    let (_directory, server) = write(&FieldServer { board: Some(board), ..FieldServer::example(1) });
    server.write_file("proc/device-tree/serial-number", "10000000A1B2C3D4\0").unwrap();
    let enrolled = evidence(server.path());
    for field in ["product_uuid", "board_serial", "product_serial"] {
        let place = server.path().join("sys/class/dmi/id").join(field);
        std::fs::remove_file(&place).unwrap();
        std::fs::create_dir(&place).unwrap();
    }
    let now = evidence(server.path());
    assert_eq!(kept(&enrolled, &now, Factor::SocSerial), (1, 1));
}

#[test]
fn p2_a_guest_does_not_become_a_machine_because_something_cannot_be_read() {
    let (_directory, server) = write(&virtual_machine());
    let hide = |at: &str| {
        std::fs::remove_file(server.path().join(at)).unwrap();
        std::fs::create_dir(server.path().join(at)).unwrap();
    };
    for at in ["proc/cpuinfo", "sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name"] {
        hide(at);
    }
    assert!(collect(server.path()).virtual_machine, "its board still says so");
    hide("sys/class/dmi/id/board_vendor");
    let reading = collect(server.path());
    assert!(!reading.virtual_machine);
    assert!(matches!(single(&reading, Factor::VirtualId), Reading::Unreadable(_)), "it may still be there");
}

#[test]
fn a_board_without_smbios_is_known_by_its_soc() {
    let soc = |files: &[(&str, &str)]| {
        let (_directory, server) = write(&FieldServer { board: None, ..FieldServer::example(1) });
        for (at, content) in files {
            server.write_file(at, content).unwrap();
        }
        single(&collect(server.path()), Factor::SocSerial)
    };
    assert_eq!(soc(&[]), Reading::Absent);
    assert_eq!(soc(&[("proc/device-tree/serial-number", "10000000A1B2C3D4\0")]), present("10000000a1b2c3d4"));
    assert_eq!(soc(&[("sys/devices/soc0/serial_number", "ABCD\n")]), present("abcd"));
    assert_eq!(soc(&[("proc/cpuinfo", "Serial\t\t: 00000000DEADBEE1\n")]), present("00000000deadbee1"));
    assert!(matches!(soc(&[("proc/cpuinfo", "Serial\t\t: 0000000000000000\n")]), Reading::Placeholder(_)));
    assert!(matches!(
        soc(&[("proc/device-tree/serial-number", "c3d9b8674f4b94f6\0")]),
        Reading::Placeholder(_)
    ));
    let soldered = [
        ("proc/cpuinfo", "Serial\t\t: 0000000000000000\n"),
        ("sys/block/mmcblk0/device/type", "MMC\n"),
        ("sys/block/mmcblk0/device/cid", "1501004247344533\n"),
    ];
    assert_eq!(soc(&soldered), present("1501004247344533"));
    let card = [("sys/block/mmcblk0/device/type", "SD\n"), ("sys/block/mmcblk0/device/cid", "0353445344\n")];
    assert_eq!(soc(&card), Reading::Absent);

    let (_directory, server) = write(&FieldServer::example(1));
    server.write_file("proc/device-tree/serial-number", "10000000A1B2C3D4\0").unwrap();
    let filled_in = "To be filled by O.E.M.".to_owned();
    let board = Board {
        board_serial: filled_in.clone(),
        product_serial: filled_in,
        uuid: "0".repeat(32),
        ..Board::example(1)
    };
    let (_unsaid, unsaid) = write(&FieldServer { board: Some(board), ..FieldServer::example(1) });
    unsaid.write_file("proc/device-tree/serial-number", "10000000A1B2C3D4\0").unwrap();
    assert_eq!(single(&collect(unsaid.path()), Factor::SocSerial), present("10000000a1b2c3d4"));
    assert!(of(&collect(server.path()), Factor::SocSerial).is_empty(), "the board has an identity already");
}
