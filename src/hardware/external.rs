//! Whether a device is part of the machine or was plugged in, by its place below `sys/devices`.
//!
//! The kernel marks USB and PCI devices with `removable`: `removable`, `fixed` or `unknown`
//! (Documentation/ABI/testing/sysfs-devices-removable); for USB it takes this from the hub or from ACPI. A dock is a
//! hub with devices that are fixed to it, so the whole way down from the controller counts.

use crate::root::{ReadError, Root};
use std::path::{Path, PathBuf};

/// Whether the device hangs on USB.
pub(crate) fn is_usb(place: &Path) -> bool {
    steps(place).any(|(name, _)| is_usb_controller(name))
}

/// Whether a device on USB is soldered in: each USB device on the way is marked as fixed, or described by the
/// machine's device tree.
pub(crate) fn is_built_in_usb(root: &Root, place: &Path) -> Result<bool, ReadError> {
    let on_usb = steps(place)
        .skip_while(|(name, _)| !is_usb_controller(name))
        .skip(1)
        .filter(|(name, _)| is_usb_device(name));
    let mut any = false;
    for (_, device) in on_usb {
        any = true;
        if !root.says(device.join("removable"), "fixed")? && !root.exists(device.join("of_node")) {
            return Ok(false);
        }
    }
    Ok(any)
}

/// Whether any device on the way is marked as removable: a Thunderbolt dock, an external enclosure.
pub(crate) fn is_plugged_in(root: &Root, place: &Path) -> Result<bool, ReadError> {
    for (_, device) in steps(place) {
        // A disk has a file of this name too, in which there is a number.
        if root.says(device.join("removable"), "removable")? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Each device on the way down, with its place.
fn steps(place: &Path) -> impl Iterator<Item = (&str, PathBuf)> {
    let mut so_far = PathBuf::new();
    place.iter().map(move |step| {
        so_far.push(step);
        (step.to_str().unwrap_or_default(), so_far.clone())
    })
}

fn is_usb_controller(name: &str) -> bool {
    name.strip_prefix("usb")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// USB devices are named by bus and ports, as in `1-1.4`; their interfaces have a colon, as in `1-1.4:1.0`.
fn is_usb_device(name: &str) -> bool {
    name.contains('-') && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'.')
}
