//! Every value and pattern of the hardware study that many machines share is one, wherever it stands.

use crate::common::{collect, single};
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::Reading;

/// As vendors spell them; how they are trimmed and in which case must not matter.
const TEXTS: [&str; 57] = [
    "Default string",
    "Not Specified",
    "To Be Filled By O.E.M.",
    "System Serial Number",
    "Chassis Serial Number",
    "Base Board Serial Number",
    "Board Serial Number",
    "SystemSerialNumb",
    "OEM_Serial",
    "O.E.M.",
    "OEM",
    "N/A",
    "NA",
    "None",
    "NULL",
    "(null string)",
    "Not Applicable",
    "Not Available",
    "Not Defined",
    "INVALID",
    "Standard",
    "Unknown",
    "x",
    "Empty",
    "$(DEFAULT_STRING)",
    "0123456789",
    "1234567890",
    "123456789",
    "87654321",
    "EVAL",
    "IATPASS",
    "-1",
    "Type1ProductConfigId",
    "Type2 - Board Serial Number",
    "SYS-1234567890",
    "MB-1234567890",
    "SN-12345",
    "BSN12345678901234567",
    "ASSET-1234567890",
    // By pattern: ^0+$ ^[01]+$ ^x+$ ^\.+$ ^\*+$ ^f+$ ^n+$, repeated 1234567890.
    "0",
    "00000000",
    "0101101",
    "XXXXXXXX",
    "........",
    "********",
    "FFFFFFFF",
    "NNNN",
    "12345678901234567890",
    "1234567890123",
    "12345",
    // What others of their kind look like.
    "0000-0000-0000",
    "--------",
    "99999999",
    "PF0XXXXX",
    "[REDACTED]",
    "<removed>",
    "xx:xx:xx",
];

const UUIDS: [&str; 23] = [
    "00000000-0000-0000-0000-000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
    "11111111-1111-1111-1111-111111111111",
    "01010101-0101-0101-0101-010101010101",
    "EEEEEEEE-EEEE-EEEE-EEEE-EEEEEEEEEEEE",
    "20202020-2020-2020-2020-202020202020",
    "03000200-0400-0500-0006-000700080009",
    "00020003-0004-0005-0006-000700080009",
    "03020100-0504-0706-0809-0a0b0c0d0e0f",
    "00010203-0405-0607-0809-0a0b0c0d0e0f",
    "12345678-1234-5678-90ab-cddeefaabbcc",
    "10000000-0000-8000-0040-000000000000",
    "4c4c4544-0020-2010-8020-a0c04f202020",
    "44454c4c-2000-1020-8020-a0c04f202020",
    "4c4c4544-0000-0010-8000-80c04f000000",
    "00000000-0000-0000-0807-060504030201",
    "6ab5b300-538d-1014-9fb5-b0684d007b53",
    "03d40274-0435-05dc-8506-010700080009",
    "deadbeef-0123-4567-89ab-cdef01234567",
    "31393138-3538-5a43-3135-353130323750",
    "5c4606fa-192f-453a-b299-7b088c63bb9b",
    "Not Settable",
];

const DISKS: [&str; 11] = [
    "QM00001",
    "QM00002",
    "000000000000",
    "00000000000000000000",
    "0123456789abcdef",
    "0x5000000000000000",
    "0x5001480000000000",
    "5000000000000000",
    "AAAABBBBCCCC1",
    "EEA1EE5B",
    "Default string",
];

const MACS: [&str; 9] = [
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "88:88:88:88:87:88",
    "00:a0:c9:00:00:00",
    "00:e0:4c:68:00:00",
    "00:e0:4c:68:00:c7",
    "02:42:ac:11:00:02",
    "00:50:56:c0:00:08",
    "0a:00:27:00:00:00",
];

const SOCS: [&str; 3] = ["0000000000000000", "00", "c3d9b8674f4b94f6"];

const REAL: [&str; 8] = [
    "Parallels-1B 2C 3D 4E 5F 60 71 82",
    "VMware-56 4d 1f 2e 3c 4b 5a 69-78 87 96 a5 b4 c3 d2 e1",
    "7N62AI2",
    "CZC1234567",
    "S/N 4711-0815",
    "10000021",
    "1234567891",
    "ABCDEF12",
];

