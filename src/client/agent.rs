//! One method for each route of the agent's HTTP interface.

use crate::connection::{Answer, Connection};
use crate::error::{Error, Unexpected};
use crate::events::Events;
use crate::question::{Question, target};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use landfast_protocol::local::{
    Bindings, Check, CommandReply, CommandRequest, Entitlements, History, Licenses, PendingList, Problem,
    Prospects, Rfc3339, Runways, SOCKET, Status,
};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// An answer from memory comes in microseconds; whoever waits this long waits for an agent that hangs.
const READ: Duration = Duration::from_secs(10);
/// A command waits for the authority. The agent gives up on an exchange after 100 s at most, and makes a second one at
/// most where the first was superseded.
const COMMAND: Duration = Duration::from_secs(240);

/// The agent of this machine, reached over its Unix socket.
///
/// An idle connection is kept for the next request. Requests may be made at the same time; each then has a
/// connection of its own.
#[derive(Debug)]
pub struct Agent {
    connection: Connection,
    read: Duration,
    command: Duration,
}

impl Agent {
    /// The agent that listens at `socket`. Nothing is opened before the first request.
    #[must_use]
    pub fn at(socket: impl AsRef<Path>) -> Self {
        Self { connection: Connection::new(socket.as_ref()), read: READ, command: COMMAND }
    }

    /// The agent at its usual place, [`SOCKET`].
    #[must_use]
    pub fn system() -> Self {
        Self::at(SOCKET)
    }

    /// The longest time for one whole exchange: `read` for answers from memory (10 s unless set), `command` for what
    /// waits for the disk or the authority (240 s unless set).
    #[must_use]
    pub fn with_deadlines(self, read: Duration, command: Duration) -> Self {
        Self { read, command, ..self }
    }

