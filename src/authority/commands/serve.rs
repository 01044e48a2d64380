//! `landfast-authority serve`

use crate::Authority;
use crate::adapters::log_to_stderr;
use crate::api::{self, Limits};
use crate::commands::Context;
use crate::commands::error::CommandError;
use crate::commands::output::Report;
use crate::home::server_config;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Answer devices over HTTPS until SIGTERM or SIGINT.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen. Port 0 takes a free one; the first line of output tells which.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    listen: String,
    /// Another TLS certificate chain than the one of `init`, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The key of that certificate, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// How many connections are served at a time; more are refused politely.
    #[arg(long, default_value_t = Limits::default().connections, value_name = "N")]
    max_connections: usize,
    /// How many of them one address may have: an IPv4 address, or the /64 network of an IPv6 one. Behind a proxy all
    /// devices have one address; set it as high as --max-connections then.
    #[arg(long, default_value_t = Limits::default().connections_each, value_name = "N")]
    max_connections_each: usize,
    /// How many requests one address may make in a second; more are sent away for a moment. 0 for no limit, as for
    /// devices behind a proxy that has limits of its own.
    #[arg(long, default_value_t = Limits::default().requests_each_second, value_name = "N")]
    max_requests_each: u32,
}

impl Serve {
    pub async fn run(self, context: &Context) -> Result<Report, CommandError> {
        log_to_stderr();
        let (own_certificate, own_key) = context.home()?.tls_files();
        let certificate = self.tls_certificate.unwrap_or(own_certificate);
        let tls = server_config(&certificate, &self.tls_key.unwrap_or(own_key))?;
        let authority = Arc::new(Authority::open(&context.data).await?);
        let refused = |source| CommandError::Listen { address: self.listen.clone(), source };
        let listener = TcpListener::bind(&self.listen).await.map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::Runtime)?;
        let address = listener.local_addr().map_err(CommandError::Runtime)?;
        Report::new(format!("listening on https://{address}"), json!({ "listening": address.to_string() }))
            .print(context.json);
        let limits = Limits {
            connections: self.max_connections.max(1),
            connections_each: self.max_connections_each.max(1),
            requests_each_second: self.max_requests_each,
            ..Limits::default()
        };
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: finishing what was begun");
        };
        api::serve(Arc::clone(&authority), listener, tls, limits, stop).await;
        if let Some(authority) = Arc::into_inner(authority) {
            authority.close().await?;
        }
        Ok(Report::new("", json!({ "stopped": true })))
    }
}
