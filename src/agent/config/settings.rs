//! What the agent runs with: every value in range, every default filled in.

use super::address::Proxy;
use super::error::ConfigError;
use super::fragment::{Fragment, Sourced};
use super::issuer::Issuer;
use landfast_protocol::Text;
use log::LevelFilter;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// The validated configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A name for this device that goes along with its requests; none unless the administrator set one.
    pub label: Option<Text<64>>,
    /// The least important messages that are logged.
    pub log: LevelFilter,
    /// How the authority is reached.
    pub online: Online,
    /// What local applications are offered.
    pub local: Local,
    /// How long hardware events have to be quiet before the hardware is looked at.
    pub debounce: Duration,
    /// Whom licenses are taken from, in order of their file names.
    pub issuers: Vec<Issuer>,
    /// `production`, or `development` when the configuration need not be root's.
    pub trust: &'static str,
}

/// How the authority is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Online {
    /// The way out, where there is no direct one.
    pub proxy: Option<Proxy>,
    /// How long one connection may take to come about.
    pub connect_timeout: Duration,
    /// How long one exchange may take in all, whatever the number of addresses.
    pub exchange_timeout: Duration,
}

/// What local applications are offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// A loopback address for a read-only HTTP port; none opens no port.
    pub http_listen: Option<SocketAddr>,
    /// How many local connections are served at once.
    pub connections: usize,
}

impl Settings {
    /// Judges what the files say, taken together.
    pub(super) fn validate(
        merged: Fragment,
        issuers: Vec<Issuer>,
        trust: &'static str,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            label: label(merged.label)?,
            log: level(merged.log)?,
            online: Online {
                proxy: proxy(merged.proxy)?,
                connect_timeout: Duration::from_secs(ranged(
                    "online.connect_timeout_s",
                    merged.connect_timeout_s,
                    1..=120,
                    10,
                )?),
                exchange_timeout: Duration::from_secs(ranged(
                    "online.exchange_timeout_s",
                    merged.exchange_timeout_s,
                    1..=100,
                    60,
                )?),
            },
            local: Local {
                http_listen: listen(merged.http_listen)?,
                connections: usize::try_from(ranged("local.connections", merged.connections, 1..=1024, 64)?)
                    .unwrap_or(64),
            },
            debounce: Duration::from_millis(ranged(
                "hardware.debounce_ms",
                merged.debounce_ms,
                10..=60_000,
                2_000,
            )?),
            issuers,
            trust,
        })
    }
}

fn refuse<T>(key: &str, given: &Sourced<T>, reason: String, advice: &str) -> ConfigError {
    ConfigError::Value { file: given.file.clone(), key: key.to_owned(), reason, advice: advice.to_owned() }
}

fn label(given: Option<Sourced<String>>) -> Result<Option<Text<64>>, ConfigError> {
    let Some(given) = given else { return Ok(None) };
    let advice = "write a name of at most 64 bytes without control characters";
    if given.value.trim().is_empty() {
        return Err(refuse("label", &given, "it is empty".to_owned(), "write a name, or remove the key"));
    }
    Text::new(given.value.clone())
        .map(Some)
        .map_err(|error| refuse("label", &given, error.to_string(), advice))
}

fn level(given: Option<Sourced<String>>) -> Result<LevelFilter, ConfigError> {
    let Some(given) = given else { return Ok(LevelFilter::Info) };
    match given.value.as_str() {
        "error" => Ok(LevelFilter::Error),
        "warn" => Ok(LevelFilter::Warn),
        "info" => Ok(LevelFilter::Info),
        "debug" => Ok(LevelFilter::Debug),
        other => {
            let reason = format!("`{other}` is no level");
            Err(refuse("log", &given, reason, "write error, warn, info or debug"))
        }
    }
}

fn proxy(given: Option<Sourced<String>>) -> Result<Option<Proxy>, ConfigError> {
    let Some(given) = given else { return Ok(None) };
    let advice = "write it like http://proxy.example:3128";
    Proxy::parse(&given.value).map(Some).map_err(|reason| refuse("online.proxy", &given, reason, advice))
}

fn listen(given: Option<Sourced<String>>) -> Result<Option<SocketAddr>, ConfigError> {
    let Some(given) = given else { return Ok(None) };
    let (key, advice) = ("local.http_listen", "write a loopback address with a port, like 127.0.0.1:7117");
    let address: SocketAddr = given
        .value
        .parse()
        .map_err(|_| refuse(key, &given, format!("`{}` is no address with a port", given.value), advice))?;
    if address.ip().is_loopback() {
        Ok(Some(address))
    } else {
        let reason = format!("{} can be reached from other machines", address.ip());
        Err(refuse(key, &given, reason, advice))
    }
}

fn ranged(
    key: &str,
    given: Option<Sourced<i64>>,
    range: std::ops::RangeInclusive<u64>,
    default: u64,
) -> Result<u64, ConfigError> {
    let Some(given) = given else { return Ok(default) };
    match u64::try_from(given.value) {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(refuse(
            key,
            &given,
            format!("{} is out of range", given.value),
            &format!("write a number from {} to {}", range.start(), range.end()),
        )),
    }
}

/// What `--check-config` prints: the settings as they would be used.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "none".to_owned();
        writeln!(f, "trust: {}", self.trust)?;
        writeln!(f, "label: {}", self.label.as_ref().map_or_else(none, ToString::to_string))?;
        writeln!(f, "log: {}", self.log.as_str().to_lowercase())?;
        writeln!(f, "online.proxy: {}", self.online.proxy.as_ref().map_or_else(none, ToString::to_string))?;
        writeln!(f, "online.connect_timeout_s: {}", self.online.connect_timeout.as_secs())?;
        writeln!(f, "online.exchange_timeout_s: {}", self.online.exchange_timeout.as_secs())?;
        writeln!(
            f,
            "local.http_listen: {}",
            self.local.http_listen.map_or_else(none, |address| address.to_string())
        )?;
        writeln!(f, "local.connections: {}", self.local.connections)?;
        writeln!(f, "hardware.debounce_ms: {}", self.debounce.as_millis())?;
        if self.issuers.is_empty() {
            writeln!(f, "issuers: none; put the vendor's issuer file into issuers.d/")?;
        }
        for issuer in &self.issuers {
            write!(f, "{issuer}")?;
        }
        Ok(())
    }
}
