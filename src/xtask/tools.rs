//! Programs from Debian that tests and the demo use. Root gets them installed, everybody else is told.

use crate::steps::execute;
use anyhow::{Result, bail};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// A file that shows that a tool is here, and the package that brings it.
type Tool = (&'static str, &'static str);

/// What the tests use.
pub const FOR_TESTS: [Tool; 14] = [
    ("bzip2", "bzip2"),
    ("busctl", "systemd"),
    ("curl", "curl"),
    ("dbus-daemon", "dbus-daemon"),
    ("gcc", "gcc"),
    ("gdbus", "libglib2.0-bin"),
    ("ip", "iproute2"),
    ("pkg-config", "pkg-config"),
    ("python3", "python3"),
    ("xz", "xz-utils"),
    ("/usr/lib/python3/dist-packages/dbus/__init__.py", "python3-dbus"),
    ("/usr/lib/python3/dist-packages/gi/__init__.py", "python3-gi"),
    ("/etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
    ("swtpm", "swtpm"),
];

/// What the demo and the benchmark use.
pub const FOR_DEMO: [Tool; 5] = [
    ("curl", "curl"),
    ("dbus-daemon", "dbus-daemon"),
    ("gcc", "gcc"),
    ("gdbus", "libglib2.0-bin"),
    ("/etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
];

/// What the lab uses: virtual machines and their images.
const FOR_MACHINES: [Tool; 9] = [
    ("mkfs.ext4", "e2fsprogs"),
    ("mmdebstrap", "mmdebstrap"),
    ("qemu-img", "qemu-utils"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("setpriv", "util-linux"),
    ("ssh-keygen", "openssh-client"),
    ("strip", "binutils"),
    ("swtpm", "swtpm"),
    ("tar", "tar"),
];

/// Sees to it that the tools of the lab are here.
pub fn ensure_machines() -> Result<()> {
    if is_here("qemu-img") && !is_here("qemu-system-x86_64") && is_root()? {
        // Both parts of QEMU have to be of one version, and the one that is here may be newer than Debian's.
        let known =
            Command::new("apt-cache").args(["show", "--no-all-versions", "qemu-system-x86"]).output()?;
        let known = String::from_utf8_lossy(&known.stdout).into_owned();
        if let Some(version) = known.lines().find_map(|line| line.strip_prefix("Version: ")) {
            println!("installing qemu-system-x86 and qemu-utils {version}");
            let mut install = apt();
            install.args(["install", "--yes", "--no-install-recommends", "--allow-downgrades"]);
            install.args(["qemu-system-x86".to_owned(), format!("qemu-utils={version}")]);
            // Where that fails, the lists are old or missing: they are renewed below.
            let _ = execute(&mut install);
        }
    }
    ensure(&FOR_MACHINES)
}

/// Whether the tools of the lab are here already.
pub fn has_machines() -> bool {
    FOR_MACHINES.iter().all(|tool| is_here(tool.0))
}

/// Sees to it that the tools are here.
pub fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&str> = tools.iter().filter(|tool| !is_here(tool.0)).map(|tool| tool.1).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if !is_root()? {
        bail!("these packages are missing; have root run: apt-get install {wanted}");
    }
    println!("installing {wanted}");
    let install = || {
        let mut command = apt();
        command.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
        command
    };
    // Fresh machines and containers have no package lists, or old ones.
    if execute(&mut install()).is_err() {
        execute(apt().arg("update"))?;
        execute(&mut install())?;
    }
    match tools.iter().find(|tool| !is_here(tool.0)) {
        Some((file, package)) => bail!("{package} is installed, but {file} is not in PATH"),
        None => Ok(()),
    }
}

/// Whether a program is in PATH, or a file at its place.
pub fn is_here(file: &str) -> bool {
    if file.starts_with('/') {
        return Path::new(file).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(file).is_file())
}

/// Whether this process may install packages.
pub fn is_root() -> Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
