//! What holds for every machine.

use crate::common::{collect, evidence, of, single};
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_hardware::{Collector, Root};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::Reading;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::path::PathBuf;

/// Fillers as vendors wrote them, before trimming and lower-casing.
const FILLERS: [&str; 16] = [
    "To Be Filled By O.E.M.",
    "Default string",
    "Not Specified",
    "None",
    "N/A",
    "INVALID",
    "System Serial Number",
    "0123456789",
    "1234567890",
    "XXXXXXXX",
    "........",
    "0000000",
    "$(DEFAULT_STRING)",
    "Type2 - Board Serial Number",
    "12345678901234567890",
    "FFFFFFFF",
];

/// UUIDs that many machines share.
const SHARED_UUIDS: [&str; 9] = [
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
    "03000200-0400-0500-0006-000700080009",
    "00020003-0004-0005-0006-000700080009",
    "4C4C4544-0020-2010-8020-A0C04F202020",
    "03020100-0504-0706-0809-0a0b0c0d0e0f",
    "deadbeef-1234-5678-9abc-def012345678",
    "12345678-1234-5678-90ab-cddeefaabbcc",
];

/// Addresses that many machines share.
const SHARED_MACS: [&str; 5] =
    ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "88:88:88:88:87:88", "00:E0:4C:68:00:2A", "02:42:AC:11:00:02"];

/// Files that hold what is read, in a server with all groups.
const FILES: [&str; 19] = [
    "sys/class/dmi/id/product_uuid",
    "sys/class/dmi/id/board_serial",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/class/dmi/id/board_asset_tag",
    "sys/block/sda/device/vpd_pg80",
    "sys/block/sda/device/model",
    "sys/block/sda/device/type",
    "sys/block/sda/removable",
    "sys/block/nvme0n1/device/serial",
    "sys/class/net/eth0/permanent_address",
    "sys/class/net/eth0/type",
    "sys/class/net/eth1/address",
    "proc/cpuinfo",
    "proc/self/mountinfo",
    "proc/sysinfo",
    "etc/machine-id",
    "etc/os-release",
    "run/systemd/container",
];

fn padded(value: &str) -> impl Strategy<Value = String> + use<> {
    let value = value.to_owned();
    ("[ \t]{0,3}", "[ \t\n]{0,3}").prop_map(move |(before, after)| format!("{before}{value}{after}"))
}

