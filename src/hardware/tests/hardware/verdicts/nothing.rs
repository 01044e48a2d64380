//! Nothing that matters changed: bound.

use super::{becomes, expect, new_cards, new_disk, one_disk, server, unchanged, virtual_interface};
use landfast_hardware::fixture::{Board, Disk, FieldServer, Recording};
use landfast_protocol::binding::Verdict;

/// A device below a USB port.
fn usb_card(server: &Recording, name: &str, mac: &str) {
    let place = "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0";
    for (file, content) in [("type", "1"), ("address", mac), ("permanent_address", mac)] {
        server.write_file(format!("{place}/net/{name}/{file}"), format!("{content}\n")).unwrap();
    }
    server.write_file("sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/removable", "removable\n").unwrap();
    server.write_link(format!("{place}/net/{name}/device"), place).unwrap();
    server.write_link(format!("sys/class/net/{name}"), format!("{place}/net/{name}")).unwrap();
}

fn usb_stick(server: &Recording, name: &str) {
    let place = "sys/devices/pci0000:00/0000:00:14.0/usb2/2-2/2-2:1.0/host9/target9:0:0/9:0:0:0";
    server.write_file(format!("{place}/serial"), "STICK01\n").unwrap();
    server.write_file(format!("{place}/block/{name}/removable"), "1\n").unwrap();
    server.write_link(format!("{place}/block/{name}/device"), place).unwrap();
    server.write_link(format!("sys/block/{name}"), format!("{place}/block/{name}")).unwrap();
}

#[test]
fn p1_interface_renamed() {
    unchanged(&server(), |server| {
        let class = server.path().join("sys/class/net");
        std::fs::rename(class.join("eth0"), class.join("lan0")).unwrap();
    });
}

#[test]
fn p1_enumeration_reversed() {
    let reversed = |mut server: FieldServer| {
        server.disks = vec![Disk::ata("sdb", "ROOT0001"), Disk::ata("sda", "DATA0001")];
        server.cards.reverse();
        for (number, card) in server.cards.iter_mut().enumerate() {
            card.name = format!("eth{number}");
        }
        server
    };
    let disks = vec![Disk::ata("sda", "ROOT0001"), Disk::ata("sdb", "DATA0001")];
    becomes(Verdict::Bound, &FieldServer { disks, ..server() }, &reversed(server()));
}

#[test]
fn p1_docker0_added() {
    unchanged(&server(), |server| virtual_interface(server, "docker0", "bridge"));
}

#[test]
fn p1_veth_added() {
    unchanged(&server(), |server| virtual_interface(server, "veth1a2b3c", "veth"));
}

#[test]
fn p1_bridge_added() {
    unchanged(&server(), |server| virtual_interface(server, "br0", "bridge"));
}

#[test]
fn p1_vpn_added() {
    unchanged(&server(), |server| virtual_interface(server, "wg0", "wireguard"));
}

#[test]
fn p1_bond_added() {
    unchanged(&server(), |server| {
        virtual_interface(server, "bond0", "bond");
        for card in ["eth0", "eth1"] {
            server.write_file(format!("sys/class/net/{card}/address"), "00:30:d6:00:01:01\n").unwrap();
            server.write_file(format!("sys/class/net/{card}/addr_assign_type"), "3\n").unwrap();
            server
                .write_link(format!("sys/class/net/{card}/master"), "sys/devices/virtual/net/bond0")
                .unwrap();
        }
    });
}

#[test]
fn p1_mac_spoofed() {
    unchanged(&server(), |server| {
        server.write_file("sys/class/net/eth0/address", "00:30:d6:de:ad:01\n").unwrap();
        server.write_file("sys/class/net/eth0/addr_assign_type", "3\n").unwrap();
    });
}

#[test]
fn p1_usb_dock_on_and_off() {
    unchanged(&server(), |server| usb_card(server, "enxdock", "00:30:d6:00:01:01"));
    unchanged(&server(), |server| {
        usb_card(server, "enxdock", "00:30:d6:00:01:01");
        server.remove_card("enxdock").unwrap();
    });
}

#[test]
fn p1_usb_stick_on_and_off() {
    unchanged(&server(), |server| usb_stick(server, "sdb"));
    unchanged(&server(), |server| {
        usb_stick(server, "sdb");
        server.remove_disk("sdb").unwrap();
    });
}

#[test]
fn p3_ram_replaced() {
    unchanged(&server(), |server| {
        server.write_file("proc/meminfo", "MemTotal:        2010164 kB\nMemFree:   1 kB\n").unwrap();
    });
}

#[test]
fn p3_gpu_replaced() {
    unchanged(&server(), |server| {
        let gpu = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";
        server.write_file(format!("{gpu}/class"), "0x030000\n").unwrap();
        server.write_file(format!("{gpu}/vendor"), "0x10de\n").unwrap();
    });
}

#[test]
fn p3_cpu_replaced() {
    expect(Verdict::Bound, &server(), |server| {
        let other = "vendor_id : GenuineIntel\ncpu family : 6\nmodel : 151\nstepping : 5\nflags : lm\n";
        server.write_file("proc/cpuinfo", other).unwrap();
    });
}

#[test]
fn p1_one_nic_of_two_removed() {
    expect(Verdict::Bound, &server(), |server| server.remove_card("eth1").unwrap());
}

#[test]
fn p1_only_the_nic_replaced() {
    expect(Verdict::Bound, &server(), new_cards);
    expect(Verdict::Bound, &one_disk(), new_cards);
}

#[test]
fn p1_boot_disk_cloned_to_a_new_disk() {
    expect(Verdict::Bound, &server(), new_disk);
    expect(Verdict::Bound, &one_disk(), new_disk);
}

#[test]
fn p2_uuid_in_upper_case_or_byte_swapped() {
    let own = || Board { uuid: "46364331-3536-3235-b600-0030d6000101".into(), ..Board::example(1) };
    let server = FieldServer { board: Some(own()), ..server() };
    for uuid in ["46364331-3536-3235-B600-0030D6000101", "31433646-3635-3532-b600-0030d6000101"] {
        unchanged(&server, |server| server.swap_board(&Board { uuid: uuid.into(), ..own() }).unwrap());
    }
}
