//! P1: what comes and goes on a machine without changing it does not change its fingerprint.

use crate::common::{collect, evidence, reason, values};
use landfast_hardware::fixture::{Card, Disk, FieldServer, Recording};
use landfast_protocol::evidence::Factor;
use std::path::Path;

/// A server and what an issuer would get from it.
struct Bench {
    _directory: tempfile::TempDir,
    server: Recording,
    before: landfast_protocol::evidence::Evidence,
}

impl Bench {
    fn new() -> Self {
        Self::of(&FieldServer::example(1))
    }

    fn of(server: &FieldServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = server.write(directory.path()).unwrap();
        let before = evidence(server.path());
        Self { _directory: directory, server, before }
    }

    fn file(&self, at: &str, content: &str) {
        self.server.write_file(at, content).unwrap();
    }

    fn link(&self, at: &str, to: &str) {
        self.server.write_link(at, to).unwrap();
    }

    /// An interface below `place`, with a device of its own unless it is virtual.
    fn interface(&self, name: &str, place: &str, mac: &str) {
        for (file, content) in
            [("type", "1"), ("address", mac), ("permanent_address", mac), ("addr_assign_type", "0")]
        {
            self.file(&format!("{place}/net/{name}/{file}"), &format!("{content}\n"));
        }
        if !place.starts_with("sys/devices/virtual") {
            self.link(&format!("{place}/net/{name}/device"), place);
        }
        self.link(&format!("sys/class/net/{name}"), &format!("{place}/net/{name}"));
    }

    /// A disk at `place`, with a serial number.
    fn disk(&self, name: &str, place: &str, files: &[(&str, &str)]) {
        self.file(&format!("{place}/block/{name}/removable"), "0\n");
        self.file(&format!("{place}/model"), "Other Disk\n");
        self.file(&format!("{place}/serial"), &format!("SN-{name}\n"));
        self.link(&format!("{place}/block/{name}/device"), place);
        for (file, content) in files {
            self.file(&format!("{place}/{file}"), &format!("{content}\n"));
        }
        self.link(&format!("sys/block/{name}"), &format!("{place}/block/{name}"));
    }

    fn nothing_changed(&self) {
        assert_eq!(evidence(self.server.path()), self.before);
    }

    fn ignored(&self, source: &str) -> String {
        reason(&collect(self.server.path()), source).to_owned()
    }
}

#[test]
fn p1_virtual_interfaces_change_nothing() {
    let bench = Bench::new();
    for (name, kind) in [
        ("docker0", "bridge"),
        ("br0", "bridge"),
        ("bond0", "bond"),
        ("eth0.10", "vlan"),
        ("wg0", "wireguard"),
    ] {
        bench.interface(name, "sys/devices/virtual", "02:42:0a:00:00:01");
        bench.file(
            &format!("sys/devices/virtual/net/{name}/uevent"),
            &format!("DEVTYPE={kind}\nINTERFACE={name}\n"),
        );
    }
    for name in ["veth1a2b3c", "tun0", "dummy0"] {
        bench.interface(name, "sys/devices/virtual", "00:30:d6:ff:ff:01");
    }
    bench.file("sys/class/net/bonding_masters", "bond0\n");
    bench.nothing_changed();
    assert_eq!(bench.ignored("docker0"), "it is a virtual interface (bridge)");
    assert_eq!(bench.ignored("veth1a2b3c"), "it is a virtual interface");
}

#[test]
fn p1_a_bond_that_takes_over_the_cards_changes_nothing() {
    let bench = Bench::new();
    let bond = "00:30:d6:00:01:01\n";
    bench.interface("bond0", "sys/devices/virtual", bond.trim());
    for card in ["eth0", "eth1"] {
        // Both now use the bond's address; the kernel still knows their own.
        bench.file(&format!("sys/class/net/{card}/address"), bond);
        bench.file(&format!("sys/class/net/{card}/addr_assign_type"), "3\n");
        bench.link(&format!("sys/class/net/{card}/master"), "sys/devices/virtual/net/bond0");
    }
    bench.nothing_changed();
}

#[test]
fn p1_a_spoofed_address_changes_nothing() {
    let bench = Bench::new();
    bench.file("sys/class/net/eth0/address", "00:30:d6:de:ad:01\n");
    bench.file("sys/class/net/eth0/addr_assign_type", "3\n");
    bench.nothing_changed();
}

