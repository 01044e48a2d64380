//! A TLS client as a device would have it.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use landfast_authority::api::REQUEST_TYPE;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Long enough for any machine; only a failing test waits that long.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("it took more than a minute")
}

/// What all of them give, in their order; they run side by side.
pub async fn all<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut work: Vec<_> = work.map(|work| (Box::pin(work), None)).collect();
    std::future::poll_fn(|context| {
        for (work, done) in work.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(gave) = work.as_mut().poll(context) {
                *done = Some(gave);
            }
        }
        if work.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    work.into_iter().filter_map(|(_, done)| done).collect()
}

/// Opens a TLS connection; `ca` is PEM.
pub async fn tls(address: SocketAddr, ca: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// One keep-alive connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media: String,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The code of a problem document.
    pub fn code(&self) -> String {
        assert_eq!(self.media, "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub async fn open(address: SocketAddr, ca: &str) -> std::io::Result<Self> {
        let (sender, connection) =
            handshake(TokioIo::new(tls(address, ca).await?)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        media: &str,
        body: Vec<u8>,
    ) -> Result<Answer, hyper::Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", media)
            .body(Full::from(body))
            .unwrap();
        self.sender.ready().await?;
        let response: Response<_> = self.sender.send_request(request).await?;
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, retry_after) = (response.status().as_u16(), header("retry-after"));
        let media = header("content-type").unwrap_or_default();
        let body = response.into_body().collect().await?.to_bytes().to_vec();
        Ok(Answer { status, media, retry_after, body })
    }

    pub async fn exchange(&mut self, request: Vec<u8>) -> Answer {
        within(self.send("POST", "/v1/exchange", REQUEST_TYPE, request)).await.unwrap()
    }
}
