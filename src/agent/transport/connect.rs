//! A TCP connection to the authority, or to the proxy that forwards to it.

use super::failure::{shown, unreachable, words};
use crate::config::{Address, Online, Proxy};
use landfast_core::TransportFailure;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Of a name with many addresses so many are tried, so that dead ones do not use up the time of the exchange.
const MAX_CANDIDATES: usize = 4;
/// A proxy's answer to CONNECT is a line and a few headers.
const MAX_PROXY_ANSWER: usize = 8 * 1024;

/// Connects as configured.
pub(super) async fn connect(address: &Address, online: &Online) -> Result<TcpStream, TransportFailure> {
    match &online.proxy {
        None => tcp(&address.host, address.port, online.connect_timeout)
            .await
            .map_err(|why| unreachable(address.authority(), why)),
        Some(proxy) => through(proxy, address, online).await,
    }
}

async fn tcp(host: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let resolved = timeout(limit, lookup_host((host, port))).await;
    let candidates =
        resolved.map_err(|_| format!("its name was not resolved in {} s", limit.as_secs()))?.map_err(
            |error| format!("its name cannot be resolved ({error}); check the name and the DNS server"),
        )?;
    let mut failure = "its name has no address".to_owned();
    for candidate in candidates.take(MAX_CANDIDATES) {
        failure = match timeout(limit, TcpStream::connect(candidate)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => words(&error),
            Err(_) => format!("no connection in {} s", limit.as_secs()),
        };
    }
    Err(failure)
}

/// Has the proxy forward to the authority. TLS runs through it, so it learns the name and nothing else.
async fn through(proxy: &Proxy, address: &Address, online: &Online) -> Result<TcpStream, TransportFailure> {
    let place = format!("{} through the proxy {proxy}", address.authority());
    let failed = |why: String| unreachable(&place, why);
    let mut stream = tcp(&proxy.host, proxy.port, online.connect_timeout)
        .await
        .map_err(|why| failed(format!("proxy: {why}")))?;
    let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
    let target = format!("{host}:{}", address.port);
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .map_err(|error| failed(format!("proxy: {}", words(&error))))?;
    let head = head(&mut stream).await.map_err(failed)?;
    let (line, _) = head.split_once("\r\n").unwrap_or((&head, ""));
    let mut parts = line.splitn(3, ' ');
    let version = parts.next().filter(|version| version.starts_with("HTTP/1."));
    let status = parts.next().filter(|_| version.is_some());
    match status {
        Some(ok) if ok.len() == 3 && ok.starts_with('2') => Ok(stream),
        Some("407") => {
            Err(failed("it asks for a user name and password, which are not supported".to_owned()))
        }
        Some(_) => {
            let answer = shown(line.split_once(' ').map_or(line, |(_, rest)| rest));
            Err(failed(format!("it refuses to forward: {answer}")))
        }
        None => Err(failed("it does not speak HTTP; check `online.proxy`".to_owned())),
    }
}

/// The proxy's answer up to the empty line. Read byte by byte, since what follows belongs to TLS.
async fn head(stream: &mut TcpStream) -> Result<String, String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_PROXY_ANSWER {
            return Err("its answer is too long".to_owned());
        }
        let byte = stream.read_u8().await.map_err(|error| format!("proxy: {}", words(&error)))?;
        head.push(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
