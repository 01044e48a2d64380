//! HTTP/1.1 over the agent's Unix socket: one deadline for the whole exchange, one limit for the answer.

use crate::error::{Error, Unexpected};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixStream;

/// More than the largest answer: 1,024 licenses with 32 features each for several issuers.
const MAX_BODY: usize = 16 << 20;

type Sender = SendRequest<Full<Bytes>>;

/// Where the agent listens, with at most one idle connection kept for the next request.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: PathBuf,
    idle: Mutex<Option<Sender>>,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) problem: bool,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), idle: Mutex::new(None) }
    }

    /// Sends one request and reads the whole answer, all within `deadline`.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Answer, Error> {
        let exchange = async {
            let (sender, response) = self.send(request).await?;
            let (status, problem) = (response.status(), is_problem(&response));
            let body = self.read(response).await?;
            self.keep(sender);
            Ok(Answer { status, problem, body })
        };
        tokio::time::timeout(deadline, exchange).await.unwrap_or_else(|_| Err(self.too_slow(deadline)))
    }

    /// Sends one request whose answer goes on for as long as the caller listens. Only its head has a deadline.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Response<Incoming>, Error> {
        let (_, response) = tokio::time::timeout(deadline, self.send(request))
            .await
            .unwrap_or_else(|_| Err(self.too_slow(deadline)))?;
        Ok(response)
    }

    pub(crate) async fn read(&self, response: Response<Incoming>) -> Result<Bytes, Error> {
        let collected = Limited::new(response.into_body(), MAX_BODY).collect().await;
        collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
            let what = if error.is::<LengthLimitError>() {
                Unexpected::TooLarge { limit: MAX_BODY }
            } else {
                Unexpected::BrokenOff(error.to_string())
            };
            Error::unexpected(&self.socket, what)
        })
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(Sender, Response<Incoming>), Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut request = request;
        if let Some(mut sender) = idle.filter(|sender| sender.is_ready()) {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((sender, response)),
                // The agent had closed the idle connection. What never left is safe to send on a new one.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(self.broken(&error.into_error())),
                },
            }
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
        Ok((sender, response))
    }

    async fn connect(&self) -> Result<Sender, Error> {
        let unreachable = |source| Error::NotReachable { socket: self.socket.clone(), source };
        let stream = UnixStream::connect(&self.socket).await.map_err(unreachable)?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(&error))?;
        // It ends with its sender; what goes wrong on it is reported to the request that waits.
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }

    fn keep(&self, sender: Sender) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    fn too_slow(&self, deadline: Duration) -> Error {
        let why = format!("no answer within {} s", deadline.as_secs_f32());
        Error::NotReachable {
            socket: self.socket.clone(),
            source: io::Error::new(io::ErrorKind::TimedOut, why),
        }
    }

    /// A connection that breaks before any answer is an agent that stops or refuses; a broken answer is not.
    fn broken(&self, error: &hyper::Error) -> Error {
        if error.is_parse() {
            return Error::unexpected(&self.socket, Unexpected::NotHttp(error.to_string()));
        }
        let source = io::Error::new(io::ErrorKind::ConnectionReset, error.to_string());
        Error::NotReachable { socket: self.socket.clone(), source }
    }
}

/// Whether the answer says that it is an RFC 9457 document.
pub(crate) fn is_problem<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.split(';').next().map(str::trim) == Some("application/problem+json"))
}
