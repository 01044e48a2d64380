//! What the client makes of things that answer on the socket and are no agent, or an agent that refuses.
#![cfg(test)]

use landfast_client::api::{Carriage, CommandRequest, Verb};
use landfast_client::{Agent, Error, Question, Unexpected};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Answers each connection with the next of `answers`, then closes it. Returns what was asked.
struct Server {
    socket: PathBuf,
    asked: tokio::task::JoinHandle<Vec<String>>,
    _directory: TempDir,
}

impl Server {
    fn start(answers: Vec<Vec<u8>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("agent.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                asked.push(read_request(&mut stream).await);
                // The client may have had enough before the end.
                stream.write_all(&answer).await.ok();
            }
            asked
        });
        Self { socket, asked, _directory: directory }
    }

    fn agent(&self) -> Agent {
        Agent::at(&self.socket)
    }
}

async fn read_request(stream: &mut UnixStream) -> String {
    let mut request = String::new();
    loop {
        let byte = stream.read_u8().await.unwrap();
        request.push(char::from(byte));
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
            return request;
        }
    }
}

fn http(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

async fn fails(answer: impl Into<Vec<u8>>) -> Error {
    let server = Server::start(vec![answer.into()]);
    server.agent().status().await.unwrap_err()
}

fn what(error: Error) -> Unexpected {
    match error {
        Error::Unexpected { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_listens() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("agent.sock");
    let error = Agent::at(&missing).status().await.unwrap_err();
    assert_eq!(error.code(), "agent_unreachable");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    assert_eq!(error.advice(), "is landfastd running? systemctl status landfastd");

    // What a killed agent leaves behind.
    drop(UnixListener::bind(&missing).unwrap());
    assert_eq!(Agent::at(&missing).status().await.unwrap_err().code(), "agent_unreachable");

    let long = PathBuf::from("/".to_owned() + &"x".repeat(200));
    assert_eq!(Agent::at(long).status().await.unwrap_err().code(), "agent_unreachable");
}

#[tokio::test]
async fn a_refusal_explains_itself() {
    let document = r#"{"type":"urn:landfast:problem:not_permitted","title":"Forbidden","status":403,
        "code":"not_permitted","detail":"only root may activate","advice":"use sudo","later":{"a":1}}"#;
    let error = fails(http("403 Forbidden", "application/problem+json; charset=utf-8", document)).await;
    assert_eq!(error.code(), "not_permitted");
    assert_eq!(error.to_string(), "only root may activate");
    assert_eq!(error.advice(), "use sudo");
    let Error::Problem(problem) = error else { panic!("{error:?}") };
    assert_eq!((problem.status, problem.title.as_str()), (403, "Forbidden"));
}

#[tokio::test]
async fn a_failure_that_explains_nothing_is_not_from_an_agent() {
    for (kind, body) in [
        ("text/html", "<h1>Bad gateway</h1>"),
        ("application/json", r#"{"code":"not_permitted"}"#),
        ("application/problem+json", "garbage"),
        ("application/problem+json", r#"{"detail":"no code"}"#),
    ] {
        let error = fails(http("502 Bad Gateway", kind, body)).await;
        assert_eq!(what(error), Unexpected::Status(502), "{kind} {body}");
    }
}

#[tokio::test]
async fn garbage_is_told_from_an_agent() {
    assert!(matches!(what(fails(*b"SSH-2.0-OpenSSH_9.2\r\n").await), Unexpected::NotHttp(_)));
    assert!(matches!(what(fails(vec![0xff; 1 << 20]).await), Unexpected::NotHttp(_)));
    let html = http("200 OK", "text/html", "<h1>hello</h1>");
    assert!(matches!(what(fails(html).await), Unexpected::Content(_)));
    let other = http("200 OK", "application/json", r#"{"issuers":"none"}"#);
    assert!(matches!(what(fails(other).await), Unexpected::Content(_)));
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    assert_eq!(fails(*b"").await.code(), "agent_unreachable");
    assert_eq!(fails(*b"HTTP/1.1 200 O").await.code(), "agent_unreachable");
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"version\":".to_vec();
    assert!(matches!(what(fails(short).await), Unexpected::BrokenOff(_)));
}

#[tokio::test]
async fn an_endless_answer_fills_no_memory() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(17 << 20, b' ');
    assert_eq!(what(fails(endless).await), Unexpected::TooLarge { limit: 16 << 20 });
}

#[tokio::test]
async fn an_agent_that_hangs_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let silent = tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The first connection gets half an answer, the second none.
            if open.is_empty() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
            }
            open.push(stream);
        }
    });
    let deadline = Duration::from_millis(50);
    for _ in 0..2 {
        let agent = Agent::at(&socket).with_deadlines(deadline, deadline);
        let error = agent.status().await.unwrap_err();
        assert_eq!(error.code(), "agent_unreachable");
        assert!(
            matches!(&error, Error::NotReachable { source, .. } if source.kind() == io::ErrorKind::TimedOut)
        );
        assert!(error.advice().contains("journalctl"), "{}", error.advice());
    }
    let agent = Agent::at(&socket).with_deadlines(deadline, deadline);
    assert_eq!(agent.events().await.unwrap_err().code(), "agent_unreachable");
    silent.abort();
}

