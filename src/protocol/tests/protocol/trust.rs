//! Who is believed, and who is not: each refusal with its code.

use crate::{raw, samples};
use landfast_protocol::certificate::{Certificate, Revocations, Trust};
use landfast_protocol::frame::{Frame, FrameError, Kind, Sealed};
use landfast_protocol::grant::Grant;
use landfast_protocol::keys::{PublicKey, SecretKey};
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{Timestamp, encode_body};
use samples::{ISSUER, NOW, OTHER_ISSUER};

fn certified(certificate: &Certificate, root: &SecretKey) -> Vec<u8> {
    Sealed::seal(certificate, root, &[]).unwrap().into_bytes()
}

fn grant_with(chain: &[u8]) -> Vec<u8> {
    Sealed::seal(&samples::grant(), &samples::signing(), chain).unwrap().into_bytes()
}

fn open(trust: &Trust, bytes: &[u8]) -> Result<Grant, (&'static str, String)> {
    trust.open(bytes).map_err(|error| (error.code(), error.to_string()))
}

#[track_caller]
fn refused(trust: &Trust, bytes: &[u8], code: &str, words: &str) {
    let (found, message) = open(trust, bytes).unwrap_err();
    assert_eq!(found, code, "{message}");
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_message_of_another_kind() {
    refused(
        &samples::trust(),
        samples::request_frame().as_bytes(),
        "wrong_kind",
        "expected a grant, found a request",
    );
    let error = Request::open(samples::grant_frame().as_bytes()).map(|_| ()).unwrap_err();
    assert_eq!(error, FrameError::WrongKind { expected: Kind::Request, found: Kind::Grant });
    let error = samples::trust().revoke(samples::grant_frame().as_bytes()).unwrap_err();
    assert_eq!(error, FrameError::WrongKind { expected: Kind::Revocations, found: Kind::Grant });
    let grant = samples::grant_frame();
    let opened: Result<Request, _> = Frame::parse(grant.as_bytes()).and_then(|frame| frame.open());
    assert_eq!(opened, Err(FrameError::WrongKind { expected: Kind::Request, found: Kind::Grant }));
    assert!(samples::trust().revoke(&samples::chain()).is_err_and(|error| error.code() == "wrong_kind"));
}

/// The kind is part of what is signed: the same bytes under another name are not signed.
#[test]
fn a_signature_holds_for_one_kind() {
    let body = encode_body(&samples::grant()).unwrap();
    let mut bytes = raw::frame(Kind::Response, &body, &samples::signing(), &samples::chain());
    bytes[5] = Kind::Grant as u8;
    refused(&samples::trust(), &bytes, "bad_signature", "does not match");
}

#[test]
fn a_message_of_another_issuer() {
    let grant = Grant { issuer: OTHER_ISSUER, ..samples::grant() };
    let bytes = Sealed::seal(&grant, &samples::signing(), &samples::chain()).unwrap();
    refused(&samples::trust(), bytes.as_bytes(), "untrusted_signer", "it is from issuer 2222");
}

#[test]
fn a_certificate_of_another_issuer() {
    let certificate = samples::certificate_for(OTHER_ISSUER, samples::signing().public());
    let bytes = grant_with(&certified(&certificate, &samples::root()));
    refused(&samples::trust(), &bytes, "untrusted_signer", "its certificate is for issuer 2222");
}

#[test]
fn a_certificate_for_another_key() {
    let certificate = samples::certificate_for(ISSUER, samples::retired().public());
    let bytes = grant_with(&certified(&certificate, &samples::root()));
    refused(&samples::trust(), &bytes, "untrusted_signer", "another key");
}

#[test]
fn a_certificate_from_a_root_that_is_not_pinned() {
    let certificate = samples::certificate_for(ISSUER, samples::signing().public());
    let bytes = grant_with(&certified(&certificate, &samples::device()));
    refused(&samples::trust(), &bytes, "untrusted_signer", "not signed by a pinned root");
    let nobody = Trust::new(ISSUER, Vec::new());
    refused(&nobody, samples::grant_frame().as_bytes(), "untrusted_signer", "not signed by a pinned root");
}

#[test]
fn any_pinned_root_will_do() {
    let second = SecretKey::from_seed(&[0xb1; 32]);
    let trust = Trust::new(ISSUER, vec![samples::root().public(), second.public()]);
    let certificate = samples::certificate_for(ISSUER, samples::signing().public());
    assert_eq!(open(&trust, &grant_with(&certified(&certificate, &second))), Ok(samples::grant()));
}

#[test]
fn no_certificate_at_all() {
    refused(&samples::trust(), &grant_with(&[]), "untrusted_signer", "carries no certificate");
    // Not even from the root itself: it certifies, and signs nothing else.
    let bytes = Sealed::seal(&samples::grant(), &samples::root(), &[]).unwrap();
    refused(&samples::trust(), bytes.as_bytes(), "untrusted_signer", "carries no certificate");
}

#[test]
fn a_certificate_that_is_none() {
    refused(&samples::trust(), &grant_with(b"no certificate"), "not_a_message", "LFST");
    let list = Sealed::seal(&samples::revocations(), &samples::root(), &[]).unwrap();
    refused(&samples::trust(), &grant_with(list.as_bytes()), "wrong_kind", "expected a certificate");
    let mut changed = samples::chain();
    *changed.last_mut().unwrap() ^= 1;
    refused(&samples::trust(), &grant_with(&changed), "bad_signature", "changed on its way");
}

/// A chain has one link: a certified key certifies nobody.
#[test]
fn a_certificate_with_a_certificate() {
    let certificate = samples::certificate_for(ISSUER, samples::signing().public());
    let link = Sealed::seal(&certificate, &samples::signing(), &samples::chain()).unwrap();
    refused(
        &samples::trust(),
        &grant_with(link.as_bytes()),
        "untrusted_signer",
        "not signed by a pinned root",
    );
    let odd = Sealed::seal(&certificate, &samples::root(), &samples::chain()).unwrap();
    refused(
        &samples::trust(),
        &grant_with(odd.as_bytes()),
        "untrusted_signer",
        "not signed by a pinned root",
    );
}

#[test]
fn the_window_of_a_key_is_judged_at_the_signed_time() {
    let window = |not_before: u64, not_after: u64| {
        let certificate = Certificate {
            not_before: Timestamp(not_before),
            not_after: Timestamp(not_after),
            ..samples::certificate_for(ISSUER, samples::signing().public())
        };
        grant_with(&certified(&certificate, &samples::root()))
    };
    let trust = samples::trust();
    for (first, last) in [(NOW.0, NOW.0), (0, NOW.0), (NOW.0, u64::MAX)] {
        assert!(open(&trust, &window(first, last)).is_ok());
    }
    for (first, last) in [(0, NOW.0 - 1), (NOW.0 + 1, u64::MAX)] {
        refused(&trust, &window(first, last), "untrusted_signer", "outside the window of its signing key");
    }
}

#[test]
fn a_revoked_key_signs_nothing_old_or_new() {
    let mut trust = samples::trust();
    let list =
        Revocations { keys: samples::list(vec![samples::signing().public()]), ..samples::revocations() };
    let bytes = Sealed::seal(&list, &samples::root(), &[]).unwrap();
    assert_eq!(trust.revoke(bytes.as_bytes()), Ok(true));
    refused(&trust, samples::grant_frame().as_bytes(), "untrusted_signer", "revoked");
}

#[test]
fn lists_of_revoked_keys_only_rise() {
    let mut trust = samples::trust();
    let list = |number: u64, seed: u8| {
        let keys = samples::list(vec![SecretKey::from_seed(&[seed; 32]).public()]);
        let list = Revocations { issuer: Some(ISSUER), number, keys };
        Sealed::seal(&list, &samples::root(), &[]).unwrap().into_bytes()
    };
    for (number, seed, newer) in [(0, 1, false), (2, 2, true), (1, 3, false), (2, 4, false), (3, 5, true)] {
        assert_eq!(trust.revoke(&list(number, seed)), Ok(newer), "number {number}");
    }
    assert_eq!(&*trust.revocations.keys, [SecretKey::from_seed(&[5; 32]).public()]);
}

#[test]
fn lists_of_revoked_keys_come_from_a_root_of_this_issuer() {
    let code = |list: &Revocations, key: &SecretKey, chain: &[u8]| {
        let bytes = Sealed::seal(list, key, chain).unwrap().into_bytes();
        let mut trust = samples::trust();
        let result = trust.revoke(&bytes).map_err(|error| error.code());
        assert!(result.is_ok() || trust == samples::trust(), "a refused list changes nothing");
        result
    };
    let list = samples::revocations();
    assert_eq!(code(&list, &samples::root(), &[]), Ok(true));
    for issuer in [None, Some(OTHER_ISSUER)] {
        let other = Revocations { issuer, ..list.clone() };
        assert_eq!(code(&other, &samples::root(), &[]), Err("untrusted_signer"));
    }
    assert_eq!(code(&list, &samples::signing(), &[]), Err("untrusted_signer"));
    assert_eq!(code(&list, &samples::signing(), &samples::chain()), Err("untrusted_signer"));
    assert_eq!(code(&list, &samples::root(), &samples::chain()), Err("untrusted_signer"));
}

#[test]
fn a_request_carries_no_certificate() {
    let bytes = Sealed::seal(&samples::first_request(), &samples::device(), &samples::chain()).unwrap();
    let error = Request::open(bytes.as_bytes()).map(|_| ()).unwrap_err();
    assert_eq!(error, FrameError::Untrusted("a request carries no certificate".to_owned()));
}

#[test]
fn a_newer_format_is_named_as_such() {
    let mut bytes = samples::grant_frame().into_bytes();
    bytes[4] = 2;
    refused(&samples::trust(), &bytes, "unknown_version", "format version 2");
    assert_eq!(Frame::parse(b"LFST\xff").map(|_| ()), Err(FrameError::Version(255)));
}

/// Every point of small order, in every way to write it (RFC 8032 coordinates, with and without sign).
const SMALL_ORDER: [&str; 14] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

#[test]
fn weak_keys_are_no_keys() {
    for digits in SMALL_ORDER {
        assert!(digits.parse::<PublicKey>().is_err(), "{digits}");
        let weak: [u8; 32] = digits.parse::<landfast_protocol::Digest>().unwrap().0;
        assert_eq!(PublicKey::from_bytes(weak), None);
        let mut frame = samples::request_frame().into_bytes();
        frame[8..40].copy_from_slice(&weak);
        assert_eq!(Request::open(&frame).map(|_| ()).unwrap_err().code(), "not_a_message");
        let body = raw::certificate(ISSUER.0, &weak, (0, 1));
        let certificate = raw::frame(Kind::Certificate, &body, &samples::root(), &[]);
        refused(&samples::trust(), &grant_with(&certificate), "malformed_message", "does not decode");
        assert!(serde_json::from_str::<PublicKey>(&format!("\"{digits}\"")).is_err());
    }
    // A coordinate of 2 has no point on the curve.
    let mut nowhere = [0; 32];
    nowhere[0] = 2;
    assert_eq!(PublicKey::from_bytes(nowhere), None);
}

#[test]
fn a_signature_has_one_spelling() {
    let bytes = samples::request_frame().into_bytes();
    let longer = raw::with_unreduced_scalar(bytes.clone());
    assert_eq!(Request::open(&longer).map(|_| ()), Err(FrameError::Signature));
    let small = raw::request_with_small_nonce(&samples::device());
    assert_eq!(Request::open(&small).map(|_| ()), Err(FrameError::Signature));
}

/// What a code means is promised to programs.
#[test]
fn codes_are_stable() {
    let kind = Kind::Grant;
    for (error, code) in [
        (FrameError::NotAFrame(""), "not_a_message"),
        (FrameError::Version(2), "unknown_version"),
        (FrameError::WrongKind { expected: kind, found: kind }, "wrong_kind"),
        (FrameError::Signature, "bad_signature"),
        (FrameError::Untrusted(String::new()), "untrusted_signer"),
    ] {
        assert_eq!(error.code(), code);
    }
    let response: Result<Response, _> = samples::trust().open(samples::response_frame().as_bytes());
    assert_eq!(response, Ok(samples::response()));
}
