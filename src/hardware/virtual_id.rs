//! Group V: the identity of a virtual machine or cloud instance, in place of the board.

use crate::dmi::{Dmi, judge_uuid};
use crate::mainframe::{self, Mainframe};
use crate::root::{OrMissing, Root};
use landfast_protocol::reading::{Identity, Reading};

/// Where an instance of EC2 has its id: the asset tag of Nitro instances, which all may read.
const INSTANCE: &str = "board_asset_tag";

/// The id that a cloud gave this instance, and where it stands. It stays with the instance when that moves to other
/// hardware, which even instances of whole machines do between stop and start.
///
/// Other clouds that are known have no such field. Azure and Google put the instance's own id into the SMBIOS UUID; the
/// asset tag of Azure's chassis is the same for all instances, and the serial numbers of others may be the host's.
pub(crate) fn of_instance(dmi: &Dmi<'_>) -> Option<(&'static str, Reading)> {
    if dmi.public("sys_vendor").ok()? != "amazon ec2" {
        return None;
    }
    let tag = match dmi.public(INSTANCE) {
        Ok(tag) => tag,
        // Another id in its place would be a change.
        Err(error) => return Some((INSTANCE, error.reading())),
    };
    let digits = tag.strip_prefix("i-")?;
    // Eight digits until 2016, seventeen since.
    let shaped = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    shaped.then(|| (INSTANCE, Reading::Present(Identity::new(tag))))
}

/// The id that the hypervisor gave this guest and no other, and where it stands. The first of these that the machine
/// has: the device tree's `vm,uuid` (pseries), the UUID that z/Architecture reports for the innermost guest, or else that
/// guest's name with the names of all that it runs in, the SMBIOS UUID.
pub(crate) fn of_guest(root: &Root, dmi: &Dmi<'_>) -> (&'static str, Reading) {
    const DEVICE_TREE: &str = "proc/device-tree/vm,uuid";
    match root.text(DEVICE_TREE).or_missing() {
        Ok(None) => {}
        Ok(Some(uuid)) => return ("vm,uuid", judge_uuid(DEVICE_TREE, uuid.to_lowercase())),
        Err(error) => return ("vm,uuid", error.reading()),
    }
    let mainframe = match Mainframe::read(root) {
        Ok(Some(mainframe)) => mainframe,
        Ok(None) => return ("product_uuid", dmi.uuid("product_uuid")),
        Err(error) => return ("sysinfo", error.reading()),
    };
    match (mainframe.get("VM00 UUID"), mainframe.path_to_guest()) {
        (Some(uuid), _) => ("VM00 UUID", judge_uuid(mainframe::FILE, uuid.to_owned())),
        (None, Some(path)) => ("VM00 Name", Reading::Present(Identity::new(path))),
        (None, None) => ("product_uuid", dmi.uuid("product_uuid")),
    }
}