    /// Where the agent listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.connection.socket
    }

    /// `GET /v1/entitlements/{feature}`: may this feature be used? A denial is an answer, not an error.
    pub async fn check(&self, question: &Question) -> Result<Check, Error> {
        self.get(&question.target()?).await
    }

    /// `GET /v1/entitlements`: every feature that an issuer knows here.
    pub async fn entitlements(&self) -> Result<Entitlements, Error> {
        self.get("/v1/entitlements").await
    }

    /// `GET /v1/binding`: how the hardware compares with what the licenses are bound to.
    pub async fn binding(&self) -> Result<Bindings, Error> {
        self.get("/v1/binding").await
    }

    /// `GET /v1/what-if`: what would become of the bindings if `parts` were replaced. Parts are `board`, `cpu`,
    /// `chassis`, `tpm`, `system`, `vm`, `nic:NAME` and `disk:NAME`.
    pub async fn what_if(&self, parts: &[String]) -> Result<Prospects, Error> {
        let query: Vec<_> = parts.iter().map(|part| ("replace", Some(part.as_str()))).collect();
        self.get(&target("/v1/what-if", &query)).await
    }

    /// `GET /v1/runway`: how long each feature stays granted if nothing changes.
    pub async fn runway(&self) -> Result<Runways, Error> {
        self.get("/v1/runway").await
    }

    /// `GET /v1/licenses`: what is held here.
    pub async fn licenses(&self) -> Result<Licenses, Error> {
        self.get("/v1/licenses").await
    }

    /// `GET /v1/history`: what happened, oldest first; at most `limit` entries, the newest.
    pub async fn history(
        &self,
        since: Option<Rfc3339>,
        limit: Option<u32>,
        issuer: Option<&str>,
    ) -> Result<History, Error> {
        let (since, limit) = (since.map(|time| time.to_string()), limit.map(|limit| limit.to_string()));
        let query = [("since", since.as_deref()), ("limit", limit.as_deref()), ("issuer", issuer)];
        self.get(&target("/v1/history", &query)).await
    }

    /// `GET /v1/status`: how it stands with each issuer.
    pub async fn status(&self) -> Result<Status, Error> {
        self.get("/v1/status").await
    }

    /// `GET /v1/requests`: operations without a final result.
    pub async fn pending(&self) -> Result<PendingList, Error> {
        self.get("/v1/requests").await
    }

    /// `POST /v1/requests`: activate, return, reclaim, plan a change or rescan. For root and the agent's own user.
    pub async fn command(&self, command: &CommandRequest) -> Result<CommandReply, Error> {
        let body = serde_json::to_vec(command).map_err(|error| Error::Question(error.to_string()))?;
        self.post("/v1/requests", "application/json", body).await
    }

    /// `POST /v1/responses`: applies a response that was carried by hand, as bytes or in armor. For root and the
    /// agent's own user.
    pub async fn import(&self, response: Vec<u8>) -> Result<CommandReply, Error> {
        self.post("/v1/responses", "application/octet-stream", response).await
    }

    /// `GET /v1/events`: what changes, as it changes. Read the state after subscribing, so that nothing is missed.
    pub async fn events(&self) -> Result<Events, Error> {
        let request = build(Method::GET, "/v1/events", None, Bytes::new())?;
        let response = self.connection.open(request, self.read).await?;
        let (status, problem) = (response.status(), crate::connection::is_problem(&response));
        if status.is_success() {
            return Ok(Events::new(self.socket().to_owned(), response.into_body()));
        }
        let read = tokio::time::timeout(self.read, self.connection.read(response)).await;
        let body = read.unwrap_or_else(|_| Ok(Bytes::new()))?;
        Err(self.refusal(&Answer { status, problem, body }))
    }

    /// `GET /healthz`: whether the agent answers and can do its work.
    pub async fn health(&self) -> Result<(), Error> {
        self.request(Method::GET, "/healthz", None, Bytes::new(), self.read).await.map(drop)
    }

    /// `GET /metrics`: figures for a monitoring system, in the Prometheus text format.
    pub async fn metrics(&self) -> Result<String, Error> {
        self.text("/metrics").await
    }

    /// `GET /openapi.json`: the description of the interface.
    pub async fn openapi(&self) -> Result<String, Error> {
        self.text("/openapi.json").await
    }

    async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<T, Error> {
        let body = self.request(Method::GET, target, None, Bytes::new(), self.read).await?;
        self.parse(&body)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        let body = self.request(Method::POST, target, Some(kind), body.into(), self.command).await?;
        self.parse(&body)
    }

    async fn text(&self, target: &str) -> Result<String, Error> {
        let body = self.request(Method::GET, target, None, Bytes::new(), self.read).await?;
        String::from_utf8(body.into())
            .map_err(|error| Error::unexpected(self.socket(), Unexpected::Content(error.to_string())))
    }

    async fn request(
        &self,
        method: Method,
        target: &str,
        kind: Option<&'static str>,
        body: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, Error> {
        let request = build(method, target, kind, body)?;
        let answer = self.connection.exchange(request, deadline).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(self.refusal(&answer)) }
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body)
            .map_err(|error| Error::unexpected(self.socket(), Unexpected::Content(error.to_string())))
    }

    /// A failure that explains itself; anything else is not from an agent.
    fn refusal(&self, answer: &Answer) -> Error {
        let bare = || Error::unexpected(self.socket(), Unexpected::Status(answer.status.as_u16()));
        if !answer.problem {
            return bare();
        }
        match serde_json::from_slice::<Problem>(&answer.body) {
            Ok(problem) if !problem.code.is_empty() => {
                Error::Problem(Box::new(Problem { status: answer.status.as_u16(), ..problem }))
            }
            _ => bare(),
        }
    }
}

fn build(
    method: Method,
    target: &str,
    kind: Option<&'static str>,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Error> {
    let mut request = Request::builder().method(method).uri(target).header(header::HOST, "localhost");
    if let Some(kind) = kind {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    request.body(Full::new(body)).map_err(|error| Error::Question(error.to_string()))
}
