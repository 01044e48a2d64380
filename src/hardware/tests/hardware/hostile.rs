//! Files of `/sys` that are not what they should be: each is named with its reason, nothing is read without end, and no
//! binding breaks by it.

use crate::common::{collect, evidence};
use landfast_hardware::fixture::{Disk, FieldServer, Recording};
use landfast_protocol::binding::{BindingPolicy, Verdict, compare};
use landfast_protocol::reading::{HardwareReading, Reading};
use std::path::Path;

/// Files without which something of a server cannot be told, and what each may hold at most.
const FILES: [(&str, usize); 14] = [
    ("sys/class/dmi/id/product_uuid", 4096),
    ("sys/class/dmi/id/board_serial", 4096),
    ("sys/class/dmi/id/product_serial", 4096),
    ("sys/class/dmi/id/chassis_serial", 4096),
    ("sys/block/sda/device/vpd_pg80", 4096),
    ("sys/block/sda/device/model", 4096),
    ("sys/block/sda/device/type", 4096),
    ("sys/block/sda/removable", 4096),
    ("sys/block/nvme0n1/device/serial", 4096),
    ("sys/class/net/eth0/permanent_address", 4096),
    ("sys/class/net/eth0/type", 4096),
    ("sys/class/net/eth1/permanent_address", 4096),
    ("proc/cpuinfo", 64 * 1024),
    ("etc/machine-id", 4096),
];

/// What stands in place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    Directory,
    Pipe,
    Socket,
    Circle,
    Megabyte,
}

const ODD: [(Odd, &str); 5] = [
    (Odd::Directory, "it is a directory where a file should be"),
    (Odd::Pipe, "it is a pipe where a file should be"),
    (Odd::Socket, "it is a socket where a file should be"),
    (Odd::Circle, "its links lead in a circle"),
    (Odd::Megabyte, "is longer than"),
];

impl Odd {
    fn put(self, server: &Recording, at: &str) {
        let place = server.path().join(at);
        let _ = std::fs::remove_file(&place);
        match self {
            Self::Directory => std::fs::create_dir(&place).unwrap(),
            Self::Pipe => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(rustix::fs::CWD, &place, rustix::fs::FileType::Fifo, mode, 0).unwrap();
            }
            Self::Socket => socket(&place),
            Self::Circle => std::os::unix::fs::symlink(place.file_name().unwrap(), &place).unwrap(),
            Self::Megabyte => server.write_file(at, vec![b'7'; 1 << 20]).unwrap(),
        }
    }
}

/// Bound where its name is short enough for a socket, then put in place.
fn socket(place: &Path) {
    let aside = tempfile::tempdir().unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(aside.path().join("s")).unwrap();
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        place,
        rustix::fs::FileType::Socket,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    );
    made.unwrap();
}

fn reasons(reading: &HardwareReading) -> Vec<String> {
    let reason = |read: &landfast_protocol::reading::FactorReading| match &read.reading {
        Reading::Unreadable(reason) => Some(reason.clone()),
        _ => None,
    };
    reading.factors.iter().filter_map(reason).collect()
}

fn verdict(enrolled: &landfast_protocol::evidence::Evidence, server: &Recording) -> Verdict {
    compare(enrolled, &evidence(server.path()), &BindingPolicy::default()).verdict
}

#[test]
fn p2_a_file_that_is_none_is_named_with_the_reason_and_what_follows() {
    for (at, _) in FILES {
        for (odd, why) in ODD {
            let directory = tempfile::tempdir().unwrap();
            let server = FieldServer::example(1).write(directory.path()).unwrap();
            let enrolled = evidence(server.path());
            odd.put(&server, at);
            let reasons = reasons(&collect(server.path()));
            let name = Path::new(at).file_name().unwrap().to_str().unwrap();
            let told = |reason: &&String| {
                reason.starts_with('/')
                    && reason.contains(name)
                    && reason.contains(why)
                    && reason.contains("counts neither for nor against this machine")
            };
            // Without the list of processors it is also unknown whether this is a virtual machine.
            assert!(
                !reasons.is_empty() && reasons.iter().all(|reason| told(&reason)),
                "{at} {odd:?}: {reasons:?}"
            );
            assert_eq!(verdict(&enrolled, &server), Verdict::Bound, "{at} {odd:?}");
        }
    }
}

#[test]
fn p2_nothing_but_odd_files_is_no_verdict_and_never_broken() {
    for (odd, _) in ODD {
        let directory = tempfile::tempdir().unwrap();
        let server = FieldServer::example(1).write(directory.path()).unwrap();
        let enrolled = evidence(server.path());
        for (at, _) in FILES {
            odd.put(&server, at);
        }
        assert_eq!(verdict(&enrolled, &server), Verdict::Indeterminate, "{odd:?}");
        assert!(!BindingPolicy::default().can_enrol(&evidence(server.path())));
    }
}

