//! One file per kind of message: content, bytes, signature, frame; and armor.

use super::{Hex, committed, hex, key};
use crate::samples::{self, ISSUER, NOW};
use landfast_protocol::certificate::{Certificate, Revocations};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use landfast_protocol::frame::{Frame, Sealed};
use landfast_protocol::grant::{Grant, Hold, Model, PlannedChange, Position, Token};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Request;
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{
    Blob, Body, CaseId, Digest, Duration, LicenseId, List, Timestamp, armor, decode_body, encode_body,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "B: Serialize", deserialize = "B: DeserializeOwned"))]
struct Messages<B> {
    about: String,
    messages: Vec<Message<B>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "B: Serialize", deserialize = "B: DeserializeOwned"))]
struct Message<B> {
    name: String,
    signer: String,
    json: B,
    chain: Hex,
    body: Hex,
    signature: Hex,
    frame: Hex,
    digest: Digest,
}

fn message<B: Body>(name: &str, signer: &str, chain: &[u8], body: B) -> Message<B> {
    let sealed = Sealed::seal(&body, &key(signer), chain).unwrap();
    let bytes = encode_body(&body).unwrap();
    let frame = sealed.as_bytes();
    let signature = &frame[frame.len() - bytes.len() - 64..frame.len() - bytes.len()];
    Message {
        name: name.to_owned(),
        signer: signer.to_owned(),
        json: body,
        chain: hex(chain),
        signature: hex(signature),
        body: hex(bytes),
        digest: sealed.digest(),
        frame: hex(frame),
    }
}

/// From what the file says alone: the JSON view, the name of the signer, the chain.
fn check<B: Body + Debug + PartialEq>(file: &str, about: &str, messages: Vec<Message<B>>) {
    let content = Messages { about: about.to_owned(), messages };
    for read in committed(file, &content).messages {
        assert_eq!(encode_body(&read.json).unwrap(), read.body[..], "{}", read.name);
        assert_eq!(decode_body::<B>(&read.body).unwrap(), read.json, "{}", read.name);
        let signed = [b"landfast/1/", B::KIND.name().as_bytes(), b"\0", &read.body].concat();
        assert_eq!(key(&read.signer).sign(&signed), read.signature[..], "{}", read.name);
        let frame = crate::raw::frame(B::KIND, &read.body, &key(&read.signer), &read.chain);
        assert_eq!(frame, read.frame[..], "{}", read.name);
        assert_eq!(Digest::of(&frame), read.digest, "{}", read.name);
        let parsed = Frame::parse(&frame).unwrap();
        assert_eq!(parsed.signer(), key(&read.signer).public(), "{}", read.name);
        assert_eq!(parsed.open::<B>().unwrap(), read.json, "{}", read.name);
    }
}

#[test]
fn certificates() {
    let good = samples::certificate_for(ISSUER, samples::signing().public());
    let for_ever = Certificate { not_before: Timestamp(0), not_after: Timestamp(u64::MAX), ..good.clone() };
    check(
        "certificate.json",
        "Signed by a root. The first one is the chain of the responses and grants in the other files.",
        vec![message("signing key", "root", &[], good), message("the widest window", "root", &[], for_ever)],
    );
}

#[test]
fn revocations() {
    let none = Revocations { issuer: Some(ISSUER), number: 1, keys: List::default() };
    let two = Revocations {
        issuer: Some(ISSUER),
        number: u64::MAX,
        keys: samples::list(vec![key("retired").public(), key("stranger").public()]),
    };
    check(
        "revocations.json",
        "Signed by a root: keys that may no longer sign.",
        vec![
            message("one key", "root", &[], samples::revocations()),
            message("no key", "root", &[], none),
            message("two keys, the highest number", "root", &[], two),
        ],
    );
}

#[test]
fn requests() {
    let nothing = Request {
        counter: 2,
        evidence: Evidence::default(),
        system: Default::default(),
        operations: List::default(),
        ..samples::first_request()
    };
    let guest = Request {
        evidence: Evidence::from_factors(
            true,
            vec![
                FactorEvidence {
                    factor: Factor::VirtualId,
                    state: State::Present { digest: FactorDigest([0x33; 16]), primary: false },
                },
                FactorEvidence { factor: Factor::Disk, state: State::Unreadable },
                FactorEvidence { factor: Factor::Disk, state: State::Unreadable },
                FactorEvidence { factor: Factor::NetworkCard, state: State::Placeholder },
                FactorEvidence { factor: Factor::ProductUuid, state: State::Absent },
            ],
        ),
        ..nothing.clone()
    };
    check(
        "request.json",
        "Signed by a device. The first one is taken apart byte by byte in docs/protocol.md.",
        vec![
            message("first activation", "device", &[], samples::first_request()),
            message(
                "everything filled in, with an unknown operation",
                "device",
                &[],
                samples::later_request(),
            ),
            message("nothing wanted, nothing known", "device", &[], nothing),
            message("a virtual machine", "device", &[], guest),
        ],
    );
}

