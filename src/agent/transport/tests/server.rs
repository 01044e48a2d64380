//! An authority that answers what a test wants, and a proxy.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A CA and a certificate from it.
pub struct Certificates {
    pub ca: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificates {
    pub fn for_names(names: &[&str]) -> Self {
        Self::with(names, |_| {})
    }

    pub fn with(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("CA for {}", names.join(" and ")));
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ca).unwrap();
        Self {
            ca: ca.pem(),
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }
}

impl Clone for Certificates {
    fn clone(&self) -> Self {
        Self { ca: self.ca.clone(), chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// What the authority does once it has read a request.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, then it closes.
    Bytes(Vec<u8>),
    /// These bytes over and over.
    Endless(Vec<u8>),
    /// Nothing, and it keeps the connection.
    Silence,
}

impl Answer {
    pub fn response(body: &[u8]) -> Self {
        Self::http("200 OK", "application/vnd.landfast.response", body)
    }

    pub fn http(status: &str, kind: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

pub struct Authority {
    pub address: String,
    pub ca: String,
    pub requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Authority {
    pub async fn start(certificates: Certificates, answer: Answer) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates.chain, certificates.key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, answer, seen) = (acceptor.clone(), answer.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    // A client that does not like the certificate goes away; so does one that has waited enough.
                    let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                    let Some(request) = read_request(&mut stream).await else { return };
                    seen.lock().unwrap().push(request);
                    give(&mut stream, answer).await;
                });
            }
        });
        Self { address, ca: certificates.ca, requests, task }
    }
}
impl Drop for Authority {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn give(stream: &mut (impl AsyncWriteExt + AsyncReadExt + Unpin), answer: Answer) {
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Endless(bytes) => while stream.write_all(&bytes).await.is_ok() {},
        Answer::Silence => {
            let _ = stream.read_u8().await;
        }
    }
}

/// Head and body of a request with a content length.
async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        bytes.push(stream.read_u8().await.ok()?);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse().unwrap());
        if body.len() == length {
            return Some(text);
        }
    }
}

/// A proxy that forwards to wherever it is asked, or gives a fixed answer.
pub struct Proxying {
    pub address: String,
    pub asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxying {
    pub async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut tcp).await else { return };
                    let target = request.split(' ').nth(1).unwrap().to_owned();
                    seen.lock().unwrap().push(request);
                    tcp.write_all(answer.as_bytes()).await.unwrap();
                    if answer.starts_with("HTTP/1.1 200") {
                        let mut authority = TcpStream::connect(target).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut tcp, &mut authority).await;
                    }
                });
            }
        });
        Self { address, asked, task }
    }
}
impl Drop for Proxying {
    fn drop(&mut self) {
        self.task.abort();
    }
}
