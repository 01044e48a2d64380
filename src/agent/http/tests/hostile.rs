//! Bad input: each gets a clear answer or an end, and the agent goes on.

use super::*;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Nobody, on Debian and elsewhere.
const NOBODY: u32 = 65_534;

/// Junk of a mebibyte on one connection: an error, or an end.
async fn pour<S: AsyncReadExt + AsyncWriteExt + Unpin>(mut stream: S, junk: &[u8]) {
    let _ = stream.write_all(junk).await;
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
}

#[tokio::test]
async fn a_mebibyte_of_junk_is_answered_or_cut_off() {
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 64, true);
    let mebibyte = 1024 * 1024;
    for junk in [vec![0; mebibyte], vec![b'A'; mebibyte], b"GET / HTTP/1.1\r\nx: ".repeat(mebibyte / 19)] {
        pour(served.connect().await, &junk).await;
        pour(TcpStream::connect(served.loopback.unwrap()).await.unwrap(), &junk).await;
    }
    assert_eq!(served.get("/healthz").await.status, 200);
    served.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_the_limit() {
    let served = Served::new(&["acme"]);
    let mebibyte = vec![b'x'; 1024 * 1024];
    for target in ["/v1/requests", "/v1/responses"] {
        let reply = served.post(target, &mebibyte).await;
        assert_eq!(reply.problem(), (413, "too_large".to_owned()), "{target}");
        let chunked = [
            format!("POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n100000\r\n")
                .as_bytes(),
            &mebibyte,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        assert_eq!(served.send(&chunked).await.problem(), (413, "too_large".to_owned()), "{target}");
        // Who asks first is spared the sending.
        let expecting = format!(
            "POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 1048576\r\n\r\n"
        );
        assert_eq!(
            served.send(expecting.as_bytes()).await.problem(),
            (413, "too_large".to_owned()),
            "{target}"
        );
    }
    served.stop().await;
}

#[tokio::test]
async fn slow_heads_and_bodies_run_out_of_time() {
    let limits =
        Limits { head: Duration::from_millis(50), body: Duration::from_millis(50), ..Limits::default() };
    let served = Served::with(Bench::new(&["acme"]), limits, 64, false);
    let mut stream = served.connect().await;
    stream.write_all(b"GET /healthz HT").await.unwrap();
    let mut rest = Vec::new();
    soon(stream.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));

    let mut stream = served.connect().await;
    stream.write_all(b"POST /v1/requests HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    assert_eq!(read_reply(stream).await.problem(), (408, "timed_out".to_owned()));
    served.stop().await;
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let served = Served::new(&["acme"]);
    let long = format!("/v1/entitlements/f?version={}", "1".repeat(32 * 1024));
    let reply = served.get(&long).await;
    assert!((400..=431).contains(&reply.status), "{reply}");
    let headers = "x: y\r\n".repeat(500);
    let reply = served.send(&request("GET", "/healthz", &headers, b"")).await;
    assert_eq!(reply.status, 431, "{reply}");
    served.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_politely() {
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 4, false);
    let mut open = Vec::new();
    for _ in 0..4 {
        let mut stream = served.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut buffer = [0; 1024];
        assert!(soon(stream.read(&mut buffer)).await.unwrap() > 0);
        open.push(stream);
    }
    for _ in 0..50 {
        let refused = served.get("/v1/entitlements/f3").await;
        assert_eq!(refused.problem(), (503, "too_many_connections".to_owned()));
        assert!(refused.head.contains("retry-after: 2"), "{refused}");
    }
    // Those who are in are served as before.
    let mut buffer = [0; 1024];
    open[0].write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(soon(open[0].read(&mut buffer)).await.unwrap() > 0);
    open.pop();
    let again = async {
        while served.get("/healthz").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
    served.stop().await;
}

/// So many connections of another user.
fn connect_as(uid: u32, socket: &std::path::Path, count: usize) -> Vec<std::os::unix::net::UnixStream> {
    std::thread::scope(|scope| {
        let connecting = scope.spawn(|| {
            // This thread only, and it ends here.
            rustix::thread::set_thread_uid(rustix::thread::Uid::from_raw(uid)).unwrap();
            (0..count).map(|_| std::os::unix::net::UnixStream::connect(socket).unwrap()).collect()
        });
        connecting.join().unwrap()
    })
}

#[tokio::test]
async fn p9_one_user_with_many_connections_locks_out_nobody() {
    let name = "p9_one_user_with_many_connections_locks_out_nobody";
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: {name} needs root to become another user");
        return;
    }
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 16, false);
    let socket = served.socket.clone();
    let hoarded = connect_as(NOBODY, &socket, 64);
    assert_eq!(served.get("/v1/status").await.status, 200, "an administrator");
    let others = tokio::task::spawn_blocking(move || {
        [NOBODY, NOBODY - 1].map(|uid| curl_as(uid, &socket, "/v1/entitlements/f3", &[]))
    });
    let [hoarder, other] = soon(others).await.unwrap();
    assert!(hoarder.ends_with("\n503") || hoarder.ends_with("\n000"), "{hoarder}");
    assert!(other.ends_with("\n200"), "{other}");
    drop(hoarded);
    served.stop().await;
}

