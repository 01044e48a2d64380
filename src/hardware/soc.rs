//! Group C, in place of the board where SMBIOS tells nothing: the serial number of the SoC, else the id of a soldered
//! eMMC.

use crate::cpu::CpuInfo;
use crate::placeholder::{self, Kind};
use crate::root::{OrMissing, ReadError, Root};
use landfast_protocol::reading::Reading;

/// The first of the places that hold a serial number. Only zeros are a placeholder: boards without a fuse say so.
pub(crate) fn read(root: &Root, cpu: &CpuInfo) -> (String, Reading) {
    let mut shared = None;
    for (source, path) in
        [("device-tree", "proc/device-tree/serial-number"), ("soc0", "sys/devices/soc0/serial_number")]
    {
        match root.text(path).or_missing() {
            Ok(None) => {}
            Ok(Some(serial)) => take(source, &serial, &mut shared),
            // Another source would give another value than the one that was enrolled.
            Err(error) => return (source.to_owned(), error.reading()),
        }
    }
    if let Some(serial) = cpu.first("serial") {
        take("cpuinfo", serial, &mut shared);
    }
    if let Some(found) = shared.take_if(|(_, reading)| matches!(reading, Reading::Present(_))) {
        return found;
    }
    soldered(root).or(shared).unwrap_or_else(|| {
        // Without the list of processors there is no saying whether it names a number, or whether /proc is hidden.
        let reading = cpu.trouble().map_or(Reading::Absent, ReadError::reading);
        ("soc".to_owned(), reading)
    })
}

/// Keeps the first usable serial number, else the first placeholder.
fn take(source: &str, serial: &str, kept: &mut Option<(String, Reading)>) {
    let serial = serial.to_lowercase();
    if serial.is_empty() || matches!(kept, Some((_, Reading::Present(_)))) {
        return;
    }
    let reading = placeholder::judge(Kind::Soc, serial);
    if kept.is_none() || matches!(reading, Reading::Present(_)) {
        *kept = Some((source.to_owned(), reading));
    }
}

/// The card id of the first eMMC: it is soldered to the board, which an SD card is not.
fn soldered(root: &Root) -> Option<(String, Reading)> {
    let names = root.list("sys/block").ok()?;
    names.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("mmcblk")).find_map(|name| {
        if !root.says(format!("sys/block/{name}/device/type"), "MMC").ok()? {
            return None;
        }
        match root.text(format!("sys/block/{name}/device/cid")).or_missing() {
            Ok(id) => {
                let reading = placeholder::judge(Kind::Soc, id?.to_lowercase());
                matches!(reading, Reading::Present(_)).then(|| (name.to_owned(), reading))
            }
            Err(error) => Some((name.to_owned(), error.reading())),
        }
    })
}
