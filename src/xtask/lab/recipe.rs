//! What the image of a field server is made of: Debian 12, without what a machine in a cabinet has no use for.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The release of Debian.
pub const SUITE: &str = "bookworm";

/// What it is fetched from, beside what apt is configured with.
pub const VARIANT: &str = "minbase";

/// Packages beside the essential ones.
pub const PACKAGES: [&str; 10] = [
    "adjtimex",
    "dbus",
    "iproute2",
    "kmod",
    "libglib2.0-bin",
    "linux-image-cloud-amd64",
    "openssh-server",
    "systemd",
    "systemd-sysv",
    "udev",
];

/// Files put into the image: path and content.
pub const FILES: [(&str, &str); 7] = [
    ("etc/hostname", "field-server\n"),
    ("etc/systemd/system/landfastd.service", include_str!("image/landfastd.service")),
    ("etc/systemd/system/lab-shell.service", include_str!("image/lab-shell.service")),
    ("etc/systemd/network/50-lab.network", include_str!("image/lab.network")),
    ("etc/dbus-1/system.d/io.landfast.Agent1.conf", include_str!("image/landfast.bus.conf")),
    ("etc/sysusers.d/landfast.conf", "u landfast - \"Landfast agent\"\n"),
    ("etc/ssh/sshd_config.d/lab.conf", "UseDNS no\nUsePAM no\nPermitRootLogin prohibit-password\n"),
];

/// Units that are wanted by targets: the target and the unit.
pub const WANTED: [(&str, &str); 5] = [
    ("multi-user.target.wants", "/etc/systemd/system/landfastd.service"),
    ("multi-user.target.wants", "/etc/systemd/system/lab-shell.service"),
    ("multi-user.target.wants", "/lib/systemd/system/systemd-networkd.service"),
    ("sockets.target.wants", "/lib/systemd/system/ssh.socket"),
    ("sockets.target.wants", "/lib/systemd/system/systemd-networkd.socket"),
];

/// Units that only cost time where every instruction is emulated.
pub const MASKED: [&str; 23] = [
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "kmod-static-nodes.service",
    "modprobe@.service",
    "serial-getty@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-logind.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
    "systemd-user-sessions.service",
    "systemd-journal-catalog-update.service",
];

/// What packages have units wanted for, and the lab does not want: its ssh server starts when somebody comes.
pub const UNWANTED: [&str; 1] = ["multi-user.target.wants/ssh.service"];

/// Size of the disk. What is not written takes no room.
pub const DISK_BYTES: u64 = 2 << 30;

/// Raised when the way in which an image is built changes.
const REVISION: u32 = 1;

/// Names the recipe: another recipe gives another image.
pub fn key() -> String {
    let mut hasher = DefaultHasher::new();
    (REVISION, SUITE, VARIANT, PACKAGES, FILES, WANTED, MASKED, UNWANTED, DISK_BYTES).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
