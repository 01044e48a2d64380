//! Authorities that are not what they should be: a clear error each, and the request is kept.

use crate::support::{Stage, expect};
use rcgen::{CertificateParams, Issuer, KeyPair};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

/// A server in place of the authority, with a certificate of its own making.
struct Impostor {
    ca: String,
    port: u16,
}

impl Impostor {
    /// Answers every connection with `answer`; none closes it without a word.
    fn start(expired: bool, answer: Option<Vec<u8>>) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config);
        // Ends with the test's process; it holds nothing.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(mut tls) = rustls::ServerConnection::new(Arc::clone(&config)) else { return };
                let mut stream = stream;
                let mut tls = rustls::Stream::new(&mut tls, &mut stream);
                let mut request = vec![0; 64 * 1024];
                let _ = tls.read(&mut request);
                if let Some(answer) = &answer {
                    let _ = tls.write_all(answer);
                    let _ = tls.flush();
                }
            }
        });
        Self { ca: ca_certificate.pem(), port }
    }

    /// Lets the agent's issuer file point here.
    fn pin(&self, stage: &mut Stage, with_ca: bool) {
        stage.agent.stop().unwrap();
        let file = stage.agent.directory.join("config/issuers.d/acme.toml");
        let mut issuer: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        let address = format!("https://localhost:{}", self.port);
        issuer.insert("addresses".to_owned(), toml::Value::Array(vec![address.into()]));
        if with_ca {
            issuer.insert("ca".to_owned(), self.ca.clone().into());
        }
        std::fs::write(&file, toml::to_string(&issuer).unwrap()).unwrap();
        stage.agent.run().unwrap();
    }
}

fn refused(expired: bool, with_ca: bool, answer: Option<&[u8]>, code: i32, text: &str) {
    let mut stage = Stage::new();
    let id = stage.sell(1);
    Impostor::start(expired, answer.map(<[u8]>::to_vec)).pin(&mut stage, with_ca);
    let said = expect(&stage.agent, &["activate", &id], code, text);
    assert!(said.contains("next"), "{said}");
    stage.expect(&["pending"], 0, "activate");
}

#[test]
fn e2_an_expired_tls_certificate_is_named() {
    refused(true, true, None, 3, "expired");
}

#[test]
fn e2_an_unknown_tls_authority_is_named() {
    refused(false, false, None, 3, "certificate");
}

#[test]
fn e2_a_connection_that_ends_without_an_answer_is_tried_again() {
    refused(false, true, None, 3, "");
}

#[test]
fn e2_garbage_in_place_of_an_answer_is_refused() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\n\r\nhello";
    refused(false, true, Some(page), 4, "");
}

#[test]
fn e2_an_overloaded_authority_is_asked_again_later() {
    let busy = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n";
    refused(false, true, Some(busy), 3, "");
}
