//! Whatever comes in, the answer is a value or an error, and what is accepted is canonical.

use crate::{arbitrary, raw, samples};
use landfast_protocol::binding::{BindingPolicy, compare};
use landfast_protocol::certificate::{Certificate, Issued, Revocations};
use landfast_protocol::evidence::{Evidence, FactorDigest};
use landfast_protocol::frame::{Frame, Kind, Sealed};
use landfast_protocol::grant::{Grant, Version};
use landfast_protocol::keys::PublicKey;
use landfast_protocol::operation::Operation;
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{ActivationId, Body, DeviceId, armor, decode_body, encode_body};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Gives `bytes` to every reader.
fn feed(bytes: &[u8]) {
    if let Ok(frame) = Frame::parse(bytes) {
        let _ = (frame.open::<Request>().is_ok(), frame.open::<Certificate>().is_ok());
    }
    let mut trust = samples::trust();
    let _ = (Request::open(bytes).is_ok(), trust.open::<Response>(bytes).is_ok());
    let _ = (trust.open::<Grant>(bytes).is_ok(), trust.revoke(bytes).is_ok());
    if let Ok(decoded) = armor::decode(bytes) {
        assert!(Frame::parse(&decoded).is_ok());
    }
    decode::<Certificate>(bytes);
    decode::<Revocations>(bytes);
    decode::<Request>(bytes);
    decode::<Response>(bytes);
    decode::<Grant>(bytes);
    json(bytes);
    texts(&String::from_utf8_lossy(bytes));
}

fn decode<B: Body>(bytes: &[u8]) {
    if let Ok(body) = decode_body::<B>(bytes) {
        assert_eq!(encode_body(&body).unwrap(), bytes, "two encodings of one {}", B::KIND);
    }
}

/// What JSON lets in is either refused by the encoder or a body like any other.
fn json(bytes: &[u8]) {
    fn one<B: Body>(bytes: &[u8]) {
        if let Ok(body) = serde_json::from_slice::<B>(bytes)
            && let Ok(encoded) = encode_body(&body)
        {
            assert!(decode_body::<B>(&encoded).is_ok());
        }
    }
    one::<Certificate>(bytes);
    one::<Revocations>(bytes);
    one::<Request>(bytes);
    one::<Response>(bytes);
    one::<Grant>(bytes);
    let _ = serde_json::from_slice::<Operation>(bytes).is_ok();
    if let Ok(evidence) = serde_json::from_slice::<Evidence>(bytes) {
        let _ = compare(&evidence, &evidence, &BindingPolicy::default());
    }
}

fn texts(text: &str) {
    let _ = (text.parse::<ActivationId>().is_ok(), text.parse::<DeviceId>().is_ok());
    let _ = (text.parse::<PublicKey>().is_ok(), text.parse::<FactorDigest>().is_ok());
    let _ = text.parse::<Version>().is_ok();
}

#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Cut(Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, value)| Edit::Set(at, value)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (any::<Index>(), 1..12usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ];
    vec(edit, 1..6)
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        match edit {
            Edit::Set(at, value) => bytes[at.index(length)] = *value,
            Edit::Insert(at, inserted) => {
                let at = at.index(length);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Edit::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..length.min(at + count));
            }
            Edit::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// Properly signed, whatever it says: the reader has nothing but its own care.
fn signed_nonsense(kind: Kind, body: &[u8]) {
    let chain = if matches!(kind, Kind::Response | Kind::Grant) { samples::chain() } else { Vec::new() };
    let key = match kind {
        Kind::Request => samples::device(),
        Kind::Response | Kind::Grant => samples::signing(),
        Kind::Certificate | Kind::Revocations => samples::root(),
    };
    feed(&raw::frame(kind, body, &key, &chain));
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(&Kind::ALL[..])
}

fn checked<B: Body + Issued>(body: &B, edits: &[Edit]) {
    let bytes = edited(encode_body(body).unwrap(), edits);
    decode::<B>(&bytes);
    signed_nonsense(B::KIND, &bytes);
}

proptest! {
    #[test]
    fn noise(bytes in vec(any::<u8>(), 0..2000)) {
        feed(&bytes);
    }

    #[test]
    fn noise_after_a_good_beginning(
        kind in 0..8u8, chain in any::<[u8; 2]>(), bytes in vec(any::<u8>(), 0..1000),
    ) {
        feed(&[b"LFST\x01", &[kind][..], &chain, &bytes].concat());
    }

    #[test]
    fn signed_noise(kind in kinds(), bytes in vec(any::<u8>(), 0..600)) {
        signed_nonsense(kind, &bytes);
    }

    #[test]
    fn edited_frames(edits in edits()) {
        feed(&edited(samples::request_frame().into_bytes(), &edits));
        feed(&edited(samples::response_frame().into_bytes(), &edits));
        feed(&edited(samples::chain(), &edits));
    }

    #[test]
    fn edited_requests(body in arbitrary::request(), edits in edits()) {
        let bytes = edited(encode_body(&body).unwrap(), &edits);
        decode::<Request>(&bytes);
        signed_nonsense(Kind::Request, &bytes);
    }

    #[test]
    fn edited_responses(body in arbitrary::response(), edits in edits()) {
        checked(&body, &edits);
    }

    #[test]
    fn edited_grants(body in arbitrary::grant(), edits in edits()) {
        checked(&body, &edits);
    }

    #[test]
    fn edited_certificates(body in arbitrary::certificate(), edits in edits()) {
        signed_nonsense(Kind::Certificate, &edited(encode_body(&body).unwrap(), &edits));
    }

    #[test]
    fn edited_lists_of_revoked_keys(body in arbitrary::revocations(), edits in edits()) {
        signed_nonsense(Kind::Revocations, &edited(encode_body(&body).unwrap(), &edits));
    }

    #[test]
    fn edited_armor(edits in edits()) {
        let text = armor::encode(samples::request_frame().as_bytes()).unwrap();
        feed(&edited(text.into_bytes(), &edits));
    }

    #[test]
    fn edited_json(body in arbitrary::request(), grant in arbitrary::grant(), edits in edits()) {
        json(&edited(serde_json::to_vec(&body).unwrap(), &edits));
        json(&edited(serde_json::to_vec(&grant).unwrap(), &edits));
    }

    #[test]
    fn any_text(text in any::<String>()) {
        texts(&text);
        feed(text.as_bytes());
    }
}

#[test]
fn nothing_at_all() {
    feed(&[]);
    let _ = Sealed::seal(&samples::grant(), &samples::signing(), &[0; 512]).unwrap();
}
