//! Activations per second of eight devices over TLS, beside one thread that does the least that each needs.

use crate::figure::{Bar, Figure, Floor};
use crate::stopwatch::{Stopwatch, median};
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::RequestName;
use landfast_protocol::keys::{SecretKey, activation_proof};
use landfast_protocol::operation::{Action, Operation};
use landfast_protocol::request::{ClockReport, MAX_LISTED, Request, SystemDescription};
use landfast_protocol::{ActivationId, IssuerId, List, Nonce, OperationId, Timestamp};
use landfast_tests::harness::{Authority, Sale};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use sqlx::ConnectOptions;
use std::path::Path;
use std::sync::Arc;

const DEVICES: usize = 8;
const ROUNDS: usize = 5;
/// Exchanges of one device in one round.
const EACH: usize = 40;

pub fn measure(directory: &Path) -> Result<Figure> {
    let mut authority = Authority::start(directory, "bench")?;
    authority.stop()?;
    // One address asks faster here than a site does.
    authority.serve_with(&["--max-requests-each", "0"])?;
    let (issuer, ca) = pinned(&authority)?;
    let total = EACH * (ROUNDS + 1);
    let units = u32::try_from(DEVICES * total)?;
    let sale = Sale { devices: u32::try_from(DEVICES)?, ..Sale::perpetual("control", units) };
    let id: ActivationId = authority.sell(&sale)?.parse()?;
    let requests =
        (0..DEVICES).map(|device| activations(issuer, &id, device, total)).collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(compare(directory, authority.port, ca, requests))
}

async fn compare(
    directory: &Path,
    port: u16,
    ca: CertificateDer<'static>,
    requests: Vec<Vec<Bytes>>,
) -> Result<Figure> {
    let mut connections = Vec::new();
    for _ in 0..DEVICES {
        connections.push(connect(port, ca.clone()).await?);
    }
    let mut queues: Vec<_> = requests.into_iter().map(Vec::into_iter).collect();
    let (mut ratios, mut floors, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    let mut sample = None;
    for round in 0..=ROUNDS {
        let batches: Vec<Vec<Bytes>> = queues.iter_mut().map(|queue| queue.take(EACH).collect()).collect();
        let request = batches[0][0].clone();
        let watch = Stopwatch::start();
        let mut running = tokio::task::JoinSet::new();
        for (mut connection, batch) in connections.drain(..).zip(batches) {
            running.spawn(async move {
                let mut last = Bytes::new();
                for request in batch {
                    last = exchange(&mut connection, request).await?;
                }
                anyhow::Ok((connection, last))
            });
        }
        while let Some(done) = running.join_next().await {
            let (connection, last) = done??;
            connections.push(connection);
            sample = Some(last);
        }
        let rate = (DEVICES * EACH) as f64 / watch.elapsed().as_secs_f64();
        let response = sample.clone().context("an answer")?;
        let floor =
            floor(&directory.join(format!("floor-{round}.db")), &request, &response, DEVICES * EACH).await?;
        // The first round warms both sides up.
        if round > 0 {
            ratios.push(rate / floor);
            floors.push(floor);
            rates.push(rate);
        }
    }
    Ok(Figure {
        name: "exchange_ratio",
        value: median(ratios),
        unit: "x",
        floor: Some(Floor {
            value: median(floors),
            unit: "/s",
            what: "one thread: verify, sign, durable commit of the same bytes",
        }),
        bar: Some(Bar::AtLeast(0.3)),
        how: format!(
            "{:.0} activations a second of {DEVICES} kept-alive TLS devices, {ROUNDS} rounds of {} exchanges",
            median(rates),
            DEVICES * EACH
        ),
    })
}

async fn exchange(connection: &mut SendRequest<Full<Bytes>>, request: Bytes) -> Result<Bytes> {
    let request = hyper::Request::post("/v1/exchange")
        .header("host", "localhost")
        .header("content-type", "application/vnd.landfast.request")
        .body(Full::new(request))?;
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    Ok(body)
}

async fn connect(port: u16, ca: CertificateDer<'static>) -> Result<SendRequest<Full<Bytes>>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    tcp.set_nodelay(true)?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let tls = connector.connect(ServerName::try_from("localhost")?, tcp).await?;
    let (sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
    tokio::spawn(driver);
    Ok(sender)
}

/// How many a second one thread does of: verify the request, sign the response, commit both durably.
async fn floor(database: &Path, request: &[u8], response: &[u8], count: usize) -> Result<f64> {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE archive (id INTEGER PRIMARY KEY, request BLOB, response BLOB)")
        .execute(&mut connection)
        .await?;
    let key = SecretKey::from_seed(&[1; 32]);
    let watch = Stopwatch::start();
    for _ in 0..count {
        Request::open(request)?;
        std::hint::black_box(key.sign(response));
        sqlx::query("INSERT INTO archive (request, response) VALUES (?, ?)")
            .bind(request)
            .bind(response)
            .execute(&mut connection)
            .await?;
    }
    Ok(count as f64 / watch.elapsed().as_secs_f64())
}

/// Signed requests of one device, each of which takes one more unit.
fn activations(issuer: IssuerId, id: &ActivationId, device: usize, count: usize) -> Result<Vec<Bytes>> {
    let number = u8::try_from(device)?;
    let key = SecretKey::from_seed(&[number + 10; 32]);
    let mut made: Vec<RequestName> = Vec::new();
    let mut requests = Vec::with_capacity(count);
    for counter in 1..=u64::try_from(count)? {
        let mut random = [number; 16];
        random[..8].copy_from_slice(&counter.to_le_bytes());
        let operation = OperationId(random);
        let proof = activation_proof(id, &issuer, &key.public(), &operation);
        let quantity = Some(u32::try_from(counter)?);
        let action = Action::Activate { license: id.license(&issuer), quantity, proof };
        let request = Request {
            issuer,
            counter,
            nonce: Nonce(random),
            previous: None,
            listed: List::new(made[made.len().saturating_sub(MAX_LISTED)..].to_vec())?,
            clock: ClockReport { wall: Timestamp(0), licensing: Timestamp(0), trusted: false },
            system: SystemDescription::default(),
            needs: List::default(),
            label: None,
            evidence: evidence(issuer, number),
            planned_change_used: None,
            operations: List::new(vec![Operation { id: operation, action }])?,
        };
        let sealed = Sealed::seal(&request, &key, &[])?;
        made.push(RequestName { counter, digest: sealed.digest() });
        requests.push(Bytes::from(sealed.into_bytes()));
    }
    Ok(requests)
}

fn evidence(issuer: IssuerId, number: u8) -> Evidence {
    let factors = [Factor::ProductUuid, Factor::BoardSerial, Factor::Disk, Factor::NetworkCard, Factor::Cpu];
    let present = |factor: Factor| {
        let digest = FactorDigest::of(&issuer, factor, &format!("{}-{number}", factor.name()));
        FactorEvidence { factor, state: State::Present { digest, primary: factor == Factor::Disk } }
    };
    Evidence::from_factors(false, factors.into_iter().map(present).collect())
}

/// What devices of this vendor pin.
fn pinned(authority: &Authority) -> Result<(IssuerId, CertificateDer<'static>)> {
    let file: toml::Table = std::fs::read_to_string(authority.issuer_file())?.parse()?;
    let text = |key: &str| file.get(key).and_then(toml::Value::as_str).with_context(|| format!("no {key}"));
    let ca = CertificateDer::from_pem_slice(text("ca")?.as_bytes())?;
    Ok((text("id")?.parse()?, ca))
}