fn server(server: &FieldServer) -> (tempfile::TempDir, Recording) {
    let directory = tempfile::tempdir().unwrap();
    let recording = server.write(directory.path()).unwrap();
    (directory, recording)
}

#[test]
fn every_filler_is_a_placeholder_in_each_serial_number_of_smbios() {
    let (_directory, server) = server(&FieldServer::example(1));
    for text in TEXTS {
        let board = Board {
            board_serial: text.to_owned(),
            product_serial: format!("  {}\t", text.to_uppercase()),
            chassis_serial: text.to_lowercase(),
            ..Board::example(1)
        };
        server.swap_board(&board).unwrap();
        let reading = collect(server.path());
        for factor in [Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial] {
            assert!(matches!(single(&reading, factor), Reading::Placeholder(_)), "{factor:?} {text:?}");
        }
    }
}

#[test]
fn serial_numbers_that_only_look_odd_are_kept() {
    let (_directory, server) = server(&FieldServer::example(1));
    for text in REAL {
        server.swap_board(&Board { board_serial: text.to_owned(), ..Board::example(1) }).unwrap();
        let read = single(&collect(server.path()), Factor::BoardSerial);
        assert!(matches!(read, Reading::Present(_)), "{text}");
    }
}

#[test]
fn every_shared_uuid_is_a_placeholder_in_either_byte_order() {
    let (_directory, server) = server(&FieldServer::example(1));
    for uuid in UUIDS {
        for uuid in [uuid.to_lowercase(), uuid.to_uppercase(), swapped(uuid)] {
            server.swap_board(&Board { uuid: uuid.clone(), ..Board::example(1) }).unwrap();
            let read = single(&collect(server.path()), Factor::ProductUuid);
            assert!(matches!(read, Reading::Placeholder(_)), "{uuid}");
        }
    }
}

/// The first three fields in the other byte order.
fn swapped(uuid: &str) -> String {
    let Some(rest) = uuid.get(18..) else { return uuid.to_owned() };
    let pairs = |range: std::ops::Range<usize>| {
        let field = &uuid[range];
        (0..field.len() / 2).rev().map(|at| &field[at * 2..at * 2 + 2]).collect::<String>()
    };
    format!("{}-{}-{}{rest}", pairs(0..8), pairs(9..13), pairs(14..18))
}

#[test]
fn every_default_of_a_disk_is_a_placeholder() {
    for serial in DISKS {
        for disk in [Disk::ata("sda", serial), Disk::nvme("nvme0n1", &serial.to_uppercase())] {
            let (_directory, server) =
                server(&FieldServer { disks: vec![disk.clone()], ..FieldServer::example(1) });
            let read = single(&collect(server.path()), Factor::Disk);
            assert!(matches!(read, Reading::Placeholder(_)), "{serial} {:?}", disk.bus);
        }
    }
}

#[test]
fn every_shared_address_is_a_placeholder() {
    for mac in MACS {
        for mac in [mac.to_owned(), mac.to_uppercase()] {
            let cards = vec![Card::new("eth0", &mac)];
            let (_directory, server) = server(&FieldServer { cards, ..FieldServer::example(1) });
            let read = single(&collect(server.path()), Factor::NetworkCard);
            assert!(matches!(read, Reading::Placeholder(_)), "{mac}");
        }
    }
}

#[test]
fn every_shared_number_of_a_soc_is_a_placeholder() {
    for serial in SOCS {
        for at in ["proc/device-tree/serial-number", "sys/devices/soc0/serial_number"] {
            let (_directory, server) = server(&FieldServer { board: None, ..FieldServer::example(1) });
            server.write_file(at, format!("{}\0", serial.to_uppercase())).unwrap();
            let read = single(&collect(server.path()), Factor::SocSerial);
            assert!(matches!(read, Reading::Placeholder(_)), "{serial} {at}");
        }
    }
}

#[test]
fn every_machine_id_of_an_image_is_a_placeholder() {
    let (_directory, server) = server(&FieldServer::example(1));
    for id in ["uninitialized", "00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff"] {
        server.set_machine_id(id).unwrap();
        let read = single(&collect(server.path()), Factor::MachineId);
        assert!(matches!(read, Reading::Placeholder(_)), "{id}");
    }
}
