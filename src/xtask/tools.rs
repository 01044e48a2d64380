//! Programs from Debian that tests and the demo use. Root gets them installed, everybody else is told.

use crate::steps::execute;
use anyhow::{Result, bail};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// A file that shows that a tool is here, and the package that brings it.
type Tool = (&'static str, &'static str);

/// What the tests use.
pub const FOR_TESTS: [Tool; 13] = [
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
];

/// What the demo and the benchmark use.
pub const FOR_DEMO: [Tool; 5] = [
    ("curl", "curl"),
    ("dbus-daemon", "dbus-daemon"),
    ("gcc", "gcc"),
    ("gdbus", "libglib2.0-bin"),
    ("/etc/ssl/certs/ca-certificates.crt", "ca-certificates"),
];

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

fn is_root() -> Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}
