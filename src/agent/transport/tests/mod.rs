mod answers;
mod handshakes;
mod proxies;
mod server;

use super::{Route, Today};
use crate::config::{Address, Online, Proxy};
use landfast_core::TransportFailure;
use landfast_protocol::Timestamp;
use server::{Answer, Authority, Certificates};
use std::sync::Arc;
use std::time::Duration;

const REQUEST: &[u8] = b"a request";

/// A route as it would be configured, impatient so that tests of slowness end soon.
fn route(addresses: &[&str], ca: &str) -> Route {
    Route {
        addresses: addresses.iter().map(|address| Address::parse(address).unwrap()).collect(),
        ca: Some(ca.to_owned()),
        online: Online {
            proxy: None,
            connect_timeout: Duration::from_secs(20),
            exchange_timeout: Duration::from_secs(40),
        },
    }
}

const TODAY: Today = Today { time: Timestamp(0), certain: true };

async fn exchange(route: &Route) -> Result<Vec<u8>, TransportFailure> {
    exchange_on(TODAY, route).await
}

async fn exchange_on(today: Today, route: &Route) -> Result<Vec<u8>, TransportFailure> {
    route.exchange(Arc::from(REQUEST), today).await
}

/// An address at which nobody listens.
async fn dead() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("https://{}", listener.local_addr().unwrap())
}

#[track_caller]
fn assert_failure(failure: &TransportFailure, code: &str, parts: &[&str]) {
    assert_eq!(failure.code(), code, "{failure}");
    for part in parts {
        assert!(failure.to_string().contains(part), "`{part}` is missing in: {failure}");
    }
}

fn proxied(mut route: Route, proxy: &str) -> Route {
    route.online.proxy = Some(Proxy::parse(proxy).unwrap());
    route
}

fn usual() -> (Certificates, Answer) {
    (Certificates::for_names(&["localhost", "127.0.0.1"]), Answer::response(b"an answer"))
}

async fn authority(answer: Answer) -> Authority {
    Authority::start(usual().0, answer).await
}
