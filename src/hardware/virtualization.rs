//! Whether this is a virtual machine or a container, by what the kernel exports.
//!
//! The order of trust: a privileged Xen domain is the physical machine; s390 and device trees name their hypervisor;
//! on x86 the processor's `hypervisor` flag decides where vendors sell machines of both kinds under one name; then
//! the SMBIOS names of hypervisors. Nothing is executed: a recorded root gives the same answer.

use crate::cpu::CpuInfo;
use crate::dmi::Dmi;
use crate::mainframe::Mainframe;
use crate::root::{OrMissing, ReadError, Root, clean, shown};
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
    /// Why this may be a virtual machine though nothing says so: a file that would tell cannot be read.
    pub(crate) doubt: Option<ReadError>,
}

impl Virtualization {
    pub(crate) fn detect(root: &Root, dmi: &Dmi<'_>, cpu: &CpuInfo) -> Self {
        let mut doubt = Doubt::default();
        let machine = hypervisor(root, dmi, cpu, &mut doubt);
        let doubt = doubt.0.filter(|_| machine.is_none());
        Self { machine, container: container(root), doubt }
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

/// The first file that could not be read.
#[derive(Default)]
struct Doubt(Option<ReadError>);

impl Doubt {
    fn ask<T: Default>(&mut self, answer: Result<T, ReadError>) -> T {
        answer.unwrap_or_else(|error| {
            self.0.get_or_insert(error);
            T::default()
        })
    }
}

fn hypervisor(root: &Root, dmi: &Dmi<'_>, cpu: &CpuInfo, doubt: &mut Doubt) -> Option<String> {
    let found = |name: &str| Some(name.to_owned());
    if is_privileged_xen_domain(root) {
        return None;
    }
    let mainframe = doubt.ask(Mainframe::read(root));
    if let Some(program) = mainframe.as_ref().and_then(|mainframe| mainframe.get("VM00 Control Program")) {
        return found(if program.contains("kvm") { "kvm" } else { "zvm" });
    }
    if let Some(name) = device_tree(root, doubt) {
        return found(name);
    }
    let names = ["sys_vendor", "product_name", "board_vendor", "bios_vendor", "chassis_asset_tag"]
        .map(|field| doubt.ask(dmi.public(field)));
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
    let is_xen = doubt.ask(root.says("sys/hypervisor/type", "xen"));
    match (cpu.hypervisor(), cloud) {
        (Some(true), _) => found(cloud.unwrap_or(if is_xen { "xen" } else { "hypervisor" })),
        (Some(false), _) => {
            *doubt = Doubt::default(); // the processor knows
            None
        }
        (None, Some(cloud)) => (!names[1].contains("metal")).then(|| cloud.to_owned()),
        (None, None) if is_xen => found("xen"),
        (None, None) => {
            doubt.0 = doubt.0.take().or_else(|| cpu.trouble().cloned());
            None
        }
    }
}

/// The domain that owns the hardware. Bit 11 is `XENFEAT_dom0` of Xen's public headers.
fn is_privileged_xen_domain(root: &Root) -> bool {
    root.text("proc/xen/capabilities").is_ok_and(|text| text.contains("control_d"))
        || root
            .text("sys/hypervisor/properties/features")
            .is_ok_and(|text| u64::from_str_radix(&text, 16).is_ok_and(|bits| bits & (1 << 11) != 0))
}

fn device_tree(root: &Root, doubt: &mut Doubt) -> Option<&'static str> {
    let mut compatible = |path: &str, name: &str| {
        let list = doubt.ask(root.read(path).or_missing()).unwrap_or_default();
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
