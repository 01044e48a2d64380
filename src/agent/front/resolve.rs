//! From what a caller writes to what the agent knows: issuers by name, licenses by id.

use crate::front::Fault;
use landfast_core::Snapshot;
use landfast_core::view::IssuerView;
use landfast_protocol::certificate::Certificate;
use landfast_protocol::frame::{Frame, FrameError};
use landfast_protocol::local::LicenseChoice;
use landfast_protocol::{ActivationId, LicenseId, armor};
use std::collections::BTreeSet;

/// Fewer digits of a license id than this are too easily mistyped.
const SHORTEST_PREFIX: usize = 8;

/// The issuer of that name.
pub fn issuer_named(snapshot: &Snapshot, name: &str) -> Result<usize, Fault> {
    let at = snapshot.issuers.iter().position(|view| view.name == name);
    at.ok_or_else(|| Fault::UnknownIssuer { name: name.chars().take(64).collect(), known: known(snapshot) })
}

/// The issuer of that name, or the only one.
pub fn one_issuer(snapshot: &Snapshot, name: Option<&str>) -> Result<usize, Fault> {
    match (name, snapshot.issuers.len()) {
        (Some(name), _) => issuer_named(snapshot, name),
        (None, 0) => Err(Fault::NoIssuer),
        (None, 1) => Ok(0),
        (None, _) => Err(Fault::IssuerNeeded { known: known(snapshot) }),
    }
}

/// The issuer of that name, or all.
pub fn issuers(snapshot: &Snapshot, name: Option<&str>) -> Result<Vec<usize>, Fault> {
    match (name, snapshot.issuers.len()) {
        (Some(name), _) => issuer_named(snapshot, name).map(|at| vec![at]),
        (None, 0) => Err(Fault::NoIssuer),
        (None, count) => Ok((0..count).collect()),
    }
}

fn known(snapshot: &Snapshot) -> String {
    let names: Vec<&str> = snapshot.issuers.iter().map(|view| view.name.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The activation id that a caller wrote. It is a secret, so the fault does not repeat it.
pub fn activation_id(text: &str) -> Result<ActivationId, Fault> {
    text.parse().map_err(|error| Fault::BadInput(format!("{error}")))
}

/// The license to return and whose it is, looked for at the issuers `among`.
pub fn license(
    snapshot: &Snapshot,
    among: &[usize],
    choice: &LicenseChoice,
) -> Result<(usize, LicenseId), Fault> {
    let views = || among.iter().filter_map(|at| snapshot.issuers.get(*at).map(|view| (*at, view)));
    if let Ok(id) = choice.id.parse::<ActivationId>() {
        let named: Vec<(usize, LicenseId)> =
            views().map(|(at, view)| (at, id.license(&view.issuer))).collect();
        let here = named.iter().find(|(at, license)| {
            snapshot.issuers.get(*at).is_some_and(|view| known_here(view).contains(license))
        });
        return match (here, named.as_slice()) {
            (Some(found), _) => Ok(*found),
            // The state machine knows whether it is here.
            (None, [only]) => Ok(*only),
            (None, _) => Err(Fault::UnknownLicense("this activation id".to_owned())),
        };
    }
    let prefix = choice.id.trim().to_ascii_lowercase();
    if prefix.len() < SHORTEST_PREFIX || prefix.len() > 32 || !prefix.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Fault::BadInput(format!(
            "a license is named by its activation id, or by at least {SHORTEST_PREFIX} of the 32 hexadecimal \
             digits of its license id"
        )));
    }
    let matches: Vec<(usize, LicenseId)> = views()
        .flat_map(|(at, view)| known_here(view).into_iter().map(move |license| (at, license)))
        .filter(|(_, license)| license.to_string().starts_with(&prefix))
        .collect();
    match matches.as_slice() {
        [only] => Ok(*only),
        [] => Err(Fault::UnknownLicense(prefix)),
        several => Err(Fault::AmbiguousLicense { count: several.len(), prefix }),
    }
}

/// Licenses that are held, being activated or being returned.
fn known_here(view: &IssuerView) -> BTreeSet<LicenseId> {
    let held = view.licenses.iter().map(|license| license.license);
    held.chain(view.pending.iter().filter_map(|pending| pending.license)).collect()
}

/// The issuer that a carried message says to be from, and its bytes without armor. Nothing of it is believed: the
/// issuer's state machine verifies it.
pub fn message(snapshot: &Snapshot, input: &[u8]) -> Result<(usize, Vec<u8>), Fault> {
    let bytes = armor::decode(input)?;
    let chain = Frame::parse(&bytes)?.chain();
    if chain.is_empty() {
        let what = "it carries no certificate, so it is not from an authority";
        return Err(FrameError::Untrusted(what.to_owned()).into());
    }
    let certificate: Certificate = Frame::parse(chain)?.open()?;
    let at = snapshot.issuers.iter().position(|view| view.issuer == certificate.issuer);
    at.map(|at| (at, bytes)).ok_or_else(|| Fault::ForeignIssuer(certificate.issuer.to_string()))
}
