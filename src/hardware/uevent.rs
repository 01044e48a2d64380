//! What the kernel says when a device comes, goes or changes.

use std::path::Path;

/// One message of the kernel about one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uevent {
    /// `add`, `remove`, `change`, `move`, `online`, `offline`, `bind` or `unbind`.
    pub action: String,
    /// The device's place below `/sys`.
    pub device: String,
    /// `net`, `block`, …
    pub subsystem: String,
    /// `disk` or `partition` for block devices, where the kernel says.
    pub kind: Option<String>,
}

/// Subsystems whose devices carry a factor.
const SUBSYSTEMS: [&str; 5] = ["net", "block", "mmc", "tpm", "tpmrm"];

impl Uevent {
    /// Takes one datagram apart: `ACTION@DEVPATH`, then `KEY=VALUE` fields, each ended by NUL
    /// (`lib/kobject_uevent.c`).
    pub(crate) fn parse(datagram: &[u8]) -> Option<Self> {
        let mut fields = datagram.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let head = fields.next()?.into_owned();
        let (action, device) = head.split_once('@')?;
        let mut event = Self {
            action: action.to_owned(),
            device: device.to_owned(),
            subsystem: String::new(),
            kind: None,
        };
        for field in fields {
            match field.split_once('=') {
                Some(("SUBSYSTEM", value)) => event.subsystem = value.to_owned(),
                Some(("DEVTYPE", value)) => event.kind = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(event)
    }

    /// Whether hardware that counts may have changed. Virtual interfaces and volumes come and go with every container;
    /// of the virtual block devices only NVMe heads stand for hardware (`nvme-subsystem`, see the disks).
    #[must_use]
    pub fn is_relevant(&self) -> bool {
        let place = Path::new(&self.device);
        let is_virtual =
            place.starts_with("/devices/virtual") && !place.starts_with("/devices/virtual/nvme-subsystem");
        SUBSYSTEMS.contains(&self.subsystem.as_str())
            && !is_virtual
            && self.kind.as_deref() != Some("partition")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(device: &str, subsystem: &str, kind: &str) -> Uevent {
        let text = format!(
            "add@{device}\0ACTION=add\0DEVPATH={device}\0SUBSYSTEM={subsystem}\0DEVTYPE={kind}\0SEQNUM=4711\0"
        );
        Uevent::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_message_is_taken_apart() {
        let event = event("/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0", "net", "");
        assert_eq!((event.action.as_str(), event.subsystem.as_str()), ("add", "net"));
        assert!(event.is_relevant());
        assert_eq!(Uevent::parse(b"libudev\0\xfe\xed\xca\xfe"), None);
        assert_eq!(Uevent::parse(b""), None);
    }

    #[test]
    fn p1_what_containers_and_partitions_do_is_no_news() {
        for (device, subsystem, kind) in [
            ("/devices/virtual/net/veth1", "net", ""),
            ("/devices/virtual/net/docker0", "net", "bridge"),
            ("/devices/virtual/block/dm-1", "block", "disk"),
            ("/devices/pci0000:00/0000:00:1f.2/ata1/block/sda/sda1", "block", "partition"),
            ("/devices/pci0000:00/0000:00:14.0/usb1/1-1", "usb", ""),
            ("/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0/queues/rx-0", "queues", ""),
        ] {
            assert!(!event(device, subsystem, kind).is_relevant(), "{device}");
        }
        let head = "/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1";
        assert!(event(head, "block", "disk").is_relevant());
        assert!(event("/devices/pci0000:00/0000:00:1f.2/ata1/block/sda", "block", "disk").is_relevant());
    }

    proptest! {
        #[test]
        fn no_datagram_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Uevent::parse(&bytes).map(|event| event.is_relevant());
        }
    }
}
