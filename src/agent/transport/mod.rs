//! Carries a request to the authority and its answer back: HTTPS, directly or through a proxy.
//!
//! Each address is tried in order until one gives an answer or refuses the request. One deadline holds for all of them,
//! so that whoever waits for the agent hears of a slow authority before taking the agent for dead. Nothing is kept open
//! between exchanges, and nothing that fails here loses anything: the request is durable, and the machine tries again.

mod certificate;
mod connect;
mod failure;
mod http;
mod tls;

pub use certificate::Today;

use crate::config::{Address, Issuer, Online};
use landfast_core::TransportFailure;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The way to the authority of one issuer.
#[derive(Clone, Debug)]
pub struct Route {
    addresses: Vec<Address>,
    ca: Option<String>,
    online: Online,
}

impl Route {
    /// As configured.
    #[must_use]
    pub fn new(issuer: &Issuer, online: &Online) -> Self {
        Self { addresses: issuer.addresses.clone(), ca: issuer.ca.clone(), online: online.clone() }
    }

    /// Delivers a request. Gives the bytes of the answer, which nobody has judged yet.
    pub async fn exchange(&self, request: Arc<[u8]>, today: Today) -> Result<Vec<u8>, TransportFailure> {
        if self.addresses.is_empty() {
            return Err(TransportFailure::NoAddress);
        }
        // All of them run from now on: what one address does not need is left to the next ones.
        let turns = shares(self.online.exchange_timeout, self.addresses.len());
        let turns: Vec<_> = turns.map(|end| (end, Box::pin(sleep(end)))).collect();
        let tls = tls::configure(self.ca.clone(), today).await?;
        let mut failures = Vec::new();
        for (address, (end, over)) in self.addresses.iter().zip(turns) {
            let answered = tokio::select! {
                biased;
                answered = self.exchange_with(address, Arc::clone(&tls), &request) => answered,
                () = over => {
                    let why = format!("no answer in {} s", end.as_secs().max(1));
                    Err(failure::unreachable(address.authority(), why))
                }
            };
            match answered {
                Ok(answer) => return Ok(answer),
                // It is our authority that speaks here, and the others would say the same.
                Err(refused @ TransportFailure::Refused(_)) => return Err(refused),
                Err(failure) => failures.push(failure),
            }
        }
        Err(failure::combine(failures))
    }

    async fn exchange_with(
        &self,
        address: &Address,
        tls: Arc<rustls::ClientConfig>,
        request: &[u8],
    ) -> Result<Vec<u8>, TransportFailure> {
        let tcp = connect::connect(address, &self.online).await?;
        let stream = tls::handshake(tls, address, tcp).await?;
        http::post(stream, address, request).await
    }
}

/// When the turn of each of so many addresses ends, from the beginning.
fn shares(whole: Duration, addresses: usize) -> impl Iterator<Item = Duration> {
    let count = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
    (1..=count).map(move |turn| whole * turn / count)
}

#[cfg(test)]
mod tests;
