//! The floor of `http_check_ratio`: a bare hyper server on a Unix socket that gives a constant answer.
//!
//! `bare-http SOCKET BODY` serves until it is ended.

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::UnixListener;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let socket = arguments.next().context("usage: bare-http SOCKET BODY")?;
    let body = Bytes::from(arguments.next().context("usage: bare-http SOCKET BODY")?);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(&socket, body))
}

async fn serve(socket: &str, body: Bytes) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let body = body.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |_: Request<Incoming>| {
                let response = Response::builder()
                    .header("content-type", "application/json")
                    .body(Full::new(body.clone()));
                async move { Ok::<_, Infallible>(response.unwrap_or_default()) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
