//! The kernel of the machine that the tests run on.

use crate::common::values;
use landfast_hardware::{ChangeSource, Changes, Collector, KernelChanges, RescanRequests, mounted_disks};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::reading::Reading;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Waits for news, at most half a minute.
fn next(source: &dyn ChangeSource) -> Changes {
    let mut ready = [rustix::event::PollFd::from_borrowed_fd(source.as_fd(), rustix::event::PollFlags::IN)];
    let deadline = rustix::event::Timespec { tv_sec: 30, tv_nsec: 0 };
    rustix::event::poll(&mut ready, Some(&deadline)).unwrap();
    source.drain().unwrap()
}

/// Drains until an event of `device` has come.
fn until(source: &KernelChanges, device: &Path) -> Vec<Changes> {
    let mut all = Vec::new();
    loop {
        let changes = next(source);
        assert!(
            changes != Changes::default() || all.len() < 1000,
            "nothing was heard of {}",
            device.display()
        );
        let found = changes.events.iter().any(|event| Path::new(&event.device) == device);
        all.push(changes);
        if found {
            return all;
        }
    }
}

/// Some disk or card with hardware behind it, as `/devices/…`, whose events can be asked for.
fn some_device() -> Option<PathBuf> {
    let found = ["/sys/class/net", "/sys/block"]
        .iter()
        .flat_map(|class| std::fs::read_dir(class).into_iter().flatten().flatten())
        .filter_map(|entry| entry.path().canonicalize().ok())
        .filter(|place| !place.starts_with("/sys/devices/virtual"))
        .find(|place| std::fs::OpenOptions::new().write(true).open(place.join("uevent")).is_ok())
        .and_then(|place| Some(Path::new("/").join(place.strip_prefix("/sys").ok()?)));
    if found.is_none() {
        eprintln!(
            "SKIPPED: no device here lets its events be asked for (this needs root and a writable /sys)"
        );
    }
    found
}

/// Has the kernel send an event of a device, as `udevadm trigger` does.
fn trigger(device: &Path) {
    std::fs::write(Path::new("/sys").join(device.strip_prefix("/").unwrap()).join("uevent"), "change")
        .unwrap();
}

#[test]
fn this_machine_reads_the_same_twice() {
    let collector = Collector::of_this_machine();
    let reading = collector.collect();
    assert_eq!(
        Evidence::digest(&reading, &crate::common::issuer()),
        Evidence::digest(&collector.collect(), &crate::common::issuer())
    );
    assert!(reading.factors.iter().any(|read| matches!(read.reading, Reading::Present(_))));
    let about = collector.describe();
    assert!(
        about.cpus > 0 && about.memory_mib > 0 && !about.kernel.is_empty() && !about.architecture.is_empty()
    );
    for disk in mounted_disks() {
        assert!(disk.available_mib <= disk.total_mib);
    }
}

#[test]
fn the_kernels_events_are_heard_and_those_of_virtual_devices_left_out() {
    let Some(device) = some_device() else { return };
    let changes = KernelChanges::listen().unwrap();
    trigger(Path::new("/devices/virtual/net/lo"));
    trigger(&device);
    let heard = until(&changes, &device);
    assert!(heard.iter().any(|changes| changes.rescan));
    assert!(heard.iter().flat_map(|changes| &changes.events).all(|event| !event.device.ends_with("/lo")));
}

#[test]
fn what_other_programs_send_is_not_believed() {
    let Some(device) = some_device() else { return };
    let changes = KernelChanges::listen().unwrap();
    let own = SocketAddrNetlink::try_from(rustix::net::getsockname(&changes).unwrap()).unwrap();
    let liar = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(KOBJECT_UEVENT),
    )
    .unwrap();
    let lie = b"remove@/devices/pci0000:00/forged/net/eth9\0ACTION=remove\0SUBSYSTEM=net\0";
    let to = SocketAddrNetlink::new(own.pid(), 0);
    if let Err(error) = rustix::net::sendto(&liar, lie, SendFlags::empty(), &to) {
        eprintln!("SKIPPED: the kernel does not let this user send such a message at all: {error}");
        return;
    }
    trigger(&device);
    let heard = until(&changes, &device);
    assert!(heard.iter().flat_map(|changes| &changes.events).all(|event| !event.device.contains("forged")));
}

#[test]
fn events_that_were_lost_are_a_reason_to_look_again() {
    let Some(device) = some_device() else { return };
    let changes = KernelChanges::listen().unwrap();
    sockopt::set_socket_recv_buffer_size(&changes, 2048).unwrap();
    // Of no interest, and more than the socket holds.
    for _ in 0..2000 {
        trigger(Path::new("/devices/virtual/net/lo"));
    }
    assert!(next(&changes).rescan);
    // It goes on hearing.
    trigger(&device);
    until(&changes, &device);
}

#[test]
fn a_look_is_had_for_the_asking() {
    let requests = RescanRequests::new().unwrap();
    assert_eq!(requests.drain().unwrap(), Changes::default());
    let other = requests.clone();
    other.request().unwrap();
    other.request().unwrap();
    assert!(next(&requests).rescan);
    assert_eq!(requests.drain().unwrap(), Changes::default(), "two requests are one look");
}

/// An interface that is taken away at the end.
struct Interface(&'static str);

impl Interface {
    fn add(name: &'static str, arguments: &[&str]) -> Option<Self> {
        let made = Command::new("ip").args(["link", "add", name]).args(arguments).output();
        match made {
            Ok(output) if output.status.success() => Some(Self(name)),
            Ok(output) => {
                eprintln!(
                    "SKIPPED: no interface can be made here: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: ip(8) cannot be run: {error}");
                None
            }
        }
    }
}
impl Drop for Interface {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", self.0]).status();
    }
}

#[test]
fn p1_a_real_bridge_and_a_real_veth_change_nothing() {
    let collector = Collector::of_this_machine();
    let before = Evidence::digest(&collector.collect(), &crate::common::issuer());
    let changes = KernelChanges::listen().unwrap();
    let Some(_bridge) = Interface::add("lfbridge0", &["type", "bridge"]) else { return };
    let Some(_veth) = Interface::add("lfveth0", &["type", "veth", "peer", "name", "lfveth1"]) else { return };
    let reading = collector.collect();
    assert_eq!(Evidence::digest(&reading, &crate::common::issuer()), before);
    for name in ["lfbridge0", "lfveth0", "lfveth1"] {
        assert!(crate::common::reason(&reading, name).contains("virtual"));
    }
    let heard = changes.drain().unwrap();
    assert!(heard.events.iter().all(|event| !event.device.contains("/lf")), "{heard:?}");
    assert!(!values(&reading, Factor::Cpu).is_empty() || cfg!(not(target_arch = "x86_64")));
}

#[test]
fn sources_of_changes_fit_an_event_loop() {
    fn fits<T: std::os::fd::AsRawFd + Send>(_: &T) {}
    let requests = RescanRequests::new().unwrap();
    fits(&requests);
    let any: Box<dyn ChangeSource> = Box::new(requests);
    fits(&any);
}
