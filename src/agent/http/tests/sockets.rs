//! Who owns the socket's path.

use super::*;
use crate::http::{BindError, serve};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn settings(socket: &Path) -> Settings {
    Settings { socket: socket.to_owned(), loopback: None, max_connections: Settings::MAX_CONNECTIONS }
}

fn bind(served: &Served, socket: &Path) -> Result<Server, BindError> {
    serve(served.bench.desk.clone(), &settings(socket), watch::channel(false).1)
}

#[tokio::test]
async fn a_second_agent_is_refused_and_changes_nothing() {
    let served = Served::new(&["acme"]);
    let refused = bind(&served, &served.socket);
    assert!(matches!(refused, Err(BindError::AlreadyServed(_))));
    assert_eq!(served.get("/healthz").await.status, 200);
    let mode = std::fs::metadata(&served.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    let (socket, directory) = (served.socket.clone(), served.socket.with_file_name(""));
    served.stop.send(true).unwrap();
    soon(served.running).await.unwrap();
    assert!(!socket.exists(), "the socket is removed with its agent");
    assert!(directory.join("agent.sock.lock").exists());
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_nothing_else_is() {
    let served = Served::new(&["acme"]);
    let stale = served.socket.with_file_name("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    let server = bind(&served, &stale).unwrap();
    drop(server);
    assert!(!stale.exists());

    let file = served.socket.with_file_name("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(bind(&served, &file), Err(BindError::NotASocket(_))));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");

    let nowhere = served.socket.with_file_name("no").join("agent.sock");
    let error = bind(&served, &nowhere).err().unwrap().to_string();
    assert!(
        error.contains("no/agent.sock.lock") && error.contains("check that its directory exists"),
        "{error}"
    );
    let long = served.socket.with_file_name("x".repeat(120));
    assert!(matches!(bind(&served, &long), Err(BindError::Path { .. })));
    served.stop().await;
}

#[tokio::test]
async fn somebody_elses_socket_is_not_removed_at_the_end() {
    let served = Served::new(&["acme"]);
    let socket = served.socket.clone();
    std::fs::remove_file(&socket).unwrap();
    let other = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    served.stop.send(true).unwrap();
    soon(served.running).await.unwrap();
    assert!(socket.exists());
    drop(other);
}
