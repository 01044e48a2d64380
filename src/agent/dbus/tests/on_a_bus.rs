//! The agent on a real bus: its name, other users, and a bus that goes and comes.

use super::daemon::Daemon;
use super::*;
use crate::dbus::{Bus, BusError, NAME, serve};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tokio::sync::watch;

/// Nobody, on Debian and elsewhere.
const NOBODY: u32 = 65_534;

fn place() -> (TempDir, PathBuf, Bus) {
    let directory = tempfile::tempdir().unwrap();
    // Other users of the tests are to reach it.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    let socket = directory.path().join("bus");
    let bus = Bus::Address(format!("unix:path={}", socket.display()));
    (directory, socket, bus)
}

async fn caller(daemon: &Daemon) -> Connection {
    Builder::address(daemon.address.as_str()).build().await.unwrap()
}

async fn granted(caller: &Connection, feature: &str) -> zbus::Result<bool> {
    let body = (feature, 1u32, "", "");
    let reply = caller.call_method(Some(NAME), PATH, Some(ENTITLEMENTS), "Check", &body).await?;
    Ok(reply.body().deserialize::<(bool, u32, String, String, String, String, i64, String)>()?.0)
}

#[tokio::test]
async fn d4_the_agent_has_its_name_and_keeps_it() {
    let (directory, socket, bus) = place();
    let daemon = Daemon::start(&directory, &socket);
    let bench = Bench::new(&["acme"]);
    bench.activate(0, &[3]);
    let (stop, shutdown) = watch::channel(false);
    let face = serve(bench.desk.clone(), bus.clone(), shutdown.clone()).await;
    assert!(face.problem().is_none(), "{:?}", face.problem());
    let running = tokio::spawn(face.run());
    let caller = caller(&daemon).await;
    assert!(soon(granted(&caller, "f3")).await.unwrap());
    assert!(!soon(granted(&caller, "f4")).await.unwrap());

    let second = serve(bench.desk.clone(), bus, shutdown).await;
    assert!(matches!(second.problem(), Some(BusError::NameTaken(_))), "{:?}", second.problem());
    let thief = caller.request_name(NAME).await;
    assert!(matches!(thief, Err(zbus::Error::NameTaken)), "{thief:?}");
    assert!(soon(granted(&caller, "f3")).await.unwrap());

    stop.send(true).unwrap();
    soon(running).await.unwrap();
    let gone = soon(granted(&caller, "f3")).await;
    assert!(gone.is_err(), "the name is given up: {gone:?}");
}

/// What `gdbus` prints as another user.
fn gdbus_as(uid: u32, address: &str, method: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("gdbus")
        .args(["call", "--address", address, "--dest", NAME, "--object-path", PATH, "--method", method])
        .args(arguments)
        .uid(uid)
        .gid(uid)
        .output()
        .expect("gdbus runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}

#[tokio::test]
async fn p9_another_user_checks_but_does_not_administer() {
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SKIPPED: p9_another_user_checks_but_does_not_administer needs root to become another user"
        );
        return;
    }
    let (directory, socket, bus) = place();
    let daemon = Daemon::start(&directory, &socket);
    let bench = Bench::new(&["acme"]);
    bench.activate(0, &[3]);
    let (stop, shutdown) = watch::channel(false);
    let running = tokio::spawn(serve(bench.desk.clone(), bus, shutdown).await.run());
    let address = daemon.address.clone();
    let answers = tokio::task::spawn_blocking(move || {
        let all: [(&str, &[&str]); 8] = [
            ("Activate", &["[('01234567-89ab-4cde-8f01-23456789abcd', 0)]", "", "false"]),
            ("Return", &["[('0123456789', 0)]", "", "false", "true"]),
            ("ReturnAll", &["", "false", "false"]),
            ("Reclaim", &["", "false"]),
            ("PlanChange", &["604800", "", "false"]),
            ("Import", &["[byte 1, 2]"]),
            ("Rescan", &[]),
            ("Pending", &[]),
        ];
        for (method, arguments) in all {
            let (done, printed) = gdbus_as(NOBODY, &address, &format!("{ADMIN}.{method}"), arguments);
            assert!(!done && printed.contains("io.landfast.Error.NotPermitted"), "{method}: {printed}");
            assert!(printed.contains("next: run the command as root"), "{method}: {printed}");
        }
        let check = gdbus_as(NOBODY, &address, &format!("{ENTITLEMENTS}.Check"), &["f3", "1", "", ""]);
        assert!(check.0 && check.1.contains("true"), "{}", check.1);
        let root = gdbus_as(0, &address, &format!("{ADMIN}.Pending"), &[]);
        assert!(root.0, "{}", root.1);
    });
    soon(answers).await.unwrap();
    assert_eq!(bench.desk.snapshot.load().issuers[0].licenses.len(), 1, "nothing was returned");
    stop.send(true).unwrap();
    soon(running).await.unwrap();
}

#[tokio::test]
async fn p12_the_agent_goes_on_without_a_bus_and_gets_back_on_it() {
    let (directory, socket, bus) = place();
    let bench = Bench::new(&["acme"]);
    bench.activate(0, &[3]);
    let (stop, shutdown) = watch::channel(false);
    let mut face = serve(bench.desk.clone(), bus, shutdown).await;
    let problem = face.problem().expect("there is no bus yet").to_string();
    assert!(problem.contains("goes on without it"), "{problem}");
    face.first_wait = Duration::from_millis(5);
    let running = tokio::spawn(face.run());
    for _ in 0..2 {
        let daemon = Daemon::start(&directory, &socket);
        let caller = caller(&daemon).await;
        let on_it = async {
            while granted(&caller, "f3").await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        soon(on_it).await;
        // The daemon ends here, and the next one takes its place.
        drop(daemon);
        std::fs::remove_file(&socket).unwrap();
    }
    stop.send(true).unwrap();
    soon(running).await.unwrap();
}

#[test]
fn buses_are_named() {
    assert_eq!("system".parse(), Ok(Bus::System));
    assert_eq!("session".parse(), Ok(Bus::Session));
    assert_eq!("unix:path=/tmp/bus".parse(), Ok(Bus::Address("unix:path=/tmp/bus".to_owned())));
    assert!("sytem".parse::<Bus>().is_err());
}