#[test]
fn p1_renamed_interfaces_and_another_order_change_nothing() {
    let bench = Bench::new();
    std::fs::rename(
        bench.server.path().join("sys/class/net/eth0"),
        bench.server.path().join("sys/class/net/lan0"),
    )
    .unwrap();
    bench.nothing_changed();

    let server = FieldServer::example(1);
    let [Card { mac: first, .. }, Card { mac: second, .. }] = &server.cards[..] else { panic!() };
    let cards = vec![Card::new("eth0", second), Card::new("eth1", first)];
    let swapped = Bench::of(&FieldServer { cards, ..server });
    assert_eq!(swapped.before, bench.before);
}

#[test]
fn p1_disks_in_another_order_change_nothing_but_the_letter() {
    let disks = |first: &str, second: &str| {
        // The root file system stays on the same disk, whatever it is called.
        let disks = vec![Disk::ata(first, "ROOT0001"), Disk::ata(second, "DATA0002")];
        Bench::of(&FieldServer { disks, ..FieldServer::example(1) })
    };
    assert_eq!(disks("sda", "sdb").before, disks("sdb", "sda").before);
}

#[test]
fn p1_a_dock_changes_nothing() {
    let bench = Bench::new();
    // The dock's hub and its network card, which is fixed to the hub and repeats the host's address.
    let dock = "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1";
    bench.file(&format!("{dock}/removable"), "removable\n");
    bench.file(&format!("{dock}/2-1.4/removable"), "fixed\n");
    bench.interface("enxdock", &format!("{dock}/2-1.4/2-1.4:1.0"), "00:30:d6:00:01:01");
    bench.interface(
        "enxunknown",
        "sys/devices/pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0",
        "00:30:d6:77:77:77",
    );
    // A Thunderbolt dock's card is on PCI.
    let thunderbolt = "sys/devices/pci0000:00/0000:00:07.0/0000:04:00.0";
    bench.file(&format!("{thunderbolt}/removable"), "removable\n");
    bench.interface("enptb", &format!("{thunderbolt}/0000:05:00.0"), "00:30:d6:77:77:78");
    bench.disk("sdtb", &format!("{thunderbolt}/0000:06:00.0/ata9"), &[]);
    bench.disk("sdu", "sys/devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/host8/8:0:0:0", &[("type", "0")]);
    bench.nothing_changed();
    assert!(bench.ignored("enxdock").contains("USB") && bench.ignored("sdu").contains("USB"));
    assert!(bench.ignored("enptb").contains("plugged in") && bench.ignored("sdtb").contains("plugged in"));
}

#[test]
fn a_card_that_is_built_in_on_usb_counts() {
    let bench = Bench::new();
    // A Raspberry Pi 3: hub and card are on the board, which its device tree says.
    let hub = "sys/devices/platform/soc/3f980000.usb/usb1/1-1";
    bench.file("sys/firmware/devicetree/base/soc/usb/usb1@1/name", "usb1\0");
    bench.link(&format!("{hub}/of_node"), "sys/firmware/devicetree/base/soc/usb/usb1@1");
    bench.link(&format!("{hub}/1-1.1/of_node"), "sys/firmware/devicetree/base/soc/usb/usb1@1");
    bench.interface("lan", &format!("{hub}/1-1.1/1-1.1:1.0"), "b8:27:eb:00:00:01");
    // A board whose firmware marks the port as hard-wired.
    bench.file("sys/devices/pci0000:00/0000:00:14.0/usb3/3-1/removable", "fixed\n");
    bench.interface("wired", "sys/devices/pci0000:00/0000:00:14.0/usb3/3-1/3-1:1.0", "b8:27:eb:00:00:02");
    let cards = values(&collect(bench.server.path()), Factor::NetworkCard);
    assert!(cards.contains("b8:27:eb:00:00:01") && cards.contains("b8:27:eb:00:00:02"), "{cards:?}");
}

