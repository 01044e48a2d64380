//! The interface over real sockets, with real state machines behind the desk.

mod answers;
mod commands;
mod documents;
mod events;
mod hostile;
mod loopback;
mod openapi;
mod sockets;

use crate::front::fixture::Bench;
use crate::http::face::Limits;
use crate::http::{Server, Settings};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(60);

/// A served interface.
struct Served {
    bench: Bench,
    socket: PathBuf,
    loopback: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
    _directory: TempDir,
}

/// An answer taken apart.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Served {
    fn new(issuers: &[&str]) -> Self {
        Self::with(Bench::new(issuers), Limits::default(), 64, false)
    }

    fn with(bench: Bench, limits: Limits, max_connections: usize, loopback: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("agent.sock");
        // Other users of the tests are to reach it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).unwrap();
        let (stop, shutdown) = watch::channel(false);
        let settings = Settings {
            socket: socket.clone(),
            loopback: loopback.then(|| "127.0.0.1:0".parse().unwrap()),
            max_connections,
        };
        let server = Server::bind(bench.desk.clone(), &settings, limits, shutdown).unwrap();
        let loopback = server.loopback();
        let running = tokio::spawn(server.run());
        Self { bench, socket, loopback, stop, running, _directory: directory }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    async fn get(&self, target: &str) -> Reply {
        self.send(&request("GET", target, "", b"")).await
    }

    async fn post(&self, target: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send(&request("POST", target, "", body.as_ref())).await
    }

    async fn send(&self, bytes: &[u8]) -> Reply {
        exchange(self.connect().await, bytes).await
    }

    async fn send_tcp(&self, bytes: &[u8]) -> Reply {
        exchange(TcpStream::connect(self.loopback.unwrap()).await.unwrap(), bytes).await
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        soon(self.running).await.unwrap();
    }
}

impl Reply {
    fn json<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{self}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of a problem document, which must be whole.
    fn problem(&self) -> (u16, String) {
        assert!(self.head.contains("content-type: application/problem+json"), "{self}");
        let problem: landfast_protocol::local::Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.kind, format!("urn:landfast:problem:{}", problem.code));
        for text in [&problem.title, &problem.detail, &problem.advice] {
            assert!(!text.is_empty(), "{self}");
        }
        (problem.status, problem.code)
    }
}
impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = if method == "POST" { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    let head =
        format!("{method} {target} HTTP/1.1\r\nhost: landfast\r\nconnection: close\r\n{headers}{length}\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends everything, then reads to the end.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, bytes: &[u8]) -> Reply {
    // Who is refused early may find the way closed while it still writes; the answer is there all the same.
    let _ = stream.write_all(bytes).await;
    read_reply(stream).await
}

async fn read_reply<S: AsyncRead + Unpin>(mut stream: S) -> Reply {
    let mut all = Vec::new();
    // A server that closes over unread bytes resets the connection behind its answer.
    let _ = soon(stream.read_to_end(&mut all)).await;
    let end = all.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("no answer, only {:?}", String::from_utf8_lossy(&all));
    });
    let head = String::from_utf8(all[..end + 2].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body: all[end + 4..].to_vec() }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it took too long")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
