//! What `docs/http.md` and `docs/dbus.md` list is whole.

use crate::front::Fault;
use crate::http::route::ROUTES;
use landfast_core::Reason;
use landfast_core::effect::Refusal;
use landfast_core::event::TransportFailure;
use landfast_protocol::frame::FrameError;
use landfast_protocol::{Duration as Span, LicenseId};

fn document(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_route_is_described() {
    let text = document("http.md");
    for route in &ROUTES {
        let row = text.lines().find(|line| {
            let target = line.strip_prefix(&format!("| `{} {}", route.method, route.path));
            target.is_some_and(|rest| rest.starts_with('`') || rest.starts_with('?'))
        });
        let row = row.unwrap_or_else(|| panic!("{} {} is not described", route.method, route.path));
        assert!(row.contains(&format!("| {} |", route.access.name())), "{row}");
    }
}

#[test]
fn every_reason_is_described() {
    let (http, dbus) = (document("http.md"), document("dbus.md"));
    for reason in Reason::ALL {
        let code = format!("`{}`", reason.code());
        assert!(http.contains(&format!("| {code} |")) && dbus.contains(&code), "{code}");
    }
}

#[test]
fn every_fault_is_described_beside_its_status() {
    let not_reached = |failure| Refusal::NotReached { failure, retry_in: Span(1) };
    let text = String::new;
    let license = LicenseId([1; 16]);
    let faults: Vec<Fault> = vec![
        not_reached(TransportFailure::NoAddress).into(),
        not_reached(TransportFailure::Unreachable(text())).into(),
        not_reached(TransportFailure::Tls(text())).into(),
        not_reached(TransportFailure::Unavailable(text())).into(),
        not_reached(TransportFailure::Refused(text())).into(),
        not_reached(TransportFailure::Garbage(text())).into(),
        Refusal::NotHeld(license).into(),
        Refusal::TooMany { license, held: 1, asked: 2 }.into(),
        Refusal::NothingHeld.into(),
        Refusal::BadCommand("").into(),
        Refusal::TooManyPending(1).into(),
        Refusal::HardwareNotRead.into(),
        Refusal::RequestNotMade(text()).into(),
        Refusal::Store(text()).into(),
        Refusal::VerdictNotStored(text()).into(),
        Refusal::StoreLost.into(),
        FrameError::NotAFrame("").into(),
        FrameError::Version(2).into(),
        FrameError::Signature.into(),
        FrameError::Untrusted(text()).into(),
        Fault::ForeignIssuer(text()),
        Fault::NotPermitted,
        Fault::Busy,
        Fault::Stopping,
        Fault::NoIssuer,
        Fault::UnknownIssuer { name: text(), known: text() },
        Fault::IssuerNeeded { known: text() },
        Fault::BadInput(text()),
        Fault::UnknownLicense(text()),
        Fault::AmbiguousLicense { prefix: text(), count: 2 },
        Fault::NotFound,
        Fault::MethodNotAllowed { allowed: text() },
        Fault::TooLarge { limit: 1 },
        Fault::TimedOut { seconds: 1 },
        Fault::Full { what: "connections", limit: 1 },
        Fault::ForeignHost,
        Fault::CrossOrigin,
    ];
    let document = document("http.md");
    for fault in faults {
        let (status, code) = (fault.status().to_string(), format!("`{}`", fault.code()));
        let row = document.lines().find(|line| {
            line.split('|').nth(1).is_some_and(|first| first.split(',').any(|one| one.trim() == status))
        });
        assert!(row.is_some_and(|row| row.contains(&code)), "{code} does not stand in the row of {status}");
        assert!(!fault.advice().is_empty(), "{code} has no next step");
    }
}

#[test]
fn every_method_property_and_signal_is_described() {
    let text = document("dbus.md");
    for interface in ["Entitlements1", "Binding1", "Licenses1", "Admin1"] {
        let file = format!("dbus/io.landfast.{interface}.xml");
        let xml =
            std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        for line in xml.lines().map(str::trim) {
            let Some((kind, rest)) = line.trim_start_matches('<').split_once(" name=\"") else { continue };
            let Some((name, rest)) = rest.split_once('"') else { continue };
            match kind {
                "method" | "signal" => assert!(text.contains(&format!("`{name}(")), "{interface}.{name}"),
                "property" => {
                    assert!(text.contains(&format!("`{name}`")), "{interface}.{name}");
                    let kind = rest.split('"').nth(1).unwrap();
                    assert!(text.contains(&format!("`{kind}`")), "{interface}.{name}: {kind}");
                }
                _ => {}
            }
        }
    }
}
