//! What listeners hear.

use super::*;
use crate::dbus::licenses;
use crate::front::fixture::server;
use futures_util::StreamExt;
use landfast_core::effect::Signal;
use std::collections::HashMap;
use zbus::{MessageStream, OwnedVariant};

/// Reads signals until one with this member and path comes.
async fn heard(stream: &mut MessageStream, member: &str, path: &str) -> Message {
    let reading = async {
        loop {
            let message = stream.next().await.expect("the connection is open").unwrap();
            let header = message.header();
            let (found, at) = (header.member().map(|m| m.to_string()), header.path().map(|p| p.to_string()));
            if found.as_deref() == Some(member) && at.as_deref() == Some(path) {
                return message;
            }
        }
    };
    soon(reading).await
}

#[tokio::test]
async fn licenses_come_change_and_go() {
    let pair = Pair::new(&["acme"]).await;
    let mut stream = MessageStream::from(&pair.caller);
    pair.bench.activate(0, &[3]);
    heard(&mut stream, "Changed", PATH).await;
    let added = heard(&mut stream, "InterfacesAdded", PATH).await;
    let path = licenses::path(pair.bench.license(0, 3));
    type Added = (zbus::OwnedObjectPath, HashMap<String, HashMap<String, OwnedVariant>>);
    let (object, interfaces): Added = added.body().deserialize().unwrap();
    assert_eq!((object.as_str(), interfaces.contains_key(LICENSES)), (path.as_str(), true));

    let mut token = pair.bench.token(0, 3);
    token.quantity = 2;
    pair.bench.change(0, token);
    pair.call(ADMIN, "Reclaim", &("", false)).await.unwrap();
    let changed = heard(&mut stream, "PropertiesChanged", &path).await;
    type News = (String, HashMap<String, OwnedVariant>, Vec<String>);
    let (interface, news, invalidated): News = changed.body().deserialize().unwrap();
    assert_eq!((interface.as_str(), invalidated.len()), (LICENSES, 0));
    assert_eq!(news.keys().collect::<Vec<_>>(), ["Quantity"]);
    assert_eq!(pair.property::<u32>(&path, LICENSES, "Quantity").await, 2);

    pair.call(ADMIN, "ReturnAll", &("", false, false)).await.unwrap();
    let removed = heard(&mut stream, "InterfacesRemoved", PATH).await;
    let (object, interfaces): (zbus::OwnedObjectPath, Vec<String>) = removed.body().deserialize().unwrap();
    assert_eq!((object.as_str(), interfaces), (path.as_str(), vec![LICENSES.to_owned()]));
}

/// The changes of the verdict that are heard, until one leads to `last`.
async fn verdicts(stream: &mut MessageStream, last: &str) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    while told.last().is_none_or(|(_, to)| to != last) {
        let changed = heard(stream, "Changed", PATH).await;
        if changed.header().interface().is_some_and(|name| name == BINDING) {
            told.push(changed.body().deserialize().unwrap());
        }
    }
    told
}

#[tokio::test]
async fn d3_the_worst_verdict_is_told() {
    let pair = Pair::new(&["acme", "globex"]).await;
    let mut stream = MessageStream::from(&pair.caller);
    pair.bench.activate(0, &[3]);
    let news = heard(&mut stream, "PropertiesChanged", PATH).await;
    let (interface, changed, _): (String, HashMap<String, OwnedVariant>, Vec<String>) =
        news.body().deserialize().unwrap();
    assert_eq!(interface, BINDING);
    assert_eq!(String::try_from(changed["State"].try_clone().unwrap()).unwrap(), "bound");
    let step = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(verdicts(&mut stream, "bound").await, [step("unbound", "bound")]);
    pair.bench.swap(server("another", "other", "another"));
    assert_eq!(verdicts(&mut stream, "broken").await, [step("bound", "broken")]);
    // The second issuer binds to the hardware as it is now. Its verdict is better, so nothing is told of it; with
    // the old parts back it is the second that is broken.
    pair.bench.activate(1, &[4]);
    pair.bench.swap(server("another", "other", "card"));
    pair.bench.swap(server("board", "disk", "card"));
    assert_eq!(verdicts(&mut stream, "bound").await, [step("broken", "bound")]);
    assert_eq!(verdicts(&mut stream, "broken").await, [step("bound", "broken")]);
}

#[tokio::test]
async fn a_listener_that_missed_signals_is_told_everything() {
    let pair = Pair::with(Bench::with_queue(&["acme"], 2)).await;
    let mut stream = MessageStream::from(&pair.caller);
    for _ in 0..100 {
        let _ = pair.bench.desk.signals.send((0, Signal::OperationsChanged));
    }
    // The signals of these come last, and too many to be kept.
    pair.bench.activate(0, &[3]);
    pair.bench.swap(server("another", "other", "another"));
    for _ in 0..2 {
        let _ = pair.bench.desk.signals.send((0, Signal::OperationsChanged));
    }
    heard(&mut stream, "InterfacesAdded", PATH).await;
    let changed = loop {
        let changed = heard(&mut stream, "Changed", PATH).await;
        if changed.header().interface().unwrap().as_str() == BINDING {
            break changed;
        }
    };
    assert_eq!(changed.body().deserialize::<(String, String)>().unwrap().1, "broken");
    heard(&mut stream, "Changed", PATH).await;
}