#[tokio::test]
async fn a_closed_idle_connection_is_replaced() {
    let check = r#"{"feature":"analytics","granted":true,"quantity":1,"of_a_newer_agent":[1,2]}"#;
    let server = Server::start(vec![http("200 OK", "application/json", check); 3]);
    let agent = server.agent();
    let question = Question::of("analytics").version("2.5");
    for _ in 0..3 {
        let answer = agent.check(&question).await.unwrap();
        assert!(answer.granted);
        assert_eq!((answer.quantity, answer.issuer, answer.state.as_str()), (1, None, ""));
    }
    for request in server.asked.await.unwrap() {
        assert!(request.starts_with("GET /v1/entitlements/analytics?version=2.5 HTTP/1.1\r\n"), "{request}");
    }
}

#[tokio::test]
async fn an_idle_connection_serves_the_next_request() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            read_request(&mut stream).await;
            stream.write_all(&http("200 OK", "application/json", "{}")).await.unwrap();
        }
    });
    let agent = Agent::at(&socket);
    for _ in 0..3 {
        agent.licenses().await.unwrap();
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_command_says_what_it_wants() {
    let document = r#"{"code":"nothing_held","detail":"nothing to return","advice":"see"}"#;
    let server = Server::start(vec![http("409 Conflict", "application/problem+json", document)]);
    let command = CommandRequest {
        command: Verb::Return,
        issuer: None,
        licenses: Vec::new(),
        all: true,
        dry_run: false,
        window_seconds: None,
        delivery: Carriage::File,
    };
    assert_eq!(server.agent().command(&command).await.unwrap_err().code(), "nothing_held");
    let asked = server.asked.await.unwrap().remove(0);
    assert!(asked.starts_with("POST /v1/requests HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/json\r\n"), "{asked}");
    assert!(asked.ends_with(
        r#"{"command":"return","issuer":null,"licenses":[],"all":true,"dry_run":false,"window_seconds":null,"delivery":"file"}"#
    ));
}

#[tokio::test]
async fn a_stream_ends_with_the_agent() {
    let events = "event: licenses\ndata: {\"issuer\":\"acme\"}\n\n";
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_vec();
    answer.extend_from_slice(events.as_bytes());
    let server = Server::start(vec![answer]);
    let mut stream = server.agent().events().await.unwrap();
    let licenses = landfast_client::api::Changed { issuer: Some("acme".to_owned()) };
    assert_eq!(stream.next().await.unwrap(), Some(landfast_client::Event::Licenses(licenses)));
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_goes_on_after_its_head() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (heard, mut next) = tokio::sync::mpsc::channel::<()>(1);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await.unwrap();
        for _ in 0..3 {
            stream.write_all(b"event: resync\ndata: {}\n\n").await.unwrap();
            next.recv().await.unwrap();
        }
    });
    let mut stream = Agent::at(&socket).events().await.unwrap();
    for _ in 0..3 {
        assert_eq!(stream.next().await.unwrap(), Some(landfast_client::Event::Resync));
        heard.send(()).await.unwrap();
    }
    server.await.unwrap();
    assert_eq!(stream.next().await.unwrap(), None);
}
