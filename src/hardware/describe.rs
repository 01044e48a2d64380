//! What a machine is and runs, for people: it goes into requests and into the doctor's report, and decides nothing.

use crate::cpu::CpuInfo;
use crate::root::{Root, shown};
use crate::virtualization::Virtualization;
use sysinfo::{CpuRefreshKind, DiskRefreshKind, Disks, MemoryRefreshKind, RefreshKind, System};

/// Read while looking for one line: `/proc/meminfo`, `/proc/version` and os-release(5) are shorter.
const LIMIT: usize = 16 * 1024;

/// A description of one system. What could not be found out is empty or zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemDescription {
    /// As the distribution names itself: `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// The kernel's release: `6.1.0-18-amd64`.
    pub kernel: String,
    /// As `uname -m` names it: `x86_64`, `aarch64`.
    pub architecture: String,
    /// Processors in use.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The hypervisor and the container manager: `none`, `kvm`, `none, container: docker`.
    pub virtualization: String,
}

impl SystemDescription {
    pub(crate) fn read(root: &Root, cpu: &CpuInfo, virtualization: &Virtualization) -> Self {
        let system = if root.is_machine() { of_this_machine() } else { of_recording(root, cpu) };
        Self { virtualization: virtualization.describe(), ..system }
    }
}

/// sysinfo reads paths that are compiled in, so it serves this machine only.
fn of_this_machine() -> SystemDescription {
    let wanted = RefreshKind::nothing()
        .with_memory(MemoryRefreshKind::nothing().with_ram())
        .with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(wanted).ok();
    let (cpus, memory) =
        system.map(|system| (system.cpus().len(), system.total_memory())).unwrap_or_default();
    SystemDescription {
        os: os(&Root::machine()).or_else(|| System::long_os_version().ok()).unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        architecture: System::cpu_arch(),
        cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        memory_mib: memory / (1024 * 1024),
        virtualization: String::new(),
    }
}

fn of_recording(root: &Root, cpu: &CpuInfo) -> SystemDescription {
    SystemDescription {
        os: os(root).unwrap_or_default(),
        kernel: kernel(root).unwrap_or_default(),
        architecture: architecture(cpu).to_owned(),
        cpus: cpus(root).unwrap_or_else(|| u32::try_from(cpu.count()).unwrap_or(u32::MAX)),
        memory_mib: memory(root).unwrap_or_default(),
        virtualization: String::new(),
    }
}

fn text(root: &Root, path: &str) -> Option<String> {
    root.read_at_most(path, LIMIT).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// `PRETTY_NAME` of os-release(5), in the two places where it may be.
fn os(root: &Root) -> Option<String> {
    let release = text(root, "etc/os-release").or_else(|| text(root, "usr/lib/os-release"))?;
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(shown(name.trim().trim_matches(['"', '\'']).as_ref()))
}

fn kernel(root: &Root) -> Option<String> {
    if let Some(release) = text(root, "proc/sys/kernel/osrelease") {
        return Some(shown(release.trim().as_ref()));
    }
    let version = text(root, "proc/version")?;
    let release = version.strip_prefix("Linux version ")?.split_whitespace().next()?;
    Some(shown(release.as_ref()))
}

fn memory(root: &Root) -> Option<u64> {
    let table = text(root, "proc/meminfo")?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// `0-3,8-11`, as in Documentation/admin-guide/cputopology.rst.
fn cpus(root: &Root) -> Option<u32> {
    let list = root.text("sys/devices/system/cpu/online").ok()?;
    list.split(',').try_fold(0_u32, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// A recording does not name its architecture; the form of `/proc/cpuinfo` does.
fn architecture(cpu: &CpuInfo) -> &'static str {
    let has = |field: &str| cpu.first(field).is_some();
    let says = |field: &str, text: &str| cpu.first(field).is_some_and(|value| value.contains(text));
    if has("stepping") {
        let long_mode =
            cpu.first("flags").is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "lm"));
        if long_mode { "x86_64" } else { "i686" }
    } else if has("cpu implementer") {
        if says("cpu architecture", "8") || says("cpu architecture", "AArch64") {
            "aarch64"
        } else {
            "armv7l"
        }
    } else if has("hart") {
        if says("isa", "rv32") { "riscv32" } else { "riscv64" }
    } else if says("cpu family", "Loongson") {
        "loongarch64"
    } else if says("vendor_id", "IBM/S390") {
        "s390x"
    } else if says("cpu", "POWER") {
        "ppc64"
    } else {
        ""
    }
}

/// A file system in use, for the doctor's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountedDisk {
    /// As mount(8) names it: `/dev/sda1`.
    pub device: String,
    /// Where it is mounted.
    pub mount_point: String,
    /// `ext4`, `xfs`, …
    pub file_system: String,
    /// Size in MiB.
    pub total_mib: u64,
    /// Free space in MiB.
    pub available_mib: u64,
}

/// Local file systems in use on this machine. It asks each file system for its size, which a stuck one may not answer
/// at all: never call it from the daemon's loop.
#[must_use]
pub fn mounted_disks() -> Vec<MountedDisk> {
    let Ok(disks) = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage())
    else {
        return Vec::new();
    };
    let mib = |bytes: u64| bytes / (1024 * 1024);
    disks
        .iter()
        .map(|disk| MountedDisk {
            device: shown(disk.name()),
            mount_point: shown(disk.mount_point().as_os_str()),
            file_system: shown(disk.file_system()),
            total_mib: mib(disk.total_space()),
            available_mib: mib(disk.available_space()),
        })
        .collect()
}
