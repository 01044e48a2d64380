//! Accepts connections and answers their requests.

use crate::desk::Desk;
use crate::front::{Fault, is_administrator, stopped};
use crate::http::access::Peer;
use crate::http::body::Body;
use crate::http::face::{Face, Limits};
use crate::http::guard::Guard;
use crate::http::input::{self, Target};
use crate::http::listen::{self, BindError, UnixSocket};
use crate::http::pace::{Beat, Progress};
use crate::http::places::{Holder, Places};
use crate::http::route::{self, Handler};
use crate::http::{Settings, refuse, reply};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// How many refusals may be under way; beyond it connections are closed without a word.
const REFUSALS: usize = 16;
/// How long to wait when the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Bound sockets, ready to be served.
pub struct Server {
    face: Arc<Face>,
    unix: UnixSocket,
    tcp: Option<TcpListener>,
    beat: Beat,
    max_connections: usize,
    uid: u32,
}

/// What connections are told.
#[derive(Clone, Copy, Default)]
struct Word {
    beats: u64,
    stop: bool,
}

/// What is open.
struct Open {
    places: Places,
    refusals: Arc<Semaphore>,
    word: watch::Sender<Word>,
    tasks: JoinSet<()>,
}

impl Server {
    pub(super) fn bind(
        desk: Desk,
        settings: &Settings,
        limits: Limits,
        shutdown: watch::Receiver<bool>,
    ) -> Result<Self, BindError> {
        let tcp = settings.loopback.map(listen::tcp).transpose()?;
        let unix = UnixSocket::bind(&settings.socket)?;
        let beat = Beat::new(limits.head).map_err(BindError::Timer)?;
        let max_connections = settings.max_connections.max(1);
        let face = Arc::new(Face::new(desk, limits, max_connections, shutdown));
        let uid = rustix::process::geteuid().as_raw();
        Ok(Self { face, unix, tcp, beat, max_connections, uid })
    }