#[test]
fn grants() {
    let chain = samples::chain();
    let nothing = Grant {
        position: Position { epoch: 0, sequence: 1 },
        executed: None,
        tokens: List::default(),
        binding: None,
        ..samples::grant()
    };
    let everything = Grant {
        position: Position { epoch: 2, sequence: 300 },
        tokens: samples::list(vec![
            Token {
                license: LicenseId([0x01; 16]),
                model: Model::Perpetual,
                quantity: 500,
                not_after: None,
                support_until: None,
                features: List::default(),
                ..samples::token()
            },
            samples::token(),
            Token { license: LicenseId([0xfe; 16]), model: Model::Trial, ..samples::token() },
        ]),
        lease_until: Some(NOW.after(Duration::days(30))),
        hold: Some(Hold { case: CaseId([0xc5; 8]), until: NOW.after(Duration::days(14)) }),
        planned_change: Some(PlannedChange {
            operation: samples::operation_id(5),
            until: NOW.after(Duration::days(7)),
        }),
        ..samples::grant()
    };
    check(
        "grant.json",
        "Signed by the authority's signing key, with its certificate as the chain.",
        vec![
            message("one subscription", "signing", &chain, samples::grant()),
            message("nothing held", "signing", &chain, nothing),
            message("three licenses, leased, on hold, with a planned change", "signing", &chain, everything),
        ],
    );
}

#[test]
fn responses() {
    let chain = samples::chain();
    let answered = |disposition, results| Response {
        answers: samples::response().answers.map(|answer| Answer { disposition, ..answer }),
        results: samples::list(results),
        revocations: None,
        grant: Blob::new(samples::grant_frame().into_bytes()).unwrap(),
        ..samples::response()
    };
    let result = |number, outcome| OperationResult { id: samples::operation_id(number), outcome };
    let case = CaseId([0xc5; 8]);
    let pending = vec![result(1, Outcome::Pending { case }), result(2, Outcome::Stale)];
    let unsolicited = Response { answers: None, ..answered(Disposition::Executed, vec![]) };
    check(
        "response.json",
        "Signed by the authority's signing key. Each holds the frame of the first grant.",
        vec![
            message(
                "one done, one denied, and a list of revoked keys",
                "signing",
                &chain,
                samples::response(),
            ),
            message("one pending, one stale", "signing", &chain, answered(Disposition::Executed, pending)),
            message(
                "superseded, a result repeated",
                "signing",
                &chain,
                answered(Disposition::Superseded, vec![result(1, Outcome::Done)]),
            ),
            message("on hold", "signing", &chain, answered(Disposition::OnHold { case }, vec![])),
            message("retired", "signing", &chain, answered(Disposition::Retired, vec![])),
            message("unsolicited", "signing", &chain, unsolicited),
        ],
    );
}

#[derive(Serialize, Deserialize)]
struct Armors {
    about: String,
    armors: Vec<Armor>,
}

#[derive(Serialize, Deserialize)]
struct Armor {
    frame: Hex,
    text: String,
    also_read: Vec<String>,
}

#[test]
fn armors() {
    let made = |frame: Vec<u8>| {
        let text = armor::encode(&frame).unwrap();
        let also_read = vec![text.replace('\n', "\r\n"), text.trim_end().to_owned(), format!("\n  {text}\n")];
        Armor { frame: hex(frame), text, also_read }
    };
    let content = Armors {
        about: "What a frame becomes in armor, and other spellings that a reader takes.".to_owned(),
        armors: vec![made(samples::chain()), made(samples::request_frame().into_bytes())],
    };
    for read in committed("armor.json", &content).armors {
        assert_eq!(armor::encode(&read.frame).unwrap(), read.text);
        for text in read.also_read.iter().chain([&read.text]) {
            assert_eq!(armor::decode(text.as_bytes()).unwrap(), read.frame[..]);
        }
    }
}
