//! The server on a real socket with real TLS.

use crate::client::{Client, tls, within};
use crate::support::*;
use landfast_authority::Authority;
use landfast_authority::adapters::{SystemClock, SystemEntropy};
use landfast_authority::api::{self, Limits, MAX_BODY, REQUEST_TYPE, RESPONSE_TYPE};
use landfast_authority::domain::catalog::License;
use landfast_authority::home::{Home, IssuerFile, Setup, server_config};
use landfast_authority::storage::sqlite::{self, Load, Sqlite};
use landfast_protocol::armor;
use landfast_protocol::certificate::Trust;
use landfast_protocol::operation::Outcome;
use sqlx::SqliteConnection;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Server {
    address: SocketAddr,
    file: IssuerFile,
    home: Home,
    authority: Arc<Authority<Sqlite>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Server {
    /// A fresh authority with these licenses.
    async fn start(licenses: &[License], limits: Limits, load: Load) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let setup = Setup {
            name: "acme".to_owned(),
            addresses: vec!["https://localhost:8443".parse().unwrap()],
            tls_names: vec![],
        };
        let act = landfast_authority::storage::admin::Act {
            now: landfast_authority::adapters::Clock::now(&SystemClock),
            ..act()
        };
        let (home, file) = setup.run(&directory.path().join("a"), &act, &SystemEntropy).await.unwrap();
        let mut connection = sqlite::connect(&home.database()).await.unwrap();
        let licenses: Vec<License> = licenses
            .iter()
            .map(|license| License { id: license.activation.license(&file.id), ..license.clone() })
            .collect();
        for step in 0..stock_steps(&licenses) {
            let work = async |l: &mut sqlite::SqliteLedger<'_>| stock_step(l, &licenses, step).await;
            sqlite::transaction(&mut connection, work).await.unwrap();
        }
        sqlite::close(connection).await.unwrap();
        let store = Sqlite::open(&home.database(), home.signer().unwrap(), load).await.unwrap();
        let authority = Arc::new(Authority::new(store, Box::new(SystemClock), Box::new(SystemEntropy)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (certificate, key) = home.tls_files();
        let tls = server_config(&certificate, &key).unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&authority);
        let task = tokio::spawn(async move {
            api::serve(serving, listener, tls, limits, async { drop(stopped.await) }).await;
        });
        Self { address, file, home, authority, stop, task, _directory: directory }
    }

    async fn usual(licenses: &[License]) -> Self {
        Self::start(licenses, Limits::default(), Load::default()).await
    }

    fn ca(&self) -> &str {
        self.file.ca.as_deref().unwrap()
    }

    async fn client(&self) -> Client {
        within(Client::open(self.address, self.ca())).await.unwrap()
    }

    fn device(&self, number: u8) -> Device {
        Device { trust: Trust::new(self.file.id, self.file.roots.clone()), ..Device::new(number) }
    }

    async fn database(&self) -> SqliteConnection {
        sqlite::connect(&self.home.database()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e2_a_license_is_activated_and_returned_over_tls() {
    let server = Server::usual(&[license(1, "Historian", 1, 1)]).await;
    let (mut client, mut device) = (server.client().await, server.device(1));
    let take = device.activate(activation(1), None);
    let request = device.request();
    let answer = client.exchange(request.clone()).await;
    assert_eq!((answer.status, answer.media.as_str()), (200, RESPONSE_TYPE));
    assert_eq!(outcome(&device.import(&answer.body), take), Outcome::Done);
    assert_eq!(device.holds(activation(1)), 1);
    let again = client.exchange(armor::encode(&request).unwrap().into_bytes()).await;
    assert_eq!(again.body, answer.body, "in armor it is the same request");
    device.give_back(activation(1), None);
    let answer = client.exchange(device.request()).await;
    device.import(&answer.body);
    assert_eq!(device.holds(activation(1)), 0);
    let health = within(client.send("GET", "/healthz", "", vec![])).await.unwrap();
    assert_eq!(health.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_gets_a_problem_document_with_a_stable_code() {
    let server = Server::usual(&[]).await;
    let mut client = server.client().await;
    let cases = [
        ("POST", "/v1/exchange", REQUEST_TYPE, b"junk".to_vec(), 400, "not_a_message"),
        ("POST", "/v1/exchange", REQUEST_TYPE, Device::new(1).request(), 422, "foreign_issuer"),
        ("POST", "/v1/exchange", REQUEST_TYPE, damaged(server.device(1).request()), 400, "bad_signature"),
        ("POST", "/v1/exchange", "text/plain", vec![], 415, "wrong_media_type"),
        ("GET", "/v1/exchange", REQUEST_TYPE, vec![], 405, "method_not_allowed"),
        ("GET", "/admin", REQUEST_TYPE, vec![], 404, "not_found"),
    ];
    for (method, path, media, body, status, code) in cases {
        let answer = within(client.send(method, path, media, body)).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    let answer =
        within(client.send("POST", "/v1/exchange", REQUEST_TYPE, vec![b'x'; MAX_BODY + 1])).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let mut junk = within(tls(server.address, server.ca())).await.unwrap();
    within(junk.write_all(&vec![0; 1024 * 1024])).await.ok();
    let mut device = server.device(2);
    let answer = server.client().await.exchange(device.request()).await;
    assert_eq!(answer.status, 200, "junk on one connection does not disturb others");
}

fn damaged(mut request: Vec<u8>) -> Vec<u8> {
    let last = request.len() - 1;
    request[last] ^= 1;
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_cut_off() {
    let brief = Duration::from_millis(300);
    let limits = Limits { handshake: brief, header: brief, body: brief, ..Limits::default() };
    let server = Server::start(&[], limits, Load::default()).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(within(silent.read(&mut [0; 16])).await.unwrap_or(0), 0, "no handshake");
    let mut stream = within(tls(server.address, server.ca())).await.unwrap();
    within(stream.write_all(b"POST /v1/exchange HTTP/1.1\r\nhost:")).await.unwrap();
    within(stream.read_to_end(&mut Vec::new())).await.ok();
    let mut stream = within(tls(server.address, server.ca())).await.unwrap();
    let head = format!(
        "POST /v1/exchange HTTP/1.1\r\nhost: a\r\ncontent-type: {REQUEST_TYPE}\r\ncontent-length: 9\r\n\r\n"
    );
    within(stream.write_all(head.as_bytes())).await.unwrap();
    let mut answer = vec![0; 12];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_the_limit_are_refused_politely() {
    // Who is in is not pressed to leave here.
    let crowded = Duration::from_secs(3600);
    let limits = Limits { connections: 1, refusals: 1, crowded, ..Limits::default() };
    let server = Server::start(&[], limits, Load::default()).await;
    let (mut first, mut device) = (server.client().await, server.device(1));
    assert_eq!(first.exchange(device.request()).await.status, 200);
    let refused = server.client().await.exchange(device.request()).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "too_many_connections"));
    assert!(refused.retry_after.is_some());
    assert_eq!(first.exchange(device.request()).await.status, 200, "who is in stays in");
    drop(first);
    within(async {
        while server.client().await.exchange(device.request()).await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Connects from another address of this machine.
async fn from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    within(socket.connect(to)).await.unwrap()
}

/// Whether the other side ends the connection; what it sends before is passed over.
async fn ends(stream: &mut TcpStream) {
    let mut some = [0; 512];
    while within(stream.read(&mut some)).await.unwrap_or(0) > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_shut_out_the_others() {
    let hour = Duration::from_secs(3600);
    let limits = Limits {
        connections: 16,
        refusals: 4,
        connections_each: 4,
        handshake: hour,
        header: hour,
        ..Limits::default()
    };
    let server = Server::start(&[], limits, Load::default()).await;
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(from([127, 0, 0, 7], server.address).await);
    }
    // Eight of them are waited for; the others are closed at once.
    for stream in &mut silent[8..] {
        ends(stream).await;
    }
    let mut device = server.device(1);
    assert_eq!(server.client().await.exchange(device.request()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_nothing_to_say_leaves_when_places_get_rare() {
    let (brief, hour) = (Duration::from_millis(50), Duration::from_secs(3600));
    let limits =
        Limits { connections: 4, handshake: hour, header: hour, crowded: brief, ..Limits::default() };
    let server = Server::start(&[], limits, Load::default()).await;
    let mut silent = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        silent.spawn(async move { ends(&mut stream).await });
    }
    // With two of four it is not crowded any more.
    for _ in 0..2 {
        within(silent.join_next()).await.unwrap().unwrap();
    }
    silent.shutdown().await;
    let mut idle = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let mut stream = within(tls(server.address, server.ca())).await.unwrap();
        idle.spawn(async move { stream.read(&mut [0; 16]).await.unwrap_or(0) });
    }
    within(async {
        loop {
            // The third one may be the one that has to leave.
            let Ok(mut third) = tls(server.address, server.ca()).await else { continue };
            let mut nothing = [0; 16];
            tokio::select! {
                ended = idle.join_next() => break assert_eq!(ended.unwrap().unwrap(), 0),
                _ = third.read(&mut nothing) => {}
            }
        }
    })
    .await;
    drop(idle);
    let mut device = server.device(1);
    assert_eq!(server.client().await.exchange(device.request()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_fast_is_sent_away_for_a_moment_and_nothing_is_archived() {
    let limits = Limits { requests_each_second: 1, requests_at_once: 1, ..Limits::default() };
    let server = Server::start(&[license(1, "Historian", 1, 1)], limits, Load::default()).await;
    let (mut client, mut device) = (server.client().await, server.device(1));
    let take = device.activate(activation(1), None);
    let request = device.request();
    let mut junk = 0;
    let refused = loop {
        let answer = client.exchange(b"junk".to_vec()).await;
        if answer.status != 400 {
            break answer;
        }
        junk += 1;
    };
    assert!(junk >= 1);
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    // On the same connection, and with a request that is good, until there is room again.
    let answer = within(async {
        loop {
            let answer = client.exchange(request.clone()).await;
            match answer.status {
                429 => tokio::task::yield_now().await,
                _ => break answer,
            }
        }
    })
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(outcome(&device.import(&answer.body), take), Outcome::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_finishes_what_was_begun() {
    let server = Server::usual(&[]).await;
    let mut device = server.device(1);
    let request = device.request();
    let mut stream = within(tls(server.address, server.ca())).await.unwrap();
    let head = format!(
        "POST /v1/exchange HTTP/1.1\r\nhost: a\r\ncontent-type: {REQUEST_TYPE}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        request.len()
    );
    within(stream.write_all(head.as_bytes())).await.unwrap();
    let mut answer = vec![0; 25];
    within(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.stop.send(()).unwrap();
    within(async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await
        }
    })
    .await;
    within(stream.write_all(&request)).await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    within(server.task).await.unwrap();
    Arc::into_inner(server.authority).unwrap().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_passing_and_nothing_is_archived() {
    let server = Server::start(&[], Limits::default(), Load { queue: 1, group: 1 }).await;
    let mut blocker = server.database().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut blocker).await.unwrap();
    let requests: Vec<_> = (1..=6).map(|number| server.device(number).request()).collect();
    let mut waiting = tokio::task::JoinSet::new();
    for request in requests.clone() {
        let mut client = server.client().await;
        waiting.spawn(async move { client.exchange(request).await });
    }
    // One is with the writer, one waits, the others are sent away; they are back while the writer is held up.
    for _ in 0..4 {
        let busy = within(waiting.join_next()).await.unwrap().unwrap();
        assert_eq!((busy.status, busy.code().as_str()), (503, "busy"));
        assert_eq!(busy.retry_after.as_deref(), Some("1"));
    }
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    while let Some(answer) = within(waiting.join_next()).await {
        assert_eq!(answer.unwrap().status, 200);
    }
    for request in requests {
        assert_eq!(server.client().await.exchange(request).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_trouble_is_passing_and_nothing_is_archived() {
    let server = Server::usual(&[]).await;
    let request = server.device(1).request();
    let mut client = server.client().await;
    let mut other = server.database().await;
    sqlx::query("ALTER TABLE operation RENAME TO away").execute(&mut other).await.unwrap();
    sqlx::query("ALTER TABLE request RENAME TO gone").execute(&mut other).await.unwrap();
    let answer = client.exchange(request.clone()).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "storage_unavailable"));
    assert!(answer.retry_after.is_some());
    sqlx::query("ALTER TABLE gone RENAME TO request").execute(&mut other).await.unwrap();
    sqlx::query("ALTER TABLE away RENAME TO operation").execute(&mut other).await.unwrap();
    let answer = client.exchange(request).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exchanges_that_wait_together_share_a_commit_and_units_are_given_out_once() {
    let server = Server::usual(&[license(1, "Historian", 10, 10)]).await;
    let mut blocker = server.database().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut blocker).await.unwrap();
    let before = server.authority.storage().commits();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 1..=40 {
        let (authority, mut device) = (Arc::clone(&server.authority), server.device(number));
        waiting.spawn(async move {
            let take = device.activate(activation(1), None);
            let answer = authority.exchange(&device.request()).await.unwrap();
            (outcome(&device.import(&answer), take), device.holds(activation(1)))
        });
    }
    while server.authority.storage().waiting() < 38 {
        tokio::task::yield_now().await;
    }
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    let answers = within(waiting.join_all()).await;
    assert_eq!(answers.iter().filter(|(outcome, held)| (outcome, *held) == (&Outcome::Done, 1)).count(), 10);
    assert_eq!(answers.iter().map(|(_, held)| held).sum::<u32>(), 10);
    let commits = server.authority.storage().commits() - before;
    assert!(commits <= 3, "{commits} commits for 40 exchanges that waited together");
}
