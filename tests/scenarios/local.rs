//! The local socket: who may do what, and callers that misbehave.

use crate::support::Stage;
use landfast_tests::harness::{DEADLINE, binary, is_root, run, skipped, wait_for};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

#[test]
fn p9_another_user_may_check_but_not_administer() {
    if !is_root() {
        return skipped("p9_another_user_may_check_but_not_administer", "needs root to become another user");
    }
    let stage = Stage::new();
    let id = stage.sell(1);
    stage.agent.activate(&id).unwrap();
    // The other user has to reach the program and the socket at all.
    for path in [stage.directory.path(), &stage.agent.directory] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let program = stage.directory.path().join("landfast");
    std::fs::copy(binary("landfast").unwrap(), &program).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        run(command.arg("--socket").arg(stage.agent.socket()).args(arguments), "").unwrap()
    };
    let check = as_nobody(&["check", "points"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    for arguments in [&["return", "--all", "--yes"][..], &["reclaim"], &["activate", &id], &["rescan"]] {
        let ran = as_nobody(arguments);
        assert_eq!(ran.code, Some(5), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("next"), "{ran:?}");
    }
    assert!(stage.agent.granted("points").unwrap());
}

#[test]
fn p9_nothing_listens_on_the_network() {
    let mut stage = Stage::new();
    let pid = stage.agent.process().unwrap().id();
    let mut sockets = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let Ok(target) = std::fs::read_link(entry.unwrap().path()) else { continue };
        if let Some(inode) = target.to_str().and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')) {
            sockets.push(inode.to_owned());
        }
    }
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // State 0A is listening; UDP sockets have no such state and there is to be none at all.
            let counts = fields[3] == "0A" || table.starts_with("udp");
            assert!(!(counts && sockets.contains(&fields[9].to_owned())), "{table}: {line}");
        }
    }
}

#[test]
fn p9_junk_and_callers_that_never_read_leave_the_agent_answering() {
    let stage = Stage::new();
    let junk = vec![b'x'; 1024 * 1024];
    let mut stuck = Vec::new();
    for _ in 0..4 {
        let mut stream = UnixStream::connect(stage.agent.socket()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let _ = stream.write(&junk);
        stuck.push(stream);
        let mut silent = UnixStream::connect(stage.agent.socket()).unwrap();
        silent.write_all(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stuck.push(silent);
    }
    stage.expect(&["check", "points"], 1, "not_licensed");
}

#[test]
fn p9_more_connections_than_the_limit_are_refused_politely() {
    let stage = Stage::new();
    let mut open = Vec::new();
    let refused = (0..100).find_map(|_| {
        let mut stream = UnixStream::connect(stage.agent.socket()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        // A refused connection may be closed before this is written.
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        open.push(stream);
        (!answer.starts_with("HTTP/1.1 200")).then_some(answer)
    });
    let refused = refused.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(open.len() > 32, "only {} connections were served", open.len());
    drop(open);
    wait_for("room again", || stage.agent.landfast(&["status"]).ok().filter(|ran| ran.code == Some(0)))
        .unwrap();
}