    /// The loopback address that is served, with the port that the system chose where it was 0.
    #[must_use]
    pub fn loopback(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves until shutdown, then lets open calls end, and removes the socket.
    pub async fn run(mut self) {
        let port = self.loopback().map_or(0, |address| address.port());
        let mut shutdown = self.face.shutdown.clone();
        let mut open = Open {
            places: Places::new(self.max_connections),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            word: watch::Sender::default(),
            tasks: JoinSet::new(),
        };
        loop {
            tokio::select! {
                accepted = self.unix.listener.accept() => {
                    let known = accepted.and_then(|(stream, _)| Ok((stream.peer_cred()?.uid(), stream)));
                    let Some((uid, stream)) = usable(known).await else { continue };
                    let administrator = is_administrator(uid, self.uid);
                    let holder = if administrator { Holder::Administrator } else { Holder::User(uid) };
                    self.take(stream, Peer::Local { administrator }, holder, &mut open);
                }
                accepted = accept(self.tcp.as_ref()) => {
                    let Some((stream, _)) = usable(accepted).await else { continue };
                    self.take(stream, Peer::Loopback { port }, Holder::Loopback, &mut open);
                }
                Some(_) = open.tasks.join_next() => self.beat.set(!open.tasks.is_empty()),
                () = self.beat.struck() => open.word.send_modify(|word| word.beats += 1),
                () = stopped(&mut shutdown) => break,
            }
        }
        open.word.send_modify(|word| word.stop = true);
        let all = async { while open.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.face.limits.farewell, all).await.is_err() {
            tracing::warn!("calls over HTTP were cut off because the agent stops");
        }
    }

    fn take<S>(&mut self, stream: S, peer: Peer, holder: Holder, open: &mut Open)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match open.places.take(holder) {
            Ok(place) => {
                let (face, word) = (Arc::clone(&self.face), open.word.subscribe());
                open.tasks.spawn(async move {
                    connection(stream, peer, face, word).await;
                    drop(place);
                });
                self.beat.set(true);
            }
            Err(limit) => {
                let Ok(place) = Arc::clone(&open.refusals).try_acquire_owned() else { return };
                open.tasks.spawn(async move {
                    refuse::politely(stream, limit).await;
                    drop(place);
                });
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// A connection that failed while it was accepted is its caller's affair, unless descriptors ran out: then trying
/// again at once would only spin.
async fn usable<T>(accepted: io::Result<T>) -> Option<T> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(EXHAUSTED).await;
            None
        }
    }
}

async fn connection<S>(stream: S, peer: Peer, face: Arc<Face>, mut word: watch::Receiver<Word>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let progress = Arc::new(Progress::default());
    let guarded = TokioIo::new(Guard::new(stream, face.limits.stall));
    let caller = Caller { peer, progress: Arc::clone(&progress), face: Arc::clone(&face) };
    let serving = http1::Builder::new()
        .max_buf_size(face.limits.head_bytes)
        .auto_date_header(false)
        .serve_connection(guarded, caller);
    let mut serving = std::pin::pin!(serving);
    let mut moves = None;
    let served = loop {
        tokio::select! {
            biased;
            served = serving.as_mut() => break served,
            told = word.changed() => {
                // An error means that the server is gone, which is the same as stop.
                if told.is_err() || word.borrow_and_update().stop {
                    serving.as_mut().graceful_shutdown();
                    break serving.await;
                }
                moves = progress.since(moves);
                if moves.is_none() {
                    return;
                }
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One connection's way to the routes.
struct Caller {
    face: Arc<Face>,
    peer: Peer,
    progress: Arc<Progress>,
}

impl Service<Request<Incoming>> for Caller {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.progress.moved();
        let method = request.method();
        let (at, answered) = match route::find(method, request.uri().path()) {
            Err(fault) => (None, Err(fault)),
            Ok((at, route, tail)) => {
                let permitted =
                    self.peer.is_no_web_page(request.headers()).and_then(|()| self.peer.may(route.access));
                let target = Target { tail, query: request.uri().query().unwrap_or("") };
                let answered = permitted.and_then(|()| match route.handler {
                    Handler::Now(answer) => answer(&self.face, target).map(Some),
                    Handler::Later(_) => Ok(None),
                });
                (Some(at), answered)
            }
        };
        match answered {
            Ok(Some(response)) => {
                self.face.count(at, response.status());
                if matches!(response.body(), Body::Stream(_)) {
                    // The connection belongs to the stream from now on.
                    self.progress.set_busy(true);
                }
                Answer::Ready(Some(response))
            }
            Ok(None) => self.later(later(Arc::clone(&self.face), at, request)),
            Err(fault) => {
                let response = reply::problem(&fault);
                self.face.count(at, response.status());
                let body = request.into_body();
                if body.is_end_stream() {
                    return Answer::Ready(Some(response));
                }
                let patience = self.face.limits.body;
                self.later(async move {
                    input::swallow(body, patience).await;
                    response
                })
            }
        }
    }
}

impl Caller {
    fn later(&self, answering: impl Future<Output = Response<Body>> + Send + 'static) -> Answer {
        let progress = Arc::clone(&self.progress);
        progress.set_busy(true);
        Answer::Later(Box::pin(async move {
            let response = answering.await;
            progress.moved();
            progress.set_busy(false);
            response
        }))
    }
}

async fn later(face: Arc<Face>, at: Option<usize>, request: Request<Incoming>) -> Response<Body> {
    let answered = match at.and_then(|at| route::ROUTES.get(at)).map(|route| &route.handler) {
        Some(Handler::Later(answer)) => answer(Arc::clone(&face), request).await,
        Some(Handler::Now(_)) | None => Err(Fault::NotFound),
    };
    let response = answered.unwrap_or_else(|fault| reply::problem(&fault));
    face.count(at, response.status());
    response
}

/// An answer: most are known when the question has been read, and cost no allocation.
enum Answer {
    Ready(Option<Response<Body>>),
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answer {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Hyper does not ask twice.
                None => Poll::Pending,
            },
            Self::Later(answering) => answering.as_mut().poll(cx).map(Ok),
        }
    }
}
