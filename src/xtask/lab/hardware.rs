//! What a field server is made of. A boot takes one of these; a boot with another one is a screwdriver.

use serde_json::{Value, json};

/// One machine's parts.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// What SMBIOS tells.
    pub board: Board,
    /// Serial number of the disk that holds the system (NVMe).
    pub system_disk: &'static str,
    /// Serial number of a second disk (virtio); none for a machine with one disk.
    pub data_disk: Option<&'static str>,
    /// Permanent addresses of the network cards. The first one has a cable to the vendor.
    pub cards: Vec<&'static str>,
    /// Whether there is a TPM 2.0.
    pub tpm: bool,
    /// Whether it shows that it is a virtual machine. The others look like machines of metal.
    pub hypervisor: bool,
}

/// SMBIOS: who made it, and its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    pub maker: &'static str,
    pub product: &'static str,
    pub uuid: &'static str,
    pub product_serial: &'static str,
    pub board_serial: &'static str,
    pub chassis_serial: &'static str,
}

/// A machine of an invented maker; addresses are of the block for documentation (RFC 7042).
pub const FIELD_SERVER: Board = Board {
    maker: "Feldmann",
    product: "FS-200",
    uuid: "6ba7b810-9dad-4d1d-80b4-00c04fd430c8",
    product_serial: "FM20H7731",
    board_serial: "MB88A41907",
    chassis_serial: "CH5521044",
};

/// Another unit of the same model.
pub const SPARE_BOARD: Board = Board {
    uuid: "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    product_serial: "FM20H9006",
    board_serial: "MB88B20315",
    ..FIELD_SERVER
};

/// A guest of a hypervisor.
pub const GUEST: Board = Board {
    maker: "QEMU",
    product: "Standard PC (i440FX + PIIX, 1996)",
    uuid: "3d813cbb-47fb-42ba-91df-831e1593ac29",
    product_serial: "",
    board_serial: "",
    chassis_serial: "",
};

/// Network cards: two of the machine, two spare ones.
pub const CARDS: [&str; 2] = ["00:00:5e:00:53:10", "00:00:5e:00:53:11"];
pub const SPARE_CARDS: [&str; 2] = ["00:00:5e:00:53:a0", "00:00:5e:00:53:a1"];

impl Hardware {
    /// A well-equipped field server.
    pub fn field_server() -> Self {
        Self {
            board: FIELD_SERVER,
            system_disk: "S4EWNX0R501773",
            data_disk: Some("WX81A6890412"),
            cards: CARDS.to_vec(),
            tpm: false,
            hypervisor: false,
        }
    }

    /// A guest of a hypervisor, with one card and one disk.
    pub fn guest() -> Self {
        Self {
            board: GUEST,
            system_disk: "VD-7710-0001",
            data_disk: None,
            cards: vec!["52:54:00:5e:53:20"],
            tpm: false,
            hypervisor: true,
        }
    }

    /// What QEMU needs to be told, disks and network excepted.
    pub fn arguments(&self) -> Vec<String> {
        let Board { maker, product, uuid, product_serial, board_serial, chassis_serial } = self.board;
        // A comma in a value is doubled.
        let [maker, product] = [maker, product].map(|text| text.replace(',', ",,"));
        let cpu = if self.hypervisor { "max" } else { "max,-hypervisor" };
        let mut arguments = vec!["-cpu".to_owned(), cpu.to_owned()];
        for table in [
            format!("type=0,vendor={maker},version=1.4"),
            format!("type=1,manufacturer={maker},product={product},uuid={uuid},serial={product_serial}"),
            format!("type=2,manufacturer={maker},product={product},serial={board_serial}"),
            format!("type=3,manufacturer={maker},serial={chassis_serial}"),
        ] {
            arguments.extend(["-smbios".to_owned(), table]);
        }
        arguments
    }

    /// The devices, as the monitor takes them too.
    pub fn devices(&self) -> Vec<Value> {
        let mut devices = vec![json!({
            "driver": "nvme", "id": "system", "drive": "system", "serial": self.system_disk,
        })];
        devices.extend(self.data_disk.map(data_disk));
        devices.extend(self.cards.iter().enumerate().map(|(place, mac)| card(place, mac)));
        if self.tpm {
            devices.push(json!({ "driver": "tpm-tis", "id": "tpm", "tpmdev": "tpm" }));
        }
        devices
    }
}

/// The second disk. Its blocks are all zero, and nothing is written to it.
pub fn data_disk(serial: &str) -> Value {
    json!({ "driver": "virtio-blk-pci", "id": "data", "drive": "data", "serial": serial })
}

/// The network card at a place: 0 has the cable to the vendor.
pub fn card(place: usize, mac: &str) -> Value {
    json!({
        "driver": "virtio-net-pci", "id": card_id(place), "netdev": format!("net{place}"), "mac": mac, "romfile": "",
    })
}

/// What the monitor calls the card at a place.
pub fn card_id(place: usize) -> String {
    format!("card{place}")
}
