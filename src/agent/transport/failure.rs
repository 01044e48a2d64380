//! Failures in plain words, each naming the address that it is about.

use landfast_core::TransportFailure;
use landfast_protocol::Text;
use std::io;

/// What others sent is shown to administrators, shortened and without control characters.
pub(super) fn shown(text: &str) -> String {
    Text::<300>::lossy(text).to_string()
}

pub(super) fn unreachable(place: &str, why: impl std::fmt::Display) -> TransportFailure {
    TransportFailure::Unreachable(format!("{place}: {why}"))
}

pub(super) fn garbage(place: &str, why: impl std::fmt::Display) -> TransportFailure {
    TransportFailure::Garbage(format!("{place}: {why}"))
}

/// What the operating system said, without its numbers.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

/// One failure for all addresses: of the kind that tells most, with the words of each.
pub(super) fn combine(failures: Vec<TransportFailure>) -> TransportFailure {
    let rank = |failure: &TransportFailure| match failure {
        TransportFailure::NoAddress => 0,
        TransportFailure::Unreachable(_) => 1,
        TransportFailure::Garbage(_) => 2,
        TransportFailure::Tls(_) => 3,
        TransportFailure::Unavailable(_) => 4,
        TransportFailure::Refused(_) => 5,
    };
    let words = |failure: &TransportFailure| match failure {
        TransportFailure::NoAddress => String::new(),
        TransportFailure::Unreachable(words)
        | TransportFailure::Garbage(words)
        | TransportFailure::Tls(words)
        | TransportFailure::Unavailable(words)
        | TransportFailure::Refused(words) => words.clone(),
    };
    let all = failures.iter().map(words).collect::<Vec<_>>().join("; ");
    match failures.into_iter().max_by_key(rank) {
        None | Some(TransportFailure::NoAddress) => TransportFailure::NoAddress,
        Some(TransportFailure::Unreachable(_)) => TransportFailure::Unreachable(all),
        Some(TransportFailure::Garbage(_)) => TransportFailure::Garbage(all),
        Some(TransportFailure::Tls(_)) => TransportFailure::Tls(all),
        Some(TransportFailure::Unavailable(_)) => TransportFailure::Unavailable(all),
        Some(TransportFailure::Refused(_)) => TransportFailure::Refused(all),
    }
}