#[test]
fn p1_interfaces_that_are_no_cards_of_the_machine_change_nothing() {
    let bench = Bench::new();
    let pci = "sys/devices/pci0000:00/0000:00:1e.0";
    bench.interface("vf", &format!("{pci}/0000:09:10.0"), "00:30:d6:66:66:01");
    bench.link(&format!("{pci}/0000:09:10.0/physfn"), pci);
    bench.interface("ib0", &format!("{pci}/0000:0a:00.0"), "00:30:d6:66:66:02");
    bench.file("sys/class/net/ib0/type", "32\n");
    bench.interface("random", &format!("{pci}/0000:0b:00.0"), "00:30:d6:66:66:03");
    std::fs::remove_file(bench.server.path().join("sys/class/net/random/permanent_address")).unwrap();
    bench.file("sys/class/net/random/addr_assign_type", "1\n");
    bench.interface("local", &format!("{pci}/0000:0c:00.0"), "02:30:d6:66:66:04");
    bench.interface("multicast", &format!("{pci}/0000:0d:00.0"), "01:30:d6:66:66:05");
    bench.interface("port2", &format!("{pci}/0000:0e:00.0"), "00:30:d6:00:01:01");
    bench.nothing_changed();
    for (source, words) in [
        ("vf", "virtual function"),
        ("ib0", "not Ethernet"),
        ("random", "no permanent address"),
        ("local", "locally administered"),
        ("multicast", "multicast"),
        ("port2", "the address of eth0"),
    ] {
        assert!(bench.ignored(source).contains(words), "{source}: {}", bench.ignored(source));
    }
}

#[test]
fn p1_an_interface_without_hardware_or_address_changes_nothing() {
    let bench = Bench::new();
    // Below a real device, but with none of its own: a modem's data channel, a switch's tap.
    let place = "sys/devices/pci0000:00/0000:00:1e.0/net/tap";
    bench.file(&format!("{place}/type"), "1\n");
    bench.file(&format!("{place}/permanent_address"), "00:30:d6:66:66:09\n");
    bench.link("sys/class/net/tap", place);
    bench.interface("untyped", "sys/devices/pci0000:00/0000:00:1e.1", "00:30:d6:66:66:0a");
    std::fs::remove_file(bench.server.path().join("sys/class/net/untyped/type")).unwrap();
    bench.nothing_changed();
    assert_eq!(bench.ignored("tap"), "there is no hardware behind it");
    assert_eq!(bench.ignored("untyped"), "its type is not known");
    // A card whose permanent address is all zeros is there, and tells nothing.
    bench.interface("zero", "sys/devices/pci0000:00/0000:00:1e.2", "00:00:00:00:00:00");
    let cards = |found: &landfast_protocol::evidence::Evidence| found.present(Factor::NetworkCard).count();
    assert_eq!(cards(&evidence(bench.server.path())), cards(&bench.before));
}

#[test]
fn names_prove_nothing() {
    // A card that somebody calls docker0, and a bridge that somebody calls eth7.
    let bench = Bench::new();
    bench.interface("docker0", "sys/devices/pci0000:00/0000:00:1e.3", "00:30:d6:66:66:0b");
    bench.interface("eth7", "sys/devices/virtual", "00:30:d6:66:66:0c");
    let cards = values(&collect(bench.server.path()), Factor::NetworkCard);
    assert!(cards.contains("00:30:d6:66:66:0b") && !cards.contains("00:30:d6:66:66:0c"));
}

#[test]
fn a_volume_of_a_raid_controller_is_a_disk_by_the_id_of_the_volume() {
    let bench = Bench::new();
    let place = "sys/devices/pci0000:00/0000:03:00.0/host0/target0:2:0/0:2:0:0";
    bench.disk("sdx", place, &[("type", "0"), ("model", "PERC H730")]);
    let volume = "00b5a5e9f4e5c9a12700fb1e2ca06b86";
    let page = [b"\0\x80\0\x20".as_slice(), volume.as_bytes()].concat();
    bench.server.write_file(format!("{place}/vpd_pg80"), page).unwrap();
    let disks = values(&collect(bench.server.path()), Factor::Disk);
    assert!(disks.contains(&format!("perc h730/{volume}")), "{disks:?}");
}

