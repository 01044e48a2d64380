//! Where an authority and a proxy are found.

use hyper::Uri;
use rustls::pki_types::ServerName;
use std::fmt;

/// One address of an authority: `https://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The path of the exchange endpoint.
    pub endpoint: String,
    authority: String,
}

impl Address {
    /// Reads an https URL; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| format!("`{text}` is no URL"))?;
        if uri.scheme_str() != Some("https") {
            return Err(format!("`{text}` does not start with https://"));
        }
        if uri.query().is_some() {
            return Err(format!("`{text}` has a query"));
        }
        let (host, authority) = host(&uri, text)?;
        ServerName::try_from(host.as_str())
            .map_err(|_| format!("`{host}` is neither a host name nor an IP address"))?;
        let endpoint = format!("{}/v1/exchange", uri.path().trim_end_matches('/'));
        Ok(Self { host, port: uri.port_u16().unwrap_or(443), endpoint, authority })
    }

    /// Host and port as the URL wrote them.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority, self.endpoint.trim_end_matches("/v1/exchange"))
    }
}

/// An HTTP proxy that forwards TLS untouched (`CONNECT`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    authority: String,
}

impl Proxy {
    /// Reads an http URL with a port; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "it is no URL".to_owned())?;
        if uri.scheme_str() != Some("http") {
            return Err("it does not start with http://".to_owned());
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err("something follows its port".to_owned());
        }
        let (host, authority) = host(&uri, "the URL")?;
        let port = uri.port_u16().ok_or("it names no port")?;
        Ok(Self { host, port, authority })
    }
}
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// Credentials are refused without repeating them: they would end up in logs.
fn host(uri: &Uri, shown: &str) -> Result<(String, String), String> {
    let authority = uri.authority().ok_or_else(|| format!("`{shown}` names no host"))?;
    if authority.as_str().contains('@') {
        return Err("it holds a user name or password, which are not supported".to_owned());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(format!("`{shown}` names no host"));
    }
    Ok((host, authority.as_str().to_owned()))
}
