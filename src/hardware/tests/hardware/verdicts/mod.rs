//! The table of verdicts in `docs/hardware.md`, from files to verdicts by the default policy: each change is a test.
//! Those that real recordings show are in `pairs.rs`.

mod machines;
mod nothing;
mod repairs;
mod rights;

use crate::common::evidence;
use landfast_hardware::fixture::{Board, Card, Disk, FieldServer, Recording};
use landfast_protocol::binding::{BindingPolicy, Comparison, Verdict, compare};
use landfast_protocol::evidence::Evidence;

fn judge(enrolled: &Evidence, current: &Evidence) -> Comparison {
    compare(enrolled, current, &BindingPolicy::default())
}

/// Writes a server, lets `change` happen to it, and gives both fingerprints.
fn both(server: &FieldServer, change: impl FnOnce(&Recording)) -> (Evidence, Evidence) {
    let directory = tempfile::tempdir().unwrap();
    let recording = server.write(directory.path()).unwrap();
    let enrolled = evidence(recording.path());
    assert_eq!(judge(&enrolled, &enrolled).verdict, Verdict::Bound);
    change(&recording);
    (enrolled, evidence(recording.path()))
}

#[track_caller]
fn expect(verdict: Verdict, server: &FieldServer, change: impl FnOnce(&Recording)) {
    let (enrolled, current) = both(server, change);
    let found = judge(&enrolled, &current);
    assert_eq!(found.verdict, verdict, "{found:#?}");
}

/// A change after which not even a digit of the score differs.
#[track_caller]
fn unchanged(server: &FieldServer, change: impl FnOnce(&Recording)) {
    let (enrolled, current) = both(server, change);
    assert_eq!(enrolled, current);
}

/// A server becomes another one.
#[track_caller]
fn becomes(verdict: Verdict, before: &FieldServer, now: &FieldServer) {
    let directory = tempfile::tempdir().unwrap();
    let enrolled = evidence(before.write(directory.path().join("before")).unwrap().path());
    let current = evidence(now.write(directory.path().join("now")).unwrap().path());
    let found = judge(&enrolled, &current);
    assert_eq!(found.verdict, verdict, "{found:#?}");
}

fn server() -> FieldServer {
    FieldServer::example(1)
}

fn one_disk() -> FieldServer {
    FieldServer { disks: vec![Disk::ata("sda", "ONLY0001")], ..server() }
}

fn guest() -> FieldServer {
    let board = Board {
        vendor: "QEMU".into(),
        product: "Standard PC (Q35 + ICH9, 2009)".into(),
        ..Board::example(3)
    };
    FieldServer {
        board: Some(board),
        disks: vec![Disk::virtio("vda", "vol-77aa01")],
        cards: vec![Card::new("ens3", "52:54:00:7a:01:02")],
        virtual_machine: true,
        ..FieldServer::example(3)
    }
}

fn new_cards(server: &Recording) {
    for (name, mac) in [("eth0", "00:30:d6:99:00:01"), ("eth1", "00:30:d6:99:00:02")] {
        server.swap_card(name, &Card::new(name, mac)).unwrap();
    }
}

fn new_disk(server: &Recording) {
    server.swap_disk("sda", &Disk::ata("sda", "NEW00001")).unwrap();
}

fn reinstalled(server: &Recording) {
    server.set_machine_id(&"cd".repeat(16)).unwrap();
}

/// An interface without hardware, as containers, bridges and tunnels have.
fn virtual_interface(server: &Recording, name: &str, kind: &str) {
    let place = format!("sys/devices/virtual/net/{name}");
    for (file, content) in
        [("type", "1"), ("address", "00:30:d6:00:01:01"), ("uevent", &format!("DEVTYPE={kind}"))]
    {
        server.write_file(format!("{place}/{file}"), format!("{content}\n")).unwrap();
    }
    server.write_link(format!("sys/class/net/{name}"), place).unwrap();
}
