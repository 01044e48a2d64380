//! The optional loopback port: read-only, and closed to web pages.

use super::*;
use crate::http::{BindError, serve};

fn over(served: &Served, method: &str, target: &str, host: &str, headers: &str) -> Vec<u8> {
    let host = host.replace("PORT", &served.loopback.unwrap().port().to_string());
    let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
    format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}{length}\r\n")
        .into_bytes()
}

#[tokio::test]
async fn p9_the_loopback_port_reads_only_and_refuses_web_pages() {
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 64, true);
    let here = "127.0.0.1:PORT";
    for (method, target, host, headers, status, code) in [
        ("GET", "/v1/entitlements/f3", here, "", 200, ""),
        ("GET", "/v1/status", "localhost:PORT", "sec-fetch-site: none\r\n", 200, ""),
        ("GET", "/metrics", "[::1]:PORT", "sec-fetch-site: same-origin\r\n", 200, ""),
        ("GET", "/v1/status", "evil.example", "", 403, "foreign_host"),
        ("GET", "/v1/status", "evil.example:PORT", "", 403, "foreign_host"),
        ("GET", "/v1/status", "127.0.0.1:1", "", 403, "foreign_host"),
        ("GET", "/v1/status", here, "host: evil.example\r\n", 403, "foreign_host"),
        ("GET", "/v1/status", here, "origin: https://evil.example\r\n", 403, "cross_origin"),
        ("GET", "/v1/status", here, "origin: null\r\n", 403, "cross_origin"),
        ("GET", "/v1/status", here, "sec-fetch-site: cross-site\r\n", 403, "cross_origin"),
        ("GET", "/v1/status", here, "sec-fetch-site: same-site\r\n", 403, "cross_origin"),
        ("GET", "/v1/history", here, "", 403, "not_permitted"),
        ("GET", "/v1/requests", here, "", 403, "not_permitted"),
        ("POST", "/v1/requests", here, "", 403, "not_permitted"),
        ("POST", "/v1/responses", here, "", 403, "not_permitted"),
    ] {
        let reply = served.send_tcp(&over(&served, method, target, host, headers)).await;
        assert_eq!(reply.status, status, "{method} {target} {host} {headers}: {reply}");
        if status != 200 {
            assert_eq!(reply.problem().1, code, "{method} {target} {host} {headers}");
        }
    }
    let port = served.loopback.unwrap().port();
    let bare = format!("GET /v1/status HTTP/1.0\r\n\r\nport {port}");
    assert_eq!(served.send_tcp(bare.as_bytes()).await.problem(), (403, "foreign_host".to_owned()));
    served.stop().await;
}

#[tokio::test]
async fn p9_no_port_is_open_unless_configured_and_none_beyond_loopback() {
    let served = Served::new(&["acme"]);
    assert_eq!(served.loopback, None);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let settings = Settings {
            socket: served.socket.with_file_name("other.sock"),
            loopback: Some(address.parse().unwrap()),
            max_connections: 1,
        };
        let refused = serve(served.bench.desk.clone(), &settings, watch::channel(false).1);
        assert!(matches!(refused, Err(BindError::NotLoopback(_))), "{address}");
    }
    served.stop().await;
}