#[test]
fn p2_a_whole_class_that_is_no_directory_is_named() {
    for class in ["sys/class/net", "sys/block", "sys/class/dmi/id"] {
        let directory = tempfile::tempdir().unwrap();
        let server = FieldServer::example(1).write(directory.path()).unwrap();
        let enrolled = evidence(server.path());
        let place = server.path().join(class);
        match place.symlink_metadata().unwrap().is_symlink() {
            true => std::fs::remove_file(&place).unwrap(),
            false => std::fs::remove_dir_all(&place).unwrap(),
        }
        std::os::unix::fs::symlink(place.file_name().unwrap(), &place).unwrap();
        let reasons = reasons(&collect(server.path()));
        assert!(
            reasons.iter().any(|reason| reason.starts_with(&format!("/{class}"))),
            "{class}: {reasons:?}"
        );
        assert_eq!(verdict(&enrolled, &server), Verdict::Bound, "{class}");
    }
}

#[test]
fn endless_devices_behind_links_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    for (at, _) in FILES {
        let place = server.path().join(at);
        std::fs::remove_file(&place).unwrap();
        // Absolute, and climbing far enough to reach this machine's own.
        let up = "../".repeat(40);
        let target = if at.len() % 2 == 0 { "/dev/zero".to_owned() } else { format!("{up}dev/zero") };
        std::os::unix::fs::symlink(target, place).unwrap();
    }
    // What is left is a card whose address in use the recording holds too.
    let present =
        collect(server.path()).factors.into_iter().filter(|read| matches!(read.reading, Reading::Present(_)));
    assert_eq!(present.map(|read| read.source).collect::<Vec<_>>(), ["eth1"]);
}

#[test]
fn bytes_that_are_no_text_are_one_value_and_no_trouble() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    server.write_file("sys/class/dmi/id/board_serial", b"\xff\xfe7N\x80\n").unwrap();
    server.write_file("sys/class/dmi/id/sys_vendor", b"\xc3\x28\n").unwrap();
    server.write_file("proc/self/mountinfo", b"\xff\xff - \xff \xff\n").unwrap();
    let once = evidence(server.path());
    assert_eq!(once, evidence(server.path()));
    assert_eq!(reasons(&collect(server.path())), [""; 0]);
    server.write_file("etc/machine-id", [0xff; 33]).unwrap();
    let reasons = reasons(&collect(server.path()));
    assert!(reasons[0].starts_with("/etc/machine-id: it does not hold 32"), "{reasons:?}");
}

#[test]
fn values_without_the_form_that_they_must_have_are_named() {
    for (at, content, why) in [
        ("sys/class/dmi/id/product_uuid", "gibberish\n", "it does not hold a UUID"),
        ("sys/class/dmi/id/board_serial", "", "it is empty, without even a line end"),
        ("sys/block/sda/device/vpd_pg80", "junk", "it has not the form of a page of serial numbers"),
        ("sys/block/sda/device/vpd_pg80", "\0", "it has not the form of a page of serial numbers"),
        ("sys/class/net/eth0/permanent_address", "00:30\n", "it does not have the form of a MAC address"),
        ("etc/machine-id", "localhost\n", "it does not hold 32 hexadecimal digits"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let server = FieldServer::example(1).write(directory.path()).unwrap();
        let enrolled = evidence(server.path());
        server.write_file(at, content).unwrap();
        let reasons = reasons(&collect(server.path()));
        assert!(reasons.len() == 1 && reasons[0].contains(why), "{at}: {reasons:?}");
        assert_eq!(verdict(&enrolled, &server), Verdict::Bound, "{at}");
    }
}

#[test]
fn p2_a_page_that_says_more_than_it_has_is_read_as_far_as_it_goes() {
    let directory = tempfile::tempdir().unwrap();
    let disks = vec![Disk::ata("sda", "SHORT01")];
    let server = FieldServer { disks, ..FieldServer::example(1) }.write(directory.path()).unwrap();
    let enrolled = evidence(server.path());
    let mut page = b"\0\x80\xff\xff".to_vec();
    page.extend(format!("{:>20}", "SHORT01").as_bytes());
    server.write_file("sys/block/sda/device/vpd_pg80", page).unwrap();
    assert_eq!(evidence(server.path()), enrolled);
}

#[test]
fn p1_thousands_of_cards_and_disks_are_bounded_and_said() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    let link = |at: String, to: String| {
        std::os::unix::fs::symlink(Path::new("/").join(to), server.path().join(at)).unwrap();
    };
    // All names stand behind the real ones, and all lead to one place.
    server.write_file("sys/devices/pci9/net/x/type", "1\n").unwrap();
    server.write_link("sys/devices/pci9/net/x/device", "sys/devices/pci9").unwrap();
    server.write_file("sys/devices/pci9/serial", "MANY0001\n").unwrap();
    server.write_link("sys/devices/pci9/block/x/device", "sys/devices/pci9").unwrap();
    server.write_file("sys/devices/pci9/block/x/removable", "0\n").unwrap();
    for number in 0..4200 {
        link(format!("sys/class/net/many{number}"), "sys/devices/pci9/net/x".to_owned());
        link(format!("sys/block/x{number}"), "sys/devices/pci9/block/x".to_owned());
    }
    let reading = collect(server.path());
    assert!(reading.factors.len() < 5000 && reading.ignored.len() < 300);
    assert!(
        reading.ignored.iter().any(|ignored| ignored.reason.contains("more")),
        "{:?}",
        reading.ignored.last()
    );
    let evidence = evidence(server.path());
    assert!(evidence.factors.len() <= 64);
    assert!(evidence.present(landfast_protocol::evidence::Factor::NetworkCard).count() >= 2);
}
