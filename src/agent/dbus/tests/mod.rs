//! The interfaces over a connection without a bus, and over a real bus.

mod admin;
mod answers;
mod daemon;
mod introspection;
mod on_a_bus;
mod signals;

use crate::dbus::PATH;
use crate::dbus::face::Link;
use crate::front::fixture::Bench;
use std::time::Duration;
use tokio::task::JoinHandle;
use zbus::connection::Builder;
use zbus::{Connection, DynamicType, Guid, Message};

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(60);
const ENTITLEMENTS: &str = "io.landfast.Entitlements1";
const BINDING: &str = "io.landfast.Binding1";
const LICENSES: &str = "io.landfast.Licenses1";
const ADMIN: &str = "io.landfast.Admin1";

/// An agent and one caller, without a bus between them.
struct Pair {
    bench: Bench,
    caller: Connection,
    attending: JoinHandle<()>,
}

impl Pair {
    async fn new(issuers: &[&str]) -> Self {
        Self::with(Bench::new(issuers)).await
    }

    async fn with(bench: Bench) -> Self {
        let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
        let (agent, caller) = tokio::join!(
            Builder::unix_stream(here).server(Guid::generate()).p2p().build(),
            Builder::unix_stream(there).p2p().build(),
        );
        let mut link = Link::offer(&bench.desk, agent.unwrap()).await.unwrap();
        let attending = tokio::spawn(async move {
            link.attend().await;
        });
        Self { bench, caller: caller.unwrap(), attending }
    }

    async fn call<B>(&self, interface: &str, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType,
    {
        soon(self.caller.call_method(None::<&str>, PATH, Some(interface), method, body)).await
    }

    /// A property of the object at `path`.
    async fn property<T>(&self, path: &str, interface: &str, name: &str) -> T
    where
        T: TryFrom<zbus::OwnedVariant>,
        T::Error: std::fmt::Debug,
    {
        let properties = "org.freedesktop.DBus.Properties";
        let wanted = (interface, name);
        let call = self.caller.call_method(None::<&str>, path, Some(properties), "Get", &wanted);
        let value: zbus::OwnedVariant = soon(call).await.unwrap().body().deserialize().unwrap();
        value.try_into().unwrap()
    }
}
impl Drop for Pair {
    fn drop(&mut self) {
        self.attending.abort();
    }
}

/// Name and text of an error that the agent made.
fn trouble(result: zbus::Result<Message>) -> (String, String) {
    match result {
        Err(zbus::Error::MethodError(name, Some(text), _)) => {
            let (sentence, advice) = text.split_once("; next: ").expect("the next step");
            assert!(!sentence.is_empty() && !advice.is_empty(), "{text}");
            (name.as_str().trim_start_matches("io.landfast.Error.").to_owned(), text)
        }
        other => panic!("no error of the agent: {other:?}"),
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it took too long")
}
