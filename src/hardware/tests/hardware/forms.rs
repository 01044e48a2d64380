//! One made-up machine in every form that a recording can have.

use landfast_hardware::fixture::{Board, FieldServer};
use std::io::Write;
use std::path::Path;

/// What SMBIOS says about one machine.
#[derive(Clone, Debug)]
pub struct Smbios {
    pub board: Board,
    pub board_name: String,
    pub modules: Vec<String>,
}

impl Smbios {
    pub fn example(number: u16) -> Self {
        Self {
            board: Board::example(number),
            board_name: "FS-240".to_owned(),
            modules: vec![format!("4D0{number:05}"), format!("4D1{number:05}")],
        }
    }

    /// The table without an entry point.
    pub fn table(&self) -> Vec<u8> {
        let board = &self.board;
        let mut table = Vec::new();
        structure(&mut table, 0, &[1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], &["AMI", "1.14", "01/02/2024"]);
        let mut system = vec![1, 2, 0, 3];
        system.extend(self.uuid());
        system.push(6);
        structure(&mut table, 1, &system, &[&board.vendor, &board.product, &board.product_serial]);
        structure(&mut table, 2, &[1, 2, 0, 3], &[&board.vendor, &self.board_name, &board.board_serial]);
        structure(&mut table, 3, &[1, 3, 0, 2, 0], &[&board.vendor, &board.chassis_serial]);
        for module in &self.modules {
            let mut device = [0; 24];
            device[20] = 1;
            structure(&mut table, 17, &device, &[module]);
        }
        structure(&mut table, 127, &[], &[]);
        table
    }

    /// As `dmidecode --dump-bin` writes it, with the entry point of SMBIOS 2.
    pub fn dump(&self) -> Vec<u8> {
        let table = self.table();
        let mut dump = b"_SM_\0\x1f\x02\x08\0\0\0\0\0\0\0\0_DMI_\0".to_vec();
        dump.extend(u16::try_from(table.len()).unwrap().to_le_bytes());
        dump.extend(32u32.to_le_bytes());
        dump.extend([7, 0, 0x28, 0]);
        assert_eq!(dump.len(), 32);
        [dump, table].concat()
    }

    /// With the entry point of SMBIOS 3, and the address that the table had in memory.
    pub fn dump_of_3(&self) -> Vec<u8> {
        let table = self.table();
        let mut dump = b"_SM3_\0\x18\x03\x02\0\x01\0".to_vec();
        dump.extend(u32::try_from(table.len()).unwrap().to_le_bytes());
        dump.extend(0x6a16_2000u64.to_le_bytes());
        dump.resize(32, 0);
        [dump, table].concat()
    }

    /// As dmidecode prints it.
    pub fn report(&self) -> String {
        let Board { vendor, product, uuid, board_serial, product_serial, chassis_serial } = &self.board;
        let mut report = format!(
            "# dmidecode 3.4\nGetting SMBIOS data from sysfs.\nSMBIOS 2.8 present.\n\n\
             Handle 0x0001, DMI type 1, 27 bytes\nSystem Information\n\tManufacturer: {vendor}\n\
             \tProduct Name: {product}\n\tVersion: Not Specified\n\tSerial Number: {product_serial}\n\tUUID: {uuid}\n\n\
             Handle 0x0002, DMI type 2, 15 bytes\nBase Board Information\n\tManufacturer: {vendor}\n\
             \tProduct Name: {}\n\tSerial Number: {board_serial}\n\n\
             Handle 0x0003, DMI type 3, 22 bytes\nChassis Information\n\tManufacturer: {vendor}\n\
             \tSerial Number: {chassis_serial}\n\n",
            self.board_name
        );
        for module in &self.modules {
            report += &format!(
                "Handle 0x0011, DMI type 17, 40 bytes\nMemory Device\n\tSerial Number: {module}\n\n"
            );
        }
        report
    }

    /// As node_exporter keeps it.
    pub fn ttar(&self) -> String {
        let Board { product_serial, board_serial, uuid, .. } = &self.board;
        let file = |name: &str, value: &str| {
            format!("Path: sys/class/dmi/id/{name}\nLines: 1\n{value}\nMode: 444\n# ttar - - -\n")
        };
        file("product_serial", product_serial)
            + &file("board_serial", board_serial)
            + &file("product_uuid", uuid)
    }

    /// Little-endian, as SMBIOS has it since 2.6.
    fn uuid(&self) -> [u8; 16] {
        let digits: String = self.board.uuid.chars().filter(|c| *c != '-').collect();
        let byte = |at: usize| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap();
        [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte)
    }
}

fn structure(table: &mut Vec<u8>, kind: u8, body: &[u8], strings: &[&str]) {
    let handle = u16::try_from(table.len()).unwrap().to_le_bytes();
    table.extend([kind, u8::try_from(body.len() + 4).unwrap(), handle[0], handle[1]]);
    table.extend(body);
    for text in strings {
        table.extend(text.as_bytes());
        table.push(0);
    }
    table.extend(if strings.is_empty() { &[0, 0][..] } else { &[0] });
}

/// A tree of `/sys` and `/proc` as a tar archive, below a directory of any name.
pub fn archive(server: &FieldServer, below: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let recording = server.write(directory.path()).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    for part in ["sys", "proc", "etc"] {
        archive.append_dir_all(Path::new(below).join(part), recording.path().join(part)).unwrap();
    }
    archive.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// As udevadm(8) prints it: a SATA disk, an NVMe disk, a USB stick, a card and a bridge.
pub fn udev_database(number: u16) -> String {
    format!(
        "P: /devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda\nN: sda\n\
         E: DEVPATH=/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda\nE: SUBSYSTEM=block\n\
         E: DEVTYPE=disk\nE: ID_BUS=ata\nE: ID_MODEL=WT_SA210\nE: ID_MODEL_ENC=WT\\x20SA210\\x20\\x20\n\
         E: ID_SERIAL_SHORT=WT1DA{number:05}\n\n\
         P: /devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/nvme0n1\nE: SUBSYSTEM=block\nE: DEVTYPE=disk\n\
         E: ID_MODEL=Kern NV3\nE: ID_SERIAL_SHORT=S7KNE{number:05}\n\n\
         P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb\nE: SUBSYSTEM=block\n\
         E: DEVTYPE=disk\nE: ID_BUS=usb\nE: ID_SERIAL_SHORT=STICK\n\n\
         P: /devices/pci0000:00/0000:00:1f.6/net/eno1\nE: SUBSYSTEM=net\nE: INTERFACE=eno1\n\
         E: ID_NET_NAME_MAC=enx0030d6{number:04x}01\n\n\
         P: /devices/virtual/net/docker0\nE: SUBSYSTEM=net\nE: INTERFACE=docker0\n\n\
         P: /devices/virtual/dmi/id\nE: SUBSYSTEM=dmi\n\
         E: MODALIAS=dmi:bvnAMI:bvr1.14:bd01/02/2024:svnWaldkirch:pnFS-240:pvr1:rvnWaldkirch:rnFS-240:rvr2:cvnWaldkirch:ct3:cvr:\n"
    )
}
