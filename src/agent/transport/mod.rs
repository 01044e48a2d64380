//! Carries a request to the authority and its answer back: HTTPS, directly or through a proxy.
//!
//! Each address is tried in order until one gives an answer or refuses the request. Nothing is kept open between
//! exchanges, and nothing that fails here loses anything: the request is durable, and the machine tries again.

mod connect;
mod failure;
mod http;
mod tls;

use crate::config::{Address, Issuer, Online};
use landfast_core::TransportFailure;
use std::sync::Arc;
use tokio::time::timeout;

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
    pub async fn exchange(&self, request: Arc<[u8]>) -> Result<Vec<u8>, TransportFailure> {
        if self.addresses.is_empty() {
            return Err(TransportFailure::NoAddress);
        }
        let tls = tls::configure(self.ca.clone()).await?;
        let mut failures = Vec::new();
        for address in &self.addresses {
            match self.exchange_with(address, Arc::clone(&tls), &request).await {
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
        let limit = self.online.exchange_timeout;
        let whole = async {
            let tcp = connect::connect(address, &self.online).await?;
            let stream = tls::handshake(tls, address, tcp).await?;
            http::post(stream, address, request).await
        };
        timeout(limit, whole).await.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            Err(failure::unreachable(address.authority(), format!("no answer in {seconds} s")))
        })
    }
}

#[cfg(test)]
mod tests;