#[test]
fn p1_disks_that_are_not_fixed_change_nothing() {
    let bench = Bench::new();
    for (name, words) in [
        ("loop0", "file"),
        ("ram0", "RAM disk"),
        ("zram0", "memory"),
        ("dm-0", "volume"),
        ("md127", "RAID"),
        ("nbd0", "network"),
        ("mtdblock0", "flash"),
        ("bcache0", "cache"),
        ("zd0", "volume"),
        ("nullb0", "virtual"),
    ] {
        bench.disk(name, "sys/devices/virtual", &[]);
        assert!(bench.ignored(name).contains(words), "{name}: {}", bench.ignored(name));
    }
    let pci = "sys/devices/pci0000:00/0000:00:1f.0";
    for (name, place, files, words) in [
        ("sr0", "ata1/host1", &[("type", "5")][..], "optical"),
        ("fd0", "floppy.0", &[], "floppy"),
        ("rbd0", "rbd/0", &[], "network"),
        ("sdr", "ata2/host2", &[("block/sdr/removable", "1")], "removable"),
        ("sdt", "ata3/host3", &[("type", "1")], "SCSI type 1"),
        ("sdx", "ata4/host4", &[("model", "scsi_debug")], "simulated"),
        ("sdv", "ata5/host5", &[("vendor", "iDRAC"), ("model", "LCDRIVE")], "management controller"),
        ("sdi", "host6/session2/target6:0:0", &[("type", "0")], "network"),
        ("sdf", "host7/rport-7:0-1/target7:0:0", &[("type", "0")], "network"),
        ("mmcblk1", "mmc1/mmc1:0001", &[("type", "SD"), ("cid", "0353445344")], "memory card"),
        ("mmcblk0boot0", "mmc0/mmc0:0001", &[("type", "MMC"), ("cid", "1501004247")], "boot area"),
        ("mmcblk0rpmb", "mmc0/mmc0:0001", &[("type", "MMC"), ("cid", "1501004247")], "boot area"),
        ("mmcblk2", "mmc2/mmc2:0001", &[("cid", "0353445345")], "may be a memory card"),
        ("nvme1c0n1", "nvme/nvme1", &[("block/nvme1c0n1/hidden", "1")], "several ways"),
    ] {
        bench.disk(name, &format!("{pci}/{place}"), files);
        assert!(bench.ignored(name).contains(words), "{name}: {}", bench.ignored(name));
    }
    bench.disk("nvme9n1", "sys/devices/virtual/nvme-fabrics/ctl/nvme9", &[]);
    assert!(bench.ignored("nvme9n1").contains("network"));
    bench.nothing_changed();
}

#[test]
fn disks_that_only_look_virtual_count() {
    let bench = Bench::new();
    // The head of an NVMe disk with two ports, and one that is reached over the network.
    for (subsystem, transport) in [("nvme-subsys3", "pcie"), ("nvme-subsys4", "tcp")] {
        let place = format!("sys/devices/virtual/nvme-subsystem/{subsystem}");
        let name = subsystem.replace("nvme-subsys", "nvme") + "n1";
        bench.file(&format!("{place}/model"), "Dual Port\n");
        bench.file(&format!("{place}/serial"), &format!("DP-{name}\n"));
        bench.file(&format!("sys/devices/pci0000:00/{name}/transport"), &format!("{transport}\n"));
        bench.link(&format!("{place}/nvme3"), &format!("sys/devices/pci0000:00/{name}"));
        bench.file(&format!("{place}/{name}/removable"), "0\n");
        bench.link(&format!("{place}/{name}/device"), &place);
        bench.link(&format!("sys/block/{name}"), &format!("{place}/{name}"));
    }
    bench.disk("mmcblk0", "sys/devices/platform/mmc0/mmc0:0001", &[("type", "MMC"), ("cid", "150100AB42")]);
    let reading = collect(bench.server.path());
    let disks = values(&reading, Factor::Disk);
    assert!(disks.contains("dual port/dp-nvme3n1") && disks.contains("mmc/150100ab42"), "{disks:?}");
    assert!(reason(&reading, "nvme4n1").contains("network"));
}

#[test]
fn p1_a_host_of_a_thousand_containers_changes_nothing() {
    let bench = Bench::new();
    let at = |path: String| bench.server.path().join(path);
    for number in 0..1000 {
        // Named so that they come before and after the real cards.
        let name = format!("{}veth{number}", if number % 2 == 0 { "a" } else { "z" });
        std::fs::create_dir_all(at(format!("sys/devices/virtual/net/{name}"))).unwrap();
        let target = Path::new("../../devices/virtual/net").join(&name);
        std::os::unix::fs::symlink(target, at(format!("sys/class/net/{name}"))).unwrap();
    }
    bench.nothing_changed();
    assert!(collect(bench.server.path()).ignored.len() < 300);
}
