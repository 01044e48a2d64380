//! Whether this is a virtual machine or a container, by what the kernel exports.
//!
//! The order of trust: a privileged Xen domain is the physical machine; s390 and device trees name their hypervisor;
//! on x86 the processor's `hypervisor` flag decides where vendors sell machines of both kinds under one name; then
//! the SMBIOS names of hypervisors. Nothing is executed: a recorded root gives the same answer.

use crate::cpu::CpuInfo;
use crate::dmi::Dmi;
use crate::root::{Root, clean, shown};
use crate::root_disk::{self, Mount};

/// Names in SMBIOS that only virtual machines have, in lower case, and what is shown for them.
const HYPERVISORS: [(&str, &str); 25] = [
    ("qemu", "qemu"),
    ("standard pc (", "qemu"),
    ("kvm", "kvm"),
    ("rhev hypervisor", "kvm"),
    ("ovirt", "kvm"),
    ("openstack", "openstack"),
    ("cloudstack", "cloudstack"),
    ("kubevirt", "kubevirt"),
    ("ahv", "nutanix"),
    ("vmware", "vmware"),
    ("vmw", "vmware"),
    ("innotek gmbh", "virtualbox"),
    ("virtualbox", "virtualbox"),
    ("xen", "xen"),
    ("hvm domu", "xen"),
    ("bochs", "bochs"),
    ("parallels", "parallels"),
    ("bhyve", "bhyve"),
    ("hyper-v", "hyper-v"),
    ("apple virtualization", "apple"),
    ("cloud hypervisor", "cloud-hypervisor"),
    ("firecracker", "firecracker"),
    ("vserver", "kvm"),
    ("droplet", "digitalocean"),
    ("seabios", "qemu"),
];

/// Names of clouds that sell virtual and physical machines.
const CLOUDS: [(&str, &str); 8] = [
    ("amazon ec2", "amazon"),
    ("google compute engine", "google"),
    ("google", "google"),
    ("alibaba cloud", "alibaba"),
    ("tencent cloud", "tencent"),
    ("hetzner", "hetzner"),
    ("oraclecloud.com", "oracle"),
    ("scaleway", "scaleway"),
];

/// What runs this system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Virtualization {
    /// The hypervisor, where this is a virtual machine.
    pub(crate) machine: Option<String>,
    /// The container manager, where this is a container.
    pub(crate) container: Option<String>,
}

impl Virtualization {
    pub(crate) fn detect(root: &Root, dmi: &Dmi<'_>, cpu: &CpuInfo) -> Self {
        Self { machine: hypervisor(root, dmi, cpu), container: container(root) }
    }

    /// In words: `none`, `kvm`, `none, container: docker`.
    pub(crate) fn describe(&self) -> String {
        let machine = self.machine.as_deref().unwrap_or("none");
        match &self.container {
            Some(container) => format!("{machine}, container: {container}"),
            None => machine.to_owned(),
        }
    }
}

fn hypervisor(root: &Root, dmi: &Dmi<'_>, cpu: &CpuInfo) -> Option<String> {
    let found = |name: &str| Some(name.to_owned());
    if is_privileged_xen_domain(root) {
        return None;
    }
    if let Some(program) = system_information(root, "VM00 Control Program") {
        let program = program.to_lowercase();
        return found(if program.contains("kvm") { "kvm" } else { "zvm" });
    }
    if let Some(name) = device_tree(root) {
        return found(name);
    }
    let names: Vec<String> =
        ["sys_vendor", "product_name", "board_vendor", "bios_vendor", "chassis_asset_tag"]
            .iter()
            .map(|field| dmi.public(field))
            .collect();
    let by_name = |list: &[(&str, &'static str)]| {
        list.iter().find(|(token, _)| names.iter().any(|name| name.starts_with(token))).map(|(_, name)| *name)
    };
    let microsoft = names[0].starts_with("microsoft corporation") && names[1].starts_with("virtual machine");
    if let Some(name) = by_name(&HYPERVISORS).or(microsoft.then_some("hyper-v")) {
        // Real boards carry SeaBIOS too (coreboot); there the processor decides.
        if name != "qemu" || cpu.hypervisor() != Some(false) || names[0].starts_with("qemu") {
            return found(name);
        }
    }
    let cloud = by_name(&CLOUDS);
    match (cpu.hypervisor(), cloud) {
        (Some(true), _) => found(cloud.unwrap_or(if xen(root) { "xen" } else { "hypervisor" })),
        (Some(false), _) => None,
        (None, Some(cloud)) => (!names[1].contains("metal")).then(|| cloud.to_owned()),
        (None, None) => xen(root).then(|| "xen".to_owned()),
    }
}

/// The domain that owns the hardware. Bit 11 is `XENFEAT_dom0` of Xen's public headers.
fn is_privileged_xen_domain(root: &Root) -> bool {
    root.text("proc/xen/capabilities").is_ok_and(|text| text.contains("control_d"))
        || root
            .text("sys/hypervisor/properties/features")
            .is_ok_and(|text| u64::from_str_radix(&text, 16).is_ok_and(|bits| bits & (1 << 11) != 0))
}

fn xen(root: &Root) -> bool {
    root.says("sys/hypervisor/type", "xen")
}

fn device_tree(root: &Root) -> Option<&'static str> {
    let compatible = |path: &str, name: &str| {
        let list = root.read(path).unwrap_or_default();
        list.split(|byte| *byte == 0).any(|entry| clean(entry).starts_with(name))
    };
    if root.exists("proc/device-tree/vm,uuid")
        || compatible("proc/device-tree/hypervisor/compatible", "linux,kvm")
        || compatible("proc/device-tree/compatible", "qemu,pseries")
    {
        Some("kvm")
    } else if compatible("proc/device-tree/compatible", "linux,dummy-virt") {
        Some("qemu")
    } else if compatible("proc/device-tree/hypervisor/compatible", "xen") {
        Some("xen")
    } else {
        None
    }
}

/// A line of s390's `/proc/sysinfo`, which names each layer of virtualisation; VM00 is the innermost.
pub(crate) fn system_information(root: &Root, field: &str) -> Option<String> {
    let bytes = root.read_at_most("proc/sysinfo", crate::root::ATTRIBUTE_LIMIT * 4).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let value = text.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == field)?.1;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn container(root: &Root) -> Option<String> {
    if let Ok(manager) = root.text("run/systemd/container") {
        return Some(shown(manager.as_ref())).filter(|manager| !manager.is_empty());
    }
    let mounts = root_disk::mounts(root);
    let base = mounts.iter().rev().find(|mount| mount.point == "/");
    // A machine whose disk was made from a container's image carries the mark too, but its root is a block device.
    if base.is_some_and(Mount::is_on_block_device) {
        return None;
    }
    for (mark, manager) in [(".dockerenv", "docker"), ("run/.containerenv", "podman")] {
        if root.exists(mark) {
            return Some(manager.to_owned());
        }
    }
    // Others leave no mark, but the root file system tells: its layers belong to the manager.
    let base = base.filter(|mount| mount.file_system == "overlay")?;
    [("/docker/", "docker"), ("containerd", "containerd"), ("/containers/storage/", "podman")]
        .into_iter()
        .find(|(token, _)| base.options.contains(token))
        .map(|(_, manager)| manager.to_owned())
}
