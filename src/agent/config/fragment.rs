//! One file of settings, nothing filled in and nothing judged yet, and how files are merged.

use super::error::ConfigError;
use super::keys::Keys;
use super::trusted::TrustedFile;
use std::path::PathBuf;

/// A value and the file that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sourced<T> {
    pub value: T,
    pub file: PathBuf,
}

/// The keys of `agent.toml` and `agent.d/*.toml`, all optional.
#[derive(Debug, Default)]
pub(super) struct Fragment {
    pub label: Option<Sourced<String>>,
    pub log: Option<Sourced<String>>,
    pub proxy: Option<Sourced<String>>,
    pub connect_timeout_s: Option<Sourced<i64>>,
    pub exchange_timeout_s: Option<Sourced<i64>>,
    pub http_listen: Option<Sourced<String>>,
    pub connections: Option<Sourced<i64>>,
    pub debounce_ms: Option<Sourced<i64>>,
}

impl Fragment {
    /// Reads one file.
    pub fn parse(file: &TrustedFile) -> Result<Self, ConfigError> {
        let mut top = Keys::of(file, &["label", "log", "online", "local", "hardware"])?;
        let mut online = top.section("online", &["proxy", "connect_timeout_s", "exchange_timeout_s"])?;
        let mut local = top.section("local", &["http_listen", "connections"])?;
        let mut hardware = top.section("hardware", &["debounce_ms"])?;
        let text = |value: Option<String>| value.map(|value| Sourced { value, file: file.path.clone() });
        let number = |value: Option<i64>| value.map(|value| Sourced { value, file: file.path.clone() });
        Ok(Self {
            label: text(top.text("label")?),
            log: text(top.text("log")?),
            proxy: text(online.text("proxy")?),
            connect_timeout_s: number(online.number("connect_timeout_s")?),
            exchange_timeout_s: number(online.number("exchange_timeout_s")?),
            http_listen: text(local.text("http_listen")?),
            connections: number(local.number("connections")?),
            debounce_ms: number(hardware.number("debounce_ms")?),
        })
    }

    /// Lays a later file over this one: what it says wins, what it does not say stays.
    pub fn merge(&mut self, later: Self) {
        let Self {
            label,
            log,
            proxy,
            connect_timeout_s,
            exchange_timeout_s,
            http_listen,
            connections,
            debounce_ms,
        } = later;
        lay(&mut self.label, label);
        lay(&mut self.log, log);
        lay(&mut self.proxy, proxy);
        lay(&mut self.connect_timeout_s, connect_timeout_s);
        lay(&mut self.exchange_timeout_s, exchange_timeout_s);
        lay(&mut self.http_listen, http_listen);
        lay(&mut self.connections, connections);
        lay(&mut self.debounce_ms, debounce_ms);
    }
}

fn lay<T>(under: &mut Option<T>, over: Option<T>) {
    if over.is_some() {
        *under = over;
    }
}
