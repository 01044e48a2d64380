//! The event stream: what changed, as it changes.

use crate::error::{Error, Unexpected};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use landfast_protocol::local::{BindingChanged, Changed};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::path::PathBuf;

/// An event is a name and a small JSON object; a line longer than this is none of the agent's.
const MAX_LINE: usize = 64 << 10;

/// Something changed. Events say what, not to what: read it afresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What a check answers may have changed.
    Entitlements(Changed),
    /// The set of licenses changed.
    Licenses(Changed),
    /// An operation got its result, or a command left one pending.
    Operations(Changed),
    /// The verdict on the hardware changed.
    Binding(BindingChanged),
    /// Events were lost because they were not read fast enough: everything may have changed.
    Resync,
    /// Of a newer agent.
    Other(String),
}

/// An open event stream. It ends when the agent stops, or when this is dropped.
#[derive(Debug)]
pub struct Events {
    socket: PathBuf,
    body: Incoming,
    parser: Parser,
    ready: VecDeque<Raw>,
}

impl Events {
    pub(crate) fn new(socket: PathBuf, body: Incoming) -> Self {
        Self { socket, body, parser: Parser::default(), ready: VecDeque::new() }
    }

    /// The next event; none when the agent has ended the stream. Safe to be cancelled: no event is lost.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(raw) = self.ready.pop_front() {
                return event(raw).map(Some).map_err(|what| Error::unexpected(&self.socket, what));
            }
            let frame = match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    return Err(Error::unexpected(&self.socket, Unexpected::BrokenOff(error.to_string())));
                }
            };
            if let Ok(bytes) = frame.into_data() {
                let fed = self.parser.feed(&bytes, &mut self.ready);
                fed.map_err(|what| Error::unexpected(&self.socket, what))?;
            }
        }
    }
}

fn event(raw: Raw) -> Result<Event, Unexpected> {
    Ok(match raw.name.as_str() {
        "entitlements" => Event::Entitlements(data(&raw)?),
        "licenses" => Event::Licenses(data(&raw)?),
        "operations" => Event::Operations(data(&raw)?),
        "binding" => Event::Binding(data(&raw)?),
        "resync" => Event::Resync,
        _ => Event::Other(raw.name),
    })
}

fn data<T: DeserializeOwned>(raw: &Raw) -> Result<T, Unexpected> {
    serde_json::from_str(&raw.data).map_err(|error| Unexpected::Content(error.to_string()))
}

/// One server-sent event as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Raw {
    name: String,
    data: String,
}

/// Splits a stream of server-sent events. Bytes go in as they arrive, whole events come out.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
}

impl Parser {
    fn feed(&mut self, bytes: &[u8], out: &mut impl Extend<Raw>) -> Result<(), Unexpected> {
        for byte in bytes {
            if *byte != b'\n' {
                within(self.line.len() + 1)?;
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = std::str::from_utf8(&line).map_err(|error| Unexpected::Content(error.to_string()))?;
            out.extend(self.take(line.strip_suffix('\r').unwrap_or(line))?);
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<Option<Raw>, Unexpected> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return Ok((!name.is_empty() || !data.is_empty()).then_some(Raw { name, data }));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                within(self.data.len() + value.len())?;
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // A comment keeps the connection alive; other fields are of no use here.
            _ => {}
        }
        Ok(None)
    }
}

fn within(length: usize) -> Result<(), Unexpected> {
    if length > MAX_LINE { Err(Unexpected::TooLarge { limit: MAX_LINE }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&[u8]]) -> Result<Vec<Event>, Unexpected> {
        let (mut parser, mut raw) = (Parser::default(), Vec::new());
        for chunk in chunks {
            parser.feed(chunk, &mut raw)?;
        }
        raw.into_iter().map(event).collect()
    }

    #[test]
    fn events_however_they_are_cut() {
        let stream = b": hello\n\nevent: licenses\ndata: {\"issuer\":\"acme\"}\n\n\
            event: binding\r\ndata: {\"issuer\":\"acme\",\r\ndata:\"from\":\"bound\",\"to\":\"drifted\"}\r\n\r\n\
            event: resync\ndata: {\"issuer\":null}\n\nevent: tea\ndata: {}\n\nevent: cut off";
        let expected = vec![
            Event::Licenses(Changed { issuer: Some("acme".to_owned()) }),
            Event::Binding(BindingChanged {
                issuer: "acme".to_owned(),
                from: "bound".to_owned(),
                to: "drifted".to_owned(),
            }),
            Event::Resync,
            Event::Other("tea".to_owned()),
        ];
        for size in 1..stream.len() {
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(parse(&chunks).as_ref(), Ok(&expected), "in pieces of {size}");
        }
    }

    #[test]
    fn junk_ends_the_stream_and_fills_no_memory() {
        let junk = vec![b'x'; 1 << 20];
        assert_eq!(parse(&[&junk]), Err(Unexpected::TooLarge { limit: MAX_LINE }));
        let many = b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(10_000);
        assert_eq!(parse(&[&many]), Err(Unexpected::TooLarge { limit: MAX_LINE }));
        assert!(matches!(parse(&[b"event: licenses\ndata: {\n\n"]), Err(Unexpected::Content(_))));
        assert!(matches!(parse(&[b"event: \xff\n\n"]), Err(Unexpected::Content(_))));
    }
}
