//! Group V: the identity of a virtual machine or cloud instance, in place of the board.

use crate::dmi::{Dmi, judge_uuid};
use crate::root::{ReadError, Root, clean};
use crate::virtualization::system_information;
use landfast_protocol::reading::{Identity, Reading};

/// The id that the hypervisor gave this guest and no other, and where it stands. The first of these that the machine
/// has: on EC2 the instance id (which is the asset tag of Nitro instances, and readable by all), the device tree's
/// `vm,uuid` (pseries), the UUID that z/Architecture reports for the innermost guest, the SMBIOS UUID.
pub(crate) fn read(root: &Root, dmi: &Dmi<'_>) -> (&'static str, Reading) {
    if let Some(instance) = instance_id(dmi) {
        return ("board_asset_tag", Reading::Present(Identity::new(instance)));
    }
    match root.read("proc/device-tree/vm,uuid") {
        Err(ReadError::Missing) => {}
        Err(error) => return ("vm,uuid", Reading::Unreadable(error.to_string())),
        Ok(bytes) => return ("vm,uuid", judge_uuid(clean(&bytes).to_lowercase())),
    }
    match system_information(root, "VM00 UUID") {
        Some(uuid) => ("VM00 UUID", judge_uuid(uuid.to_lowercase())),
        None => ("product_uuid", dmi.uuid("product_uuid")),
    }
}

fn instance_id(dmi: &Dmi<'_>) -> Option<String> {
    let tag = dmi.public("board_asset_tag");
    let digits = tag.strip_prefix("i-")?;
    // Eight digits until 2016, seventeen since.
    let shaped = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (shaped && dmi.public("sys_vendor") == "amazon ec2").then_some(tag)
}