#[tokio::test]
async fn p9_the_loopback_port_does_not_take_the_places_of_the_socket() {
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 8, true);
    let mut hoarded = Vec::new();
    for _ in 0..32 {
        hoarded.push(TcpStream::connect(served.loopback.unwrap()).await.unwrap());
    }
    for _ in 0..20 {
        assert_eq!(served.get("/v1/status").await.status, 200);
    }
    drop(hoarded);
    served.stop().await;
}

#[tokio::test]
async fn idle_connections_give_their_place_back() {
    let limits = Limits { head: Duration::from_millis(50), ..Limits::default() };
    let served = Served::with(Bench::new(&["acme"]), limits, 1, false);
    let mut idle = served.connect().await;
    let mut rest = Vec::new();
    soon(idle.read_to_end(&mut rest)).await.unwrap();
    let again = async {
        while served.get("/healthz").await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    soon(again).await;
    served.stop().await;
}

/// What `curl` prints as another user: the body, then the status.
fn curl_as(uid: u32, socket: &std::path::Path, target: &str, more: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "30", "--write-out", "\n%{http_code}", "--unix-socket"])
        .arg(socket)
        .args(more)
        .arg(format!("http://landfast{target}"))
        .uid(uid)
        .gid(uid)
        .output()
        .expect("curl runs");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn p9_another_user_reads_but_does_not_administer() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: p9_another_user_reads_but_does_not_administer needs root to become another user");
        return;
    }
    let served = Served::new(&["acme"]);
    served.bench.activate(0, &[3]);
    let socket = served.socket.clone();
    let answers = tokio::task::spawn_blocking(move || {
        let body = ["--data", "{\"command\":\"return\",\"all\":true}"];
        let large = "x".repeat(100_000);
        [
            ("/v1/entitlements/f3", 200, curl_as(NOBODY, &socket, "/v1/entitlements/f3", &[])),
            ("/v1/status", 200, curl_as(NOBODY, &socket, "/v1/status", &[])),
            ("/v1/history", 403, curl_as(NOBODY, &socket, "/v1/history", &[])),
            ("/v1/requests", 403, curl_as(NOBODY, &socket, "/v1/requests", &[])),
            ("POST /v1/requests", 403, curl_as(NOBODY, &socket, "/v1/requests", &body)),
            ("POST /v1/responses", 403, curl_as(NOBODY, &socket, "/v1/responses", &["--data", &large])),
            ("root: /v1/requests", 200, curl_as(0, &socket, "/v1/requests", &[])),
        ]
    });
    for (call, status, printed) in soon(answers).await.unwrap() {
        let (body, code) = printed.rsplit_once('\n').unwrap();
        assert_eq!(code, status.to_string(), "{call}: {printed}");
        if status == 403 {
            let problem: landfast_protocol::local::Problem = serde_json::from_str(body).unwrap();
            assert_eq!(
                (problem.code.as_str(), problem.advice.is_empty()),
                ("not_permitted", false),
                "{call}"
            );
        }
    }
    let check: landfast_protocol::local::Check = served.get("/v1/entitlements/f3").await.json();
    assert!(check.granted, "nothing was returned");
    served.stop().await;
}
