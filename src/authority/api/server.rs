//! TLS connections: how many, how long they may take, and how they end.

use crate::Authority;
use crate::api::peers::{Peer, Place, Places, Rates, Room};
use crate::api::problem::Problem;
use crate::storage::Storage;
use axum::Router;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_rustls::TlsAcceptor;

/// What one client, and all together, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections that are served.
    pub connections: usize,
    /// Connections above that which are told so; those above both are closed.
    pub refusals: usize,
    /// Of each of the two, for one address.
    pub connections_each: usize,
    /// Requests of one address in a second; zero for no limit.
    pub requests_each_second: u32,
    /// And as many more when it was quiet before.
    pub requests_at_once: u32,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the header of a request, and between two requests.
    pub header: Duration,
    /// In place of the two, while three quarters of the connections are taken. What is open longer then ends with the
    /// request that it is at.
    pub crowded: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// For a client to take what was sent to it.
    pub stalled: Duration,
    /// For open exchanges to finish when the server stops.
    pub closing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Half of the 1,024 files that a process may open unless it is told otherwise.
            connections: 512,
            refusals: 64,
            // A site behind one address seldom asks with more machines at the same instant.
            connections_each: 32,
            // A site of 500 machines that come back from a power cut is through in a quarter of a minute.
            requests_each_second: 20,
            requests_at_once: 200,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(30),
            crowded: Duration::from_secs(5),
            body: Duration::from_secs(20),
            stalled: Duration::from_secs(60),
            closing: Duration::from_secs(10),
        }
    }
}

/// Serves until `shutdown` ends; then finishes what was begun.
pub async fn serve<S: Storage>(
    authority: Arc<Authority<S>>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let (close, closing) = watch::channel(false);
    let serving = Serving {
        acceptor: TlsAcceptor::from(tls),
        app: super::router(authority, limits.body),
        crowded: Router::new().fallback(async || Problem::crowded()),
        limits,
        places: Places::new(Room {
            served: limits.connections,
            refused: limits.refusals,
            each: limits.connections_each,
        }),
        rates: Rates::new(limits.requests_each_second, limits.requests_at_once),
        closing,
    };
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            _ = second.tick() => serving.rates.second(),
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => serving.start(stream, from.ip().into(), &mut connections),
                Err(error) => {
                    // Out of file descriptors, mostly: connections that end will free some.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    let _ = close.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.closing, finished).await.is_err() {
        tracing::warn!("some connections did not finish in time and were closed");
    }
}

struct Serving {
    acceptor: TlsAcceptor,
    app: Router,
    crowded: Router,
    limits: Limits,
    places: Arc<Places>,
    rates: Arc<Rates>,
    closing: watch::Receiver<bool>,
}

impl Serving {
    fn start(&self, stream: TcpStream, peer: Peer, connections: &mut JoinSet<()>) {
        let Some(place) = self.places.take(peer) else { return };
        let app = if place.served { self.app.clone() } else { self.crowded.clone() };
        let (acceptor, limits, rates) = (self.acceptor.clone(), self.limits, Arc::clone(&self.rates));
        let (closing, crowded) = (self.closing.clone(), self.places.crowded());
        connections.spawn(async move {
            connection(Connection { stream, acceptor, app, limits, rates, closing, crowded, place }).await;
        });
    }
}

struct Connection {
    stream: TcpStream,
    acceptor: TlsAcceptor,
    app: Router,
    limits: Limits,
    rates: Arc<Rates>,
    closing: watch::Receiver<bool>,
    crowded: watch::Receiver<bool>,
    place: Place,
}

async fn connection(connection: Connection) {
    let Connection { stream, acceptor, app, mut limits, rates, mut closing, mut crowded, place } = connection;
    if *crowded.borrow() {
        limits.header = limits.header.min(limits.crowded);
    }
    let stalled = u32::try_from(limits.stalled.as_millis()).unwrap_or(u32::MAX);
    // A client that takes nothing of its answer is cut off by the kernel.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, stalled);
    let _ = stream.set_nodelay(true);
    let accepted = tokio::select! {
        accepted = timeout(limits.handshake, acceptor.accept(stream)) => accepted,
        () = crowded_out(&mut crowded, limits.crowded) => return,
    };
    let stream = match accepted {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "no TLS handshake"),
        Err(_) => return tracing::debug!("the TLS handshake took too long"),
    };
    let app = TowerToHyperService::new(app);
    let service = service_fn(|request| {
        let answer = rates.admit(place.peer).then(|| app.call(request));
        async {
            match answer {
                Some(answer) => answer.await,
                None => Ok(Problem::hasty().into_response()),
            }
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .keep_alive(place.served)
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = closed(&mut closing) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
        () = crowded_out(&mut crowded, limits.crowded) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Ends when the server stops.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Ends once it has been crowded for this long.
async fn crowded_out(crowded: &mut watch::Receiver<bool>, patience: Duration) {
    loop {
        if crowded.wait_for(|crowded| *crowded).await.is_err() {
            return std::future::pending().await;
        }
        if timeout(patience, crowded.wait_for(|crowded| !*crowded)).await.is_err() {
            return;
        }
    }
}
