//! Roots of made-up field servers, and a screwdriver for them: for tests and the demonstration.
//!
//! [`FieldServer::write`] lays out `sys`, `proc` and `etc` as a kernel would, with links where a kernel has links.
//! [`Recording`] exchanges parts while others read: each part is written aside and then put in place by one rename.

mod devices;
mod recording;
mod swtpm;

pub use recording::Recording;
pub use swtpm::Swtpm;

use std::io;
use std::path::Path;

/// A mainboard and its chassis, as SMBIOS names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// `sys_vendor`.
    pub vendor: String,
    /// `product_name`.
    pub product: String,
    /// `product_uuid`.
    pub uuid: String,
    /// `board_serial`.
    pub board_serial: String,
    /// `product_serial`.
    pub product_serial: String,
    /// `chassis_serial`.
    pub chassis_serial: String,
}

/// How a disk is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    /// SATA: `sda`, with its serial number in `vpd_pg80`.
    Ata,
    /// NVMe: `nvme0n1`, with its serial number beside the controller.
    Nvme,
    /// In a virtual machine: `vda`, with its serial number beside the disk.
    Virtio,
}

/// A fixed disk with one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// How it is attached.
    pub bus: Bus,
    /// As the kernel names it.
    pub name: String,
    /// Its model; virtio disks have none.
    pub model: String,
    /// Its serial number.
    pub serial: String,
}

/// A network card on PCI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// As the system names it.
    pub name: String,
    /// The permanent address, as `00:11:22:33:44:55`.
    pub mac: String,
}

/// A whole machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldServer {
    /// SMBIOS; a microVM has none.
    pub board: Option<Board>,
    /// The first one carries the root file system.
    pub disks: Vec<Disk>,
    /// Network cards.
    pub cards: Vec<Card>,
    /// The processor says that a hypervisor runs it.
    pub virtual_machine: bool,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// `PRETTY_NAME` of `/etc/os-release`.
    pub os: String,
}

impl FieldServer {
    /// A small industrial server with a board of its own, a SATA and an NVMe disk, two network cards. Servers of
    /// different numbers have no value in common but model names.
    #[must_use]
    pub fn example(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self {
            board: Some(Board::example(number)),
            disks: vec![
                Disk::ata("sda", &format!("WT1DA{number:05}")),
                Disk::nvme("nvme0n1", &format!("S7KNE{number:05}")),
            ],
            cards: vec![
                Card::new("eth0", &format!("00:30:d6:{high:02x}:{low:02x}:01")),
                Card::new("eth1", &format!("00:30:d6:{high:02x}:{low:02x}:02")),
            ],
            virtual_machine: false,
            machine_id: format!("5f0c94e1b37a4d2e8a61c0d7e9b2{number:04x}"),
            os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        }
    }

    /// Lays the machine out in a directory, which is made where it does not exist.
    pub fn write(&self, directory: impl AsRef<Path>) -> io::Result<Recording> {
        let recording = Recording::open(directory);
        recording.write_file("sys/devices/virtual/net/lo/type", "772\n")?;
        recording.write_file("sys/devices/virtual/net/lo/address", "00:00:00:00:00:00\n")?;
        recording.write_link("sys/class/net/lo", "sys/devices/virtual/net/lo")?;
        if let Some(board) = &self.board {
            recording.swap_board(board)?;
        }
        for disk in &self.disks {
            recording.swap_disk(&disk.name, disk)?;
        }
        for card in &self.cards {
            recording.swap_card(&card.name, card)?;
        }
        self.write_system(&recording)?;
        Ok(recording)
    }

    fn write_system(&self, recording: &Recording) -> io::Result<()> {
        let hypervisor = if self.virtual_machine { " hypervisor" } else { "" };
        let processor = |number: u8| {
            format!(
                "processor\t: {number}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 150\n\
                 model name\t: Intel Atom(R) x6425E @ 2.00GHz\nstepping\t: 1\nmicrocode\t: 0x17\ncpu MHz\t\t: 1996.800\n\
                 flags\t\t: fpu vme de pse tsc msr pae lm constant_tsc nopl{hypervisor} lahf_lm\n\n"
            )
        };
        recording.write_file("proc/cpuinfo", (0..4).map(processor).collect::<String>())?;
        recording.write_file("sys/devices/system/cpu/online", "0-3\n")?;
        recording.write_file("proc/meminfo", "MemTotal:        8010164 kB\nMemFree:         5501236 kB\n")?;
        recording
            .write_file("proc/version", "Linux version 6.1.0-31-amd64 (debian-kernel@lists.debian.org)\n")?;
        recording.write_file("etc/os-release", format!("PRETTY_NAME=\"{}\"\nID=debian\n", self.os))?;
        recording.set_machine_id(&self.machine_id)?;
        let mount = match self.disks.first() {
            Some(disk) => {
                format!(
                    "29 1 {} / / rw,relatime shared:1 - ext4 /dev/{} rw\n",
                    disk.partition_number(),
                    disk.partition()
                )
            }
            None => "29 1 0:2 / / rw - rootfs rootfs rw\n".to_owned(),
        };
        recording.write_file(
            "proc/self/mountinfo",
            &("22 29 0:21 / /proc rw - proc proc rw\n".to_owned() + &mount),
        )
    }
}

impl Board {
    /// The board of [`FieldServer::example`].
    #[must_use]
    pub fn example(number: u16) -> Self {
        Self {
            vendor: "Waldkirch Industrial".to_owned(),
            product: "FS-240".to_owned(),
            uuid: format!("7b1e04c2-9a5d-4f38-b6{:02x}-0030d6{number:04x}01", number % 251),
            board_serial: format!("WI24B{number:05}"),
            product_serial: format!("WI24S{number:05}"),
            chassis_serial: format!("WI24C{number:05}"),
        }
    }
}

impl Disk {
    /// A SATA disk.
    #[must_use]
    pub fn ata(name: &str, serial: &str) -> Self {
        Self {
            bus: Bus::Ata,
            name: name.to_owned(),
            model: "WT SA210 480GB".to_owned(),
            serial: serial.to_owned(),
        }
    }

    /// An NVMe disk.
    #[must_use]
    pub fn nvme(name: &str, serial: &str) -> Self {
        Self {
            bus: Bus::Nvme,
            name: name.to_owned(),
            model: "Kern NV3 1TB".to_owned(),
            serial: serial.to_owned(),
        }
    }

    /// A disk of a virtual machine.
    #[must_use]
    pub fn virtio(name: &str, serial: &str) -> Self {
        Self { bus: Bus::Virtio, name: name.to_owned(), model: String::new(), serial: serial.to_owned() }
    }
}

impl Card {
    /// A card with a permanent address.
    #[must_use]
    pub fn new(name: &str, mac: &str) -> Self {
        Self { name: name.to_owned(), mac: mac.to_owned() }
    }
}
