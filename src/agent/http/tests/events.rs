//! The event stream.

use super::*;
use crate::front::fixture::server;
use landfast_core::effect::Signal;

/// Reads a stream of events until `wanted` has come.
async fn read_until(stream: &mut UnixStream, seen: &mut String, wanted: &str) {
    let mut buffer = [0; 4096];
    while !seen.contains(wanted) {
        let read = soon(stream.read(&mut buffer)).await.unwrap();
        assert!(read > 0, "{wanted} did not come, only {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

async fn listen(served: &Served) -> (UnixStream, String) {
    let mut stream = served.connect().await;
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut seen = String::new();
    read_until(&mut stream, &mut seen, "retry: 2000\n\n").await;
    assert!(seen.starts_with("HTTP/1.1 200 OK\r\n") && seen.contains("text/event-stream"), "{seen}");
    (stream, seen)
}

#[tokio::test]
async fn listeners_hear_what_changes() {
    let served = Served::new(&["acme"]);
    let (mut stream, mut seen) = listen(&served).await;
    served.bench.activate(0, &[3]);
    read_until(&mut stream, &mut seen, "event: licenses\ndata: {\"issuer\":\"acme\"}\n\n").await;
    read_until(&mut stream, &mut seen, "event: entitlements\ndata: {\"issuer\":\"acme\"}\n\n").await;
    served.bench.swap(server("another", "other", "another"));
    let broken = "event: binding\ndata: {\"issuer\":\"acme\",\"from\":\"bound\",\"to\":\"broken\"}\n\n";
    read_until(&mut stream, &mut seen, broken).await;
    assert!(seen.contains("event: operations\n"), "{seen}");
    // Stopping ends the stream as HTTP ends it, so the listener knows that nothing is missing.
    let reading = async {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        rest
    };
    let (rest, ()) = tokio::join!(soon(reading), served.stop());
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn who_falls_behind_is_told_to_read_afresh() {
    let served = Served::with(Bench::with_queue(&["acme"], 4), Limits::default(), 64, false);
    let (mut stream, mut seen) = listen(&served).await;
    for _ in 0..100 {
        let _ = served.bench.desk.signals.send((0, Signal::OperationsChanged));
    }
    read_until(&mut stream, &mut seen, "event: resync\ndata: {\"issuer\":null}\n\n").await;
    served.stop().await;
}

#[tokio::test]
async fn silence_is_broken_by_a_comment() {
    let limits = Limits { keep_alive: Duration::from_millis(1), ..Limits::default() };
    let served = Served::with(Bench::new(&["acme"]), limits, 64, false);
    let (mut stream, mut seen) = listen(&served).await;
    read_until(&mut stream, &mut seen, "\n:\n\n").await;
    served.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_dropped() {
    let limits = Limits { stall: Duration::from_millis(50), ..Limits::default() };
    let served = Served::with(Bench::new(&["acme"]), limits, 64, false);
    let (stream, _) = listen(&served).await;
    // It does not read any more; the events that it is sent fill every buffer on the way.
    let dropped = async {
        while served.bench.desk.signals.receiver_count() > 0 {
            let _ = served.bench.desk.signals.send((0, Signal::OperationsChanged));
            tokio::task::yield_now().await;
        }
    };
    soon(dropped).await;
    drop(stream);
    assert_eq!(served.get("/healthz").await.status, 200);
    served.stop().await;
}

#[tokio::test]
async fn streams_leave_room_for_checks() {
    let served = Served::with(Bench::new(&["acme"]), Limits::default(), 4, false);
    let first = listen(&served).await;
    let second = listen(&served).await;
    assert_eq!(served.get("/v1/events").await.problem(), (503, "too_many_connections".to_owned()));
    assert_eq!(served.get("/v1/entitlements/f3").await.status, 200);
    drop(first);
    let freed = async {
        while served.bench.desk.signals.receiver_count() > 1 {
            tokio::task::yield_now().await;
        }
    };
    soon(freed).await;
    let third = listen(&served).await;
    drop((second, third));
    served.stop().await;
}
