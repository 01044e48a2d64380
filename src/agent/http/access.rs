//! Who calls, and what callers may do. Unix callers are known by their uid, which the kernel vouches for; callers
//! over loopback are nobody in particular, and may be a web page in a browser (P9).

use crate::front::Fault;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every local user.
    Anyone,
    /// Root and the agent's own user, over the Unix socket.
    Administrator,
}

impl Access {
    /// The name in `openapi.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Administrator => "administrator",
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A local user over the Unix socket.
    Local {
        /// It is root or the agent's own user.
        administrator: bool,
    },
    /// Somebody over loopback.
    Loopback {
        /// The port it connected to.
        port: u16,
    },
}

impl Peer {
    /// Whether this peer may call a route with `access`.
    pub fn may(self, access: Access) -> Result<(), Fault> {
        match (access, self) {
            (Access::Anyone, _) | (Access::Administrator, Self::Local { administrator: true }) => Ok(()),
            (Access::Administrator, _) => Err(Fault::NotPermitted),
        }
    }

    /// Refuses what a web page could have sent: by its Origin, or by a name that was pointed at this machine.
    pub fn is_no_web_page(self, headers: &HeaderMap) -> Result<(), Fault> {
        let Self::Loopback { port } = self else { return Ok(()) };
        let mut hosts = headers.get_all(HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if names_loopback(host, port) => {}
            _ => return Err(Fault::ForeignHost),
        }
        let from_elsewhere = |site: &HeaderValue| site != "none" && site != "same-origin";
        if headers.contains_key(ORIGIN) || headers.get_all(SEC_FETCH_SITE).iter().any(from_elsewhere) {
            return Err(Fault::CrossOrigin);
        }
        Ok(())
    }
}

fn names_loopback(host: &HeaderValue, port: u16) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let (name, given) = match host.rsplit_once(':') {
        // The last colon of a bare IPv6 address is not followed by a port.
        Some((name, given)) if !given.ends_with(']') => (name, given),
        _ => (host, "80"),
    };
    let known = name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]";
    known && given.parse() == Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_only_loopback_names_with_the_right_port_are_hosts() {
        let named = |host: &str, port| names_loopback(&HeaderValue::from_str(host).unwrap(), port);
        for host in ["localhost:7070", "LOCALHOST:7070", "127.0.0.1:7070", "[::1]:7070"] {
            assert!(named(host, 7070), "{host}");
        }
        for host in [
            "localhost",
            "localhost:7071",
            "evil.example:7070",
            "127.0.0.1.evil.example:7070",
            "127.0.0.2:7070",
            "::1:7070",
            "[::1]",
            "",
            ":7070",
            "localhost:7070:7070",
            "localhost:+7070x",
            "user@localhost:7070",
        ] {
            assert!(!named(host, 7070), "{host}");
        }
        assert!(named("localhost", 80) && named("[::1]", 80) && !named("::1", 80));
    }
}