fn is_placeholder(reading: &Reading) -> bool {
    matches!(reading, Reading::Placeholder(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_placeholder_counts_as_one(
        text in prop::sample::select(&FILLERS[..]).prop_flat_map(padded),
        uuid in prop::sample::select(&SHARED_UUIDS[..]).prop_flat_map(padded),
        mac in prop::sample::select(&SHARED_MACS[..]),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let board = Board {
            uuid: uuid.clone(), board_serial: text.clone(), product_serial: text.clone(), chassis_serial: text.clone(),
            ..Board::example(1)
        };
        let server = FieldServer {
            board: Some(board),
            disks: vec![Disk::nvme("nvme0n1", text.trim())],
            cards: vec![Card::new("eth0", mac)],
            ..FieldServer::example(1)
        };
        let reading = collect(server.write(directory.path()).unwrap().path());
        for factor in [Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial, Factor::Disk] {
            prop_assert!(is_placeholder(&single(&reading, factor)), "{:?} {:?}", factor, text);
        }
        prop_assert!(is_placeholder(&single(&reading, Factor::ProductUuid)), "{:?}", uuid);
        prop_assert!(is_placeholder(&single(&reading, Factor::NetworkCard)), "{:?}", mac);
    }
}

#[test]
fn p1_the_order_of_devices_never_matters() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer {
        disks: (0..5)
            .map(|id| Disk::ata(&format!("sd{}", char::from(b'a' + id)), &format!("SER{id:05}")))
            .collect(),
        cards: (0..5).map(|id| Card::new(&format!("eth{id}"), &format!("00:30:d6:00:00:{id:02x}"))).collect(),
        ..FieldServer::example(9)
    };
    let server = server.write(directory.path()).unwrap();
    // The root disk is found by its number, and so by its name: here none is.
    server.write_file("proc/self/mountinfo", "").unwrap();
    let expected = evidence(server.path());
    let links = |class: &str, prefix: &str| -> Vec<(PathBuf, PathBuf)> {
        let entries = std::fs::read_dir(server.path().join(class)).unwrap().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        named.map(|entry| (entry.path(), std::fs::read_link(entry.path()).unwrap())).collect()
    };
    let (disks, cards) = (links("sys/block", "sd"), links("sys/class/net", "eth"));
    assert_eq!((disks.len(), cards.len()), (5, 5));
    let order = || Just((0..5).collect::<Vec<usize>>()).prop_shuffle();
    let shuffled = |(disk_order, card_order): (Vec<usize>, Vec<usize>)| {
        for (links, order) in [(&disks, disk_order), (&cards, card_order)] {
            for ((at, _), other) in links.iter().zip(order) {
                std::fs::remove_file(at).unwrap();
                std::os::unix::fs::symlink(&links[other].1, at).unwrap();
            }
        }
        prop_assert_eq!(&evidence(server.path()), &expected);
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(64)).run(&(order(), order()), shuffled).unwrap();
}

/// A server, and what stands in each of [`FILES`].
fn server() -> (tempfile::TempDir, Recording, Vec<Option<Vec<u8>>>) {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    let contents = FILES.iter().map(|at| std::fs::read(server.path().join(at)).ok()).collect();
    (directory, server, contents)
}

/// Puts back what stood in a file.
fn restore(server: &Recording, at: &str, content: Option<&Vec<u8>>) {
    let place = server.path().join(at);
    if place.is_dir() {
        std::fs::remove_dir(&place).unwrap();
    } else {
        let _ = std::fs::remove_file(&place);
    }
    if let Some(content) = content {
        server.write_file(at, content).unwrap();
    }
}

#[test]
fn no_content_of_any_file_panics() {
    let (_directory, server, contents) = server();
    let bytes = prop::collection::vec(any::<u8>(), 0..600);
    let text = "\\PC{0,300}".prop_map(String::into_bytes);
    let content = prop_oneof![3 => Just(None), 1 => bytes.prop_map(Some), 1 => text.prop_map(Some)];
    let all = prop::collection::vec(content, FILES.len());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let collector = Collector::of_recording(server.root());
    let survives = |random: Vec<Option<Vec<u8>>>| {
        for ((at, random), own) in FILES.iter().zip(&random).zip(&contents) {
            restore(&server, at, random.as_ref().or(own.as_ref()));
        }
        let reading = collector.collect();
        prop_assert_eq!(&reading, &collector.collect(), "the same files give the same reading");
        let _ = collector.describe();
        Ok(())
    };
    runner.run(&all, survives).unwrap();
}

#[test]
fn whatever_stands_in_place_of_a_file_is_survived() {
    let (_directory, server, contents) = server();
    for (at, own) in FILES.iter().zip(&contents) {
        for odd in [Odd::Nothing, Odd::Directory, Odd::Pipe, Odd::Circle, Odd::Endless, Odd::Megabyte] {
            restore(&server, at, None);
            odd.put(&server, at);
            let reading = collect(server.path());
            assert!(
                reading.factors.iter().any(|read| matches!(read.reading, Reading::Present(_))),
                "{at} {odd:?}"
            );
            if at.ends_with("board_serial") {
                let read = single(&reading, Factor::BoardSerial);
                // A link out of the root leads nowhere.
                let gone = matches!(odd, Odd::Nothing | Odd::Endless);
                let expected =
                    if gone { read == Reading::Absent } else { matches!(read, Reading::Unreadable(_)) };
                assert!(expected, "{odd:?}: {read:?}");
            }
        }
        restore(&server, at, own.as_ref());
    }
}

#[derive(Clone, Copy, Debug)]
enum Odd {
    Nothing,
    Directory,
    Pipe,
    Circle,
    Endless,
    Megabyte,
}

impl Odd {
    fn put(self, server: &Recording, at: &str) {
        let place = server.path().join(at);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        match self {
            Self::Nothing => {}
            Self::Directory => std::fs::create_dir(place).unwrap(),
            Self::Pipe => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(rustix::fs::CWD, place, rustix::fs::FileType::Fifo, mode, 0).unwrap();
            }
            Self::Circle => std::os::unix::fs::symlink(place.file_name().unwrap(), &place).unwrap(),
            Self::Endless => std::os::unix::fs::symlink("/dev/zero", place).unwrap(),
            Self::Megabyte => server.write_file(at, vec![b'7'; 1 << 20]).unwrap(),
        }
    }
}

#[test]
fn a_device_that_vanishes_while_it_is_read_is_survived() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(1).write(directory.path()).unwrap();
    let gone = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..100 {
                server.remove_card("eth0").unwrap();
                server.swap_card("eth0", &Card::new("eth0", &format!("00:30:d6:01:00:{round:02x}"))).unwrap();
                server.swap_board(&Board::example(round)).unwrap();
            }
            gone.store(true, std::sync::atomic::Ordering::Release);
        });
        let collector = Collector::of_recording(Root::new(server.path()));
        while !gone.load(std::sync::atomic::Ordering::Acquire) {
            let reading = collector.collect();
            // The board is exchanged by one rename, so it is there at each moment.
            assert!(matches!(single(&reading, Factor::BoardSerial), Reading::Present(_)));
            assert!(!of(&reading, Factor::NetworkCard).is_empty());
        }
    });
}
