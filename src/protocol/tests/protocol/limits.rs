//! Each limit of `docs/protocol.md`: what just fits is read, one more is refused.

use crate::{raw, samples};
use landfast_protocol::certificate::{Certificate, Revocations};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use landfast_protocol::frame::{Frame, FrameError, Kind, MAX_FRAME, Sealed};
use landfast_protocol::grant::{Grant, RequestName};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::{Action, DenialReason, Operation, Outcome};
use landfast_protocol::request::{MAX_OPERATIONS, Need, PlanUsed, Request};
use landfast_protocol::response::{OperationResult, Response};
use landfast_protocol::{
    Blob, Body, DecodeError, Digest, LicenseId, OperationId, Text, Timestamp, armor, decode_body, encode_body,
};

/// `body` of the limit is read, `body` of one more is not.
fn limit<B: Body>(name: &str, limit: usize, body: impl Fn(usize) -> Vec<u8>) {
    if let Err(error) = decode_body::<B>(&body(limit)) {
        panic!("{name}: {limit} are refused: {error}");
    }
    let error = decode_body::<B>(&body(limit + 1)).map(|_| ()).expect_err(name);
    assert!(matches!(error, DecodeError::Malformed { .. }), "{name}: {error}");
    assert_eq!(FrameError::from(error).code(), "malformed_message");
}

#[test]
fn limits_of_a_request() {
    let with = |field: &'static str, value: fn(usize) -> Vec<u8>| {
        move |count: usize| raw::request().with(field, value(count)).body()
    };
    limit::<Request>("agent", 32, with("agent", raw::text));
    limit::<Request>("os", 64, with("os", raw::text));
    limit::<Request>("kernel", 64, with("kernel", raw::text));
    limit::<Request>("architecture", 16, with("architecture", raw::text));
    limit::<Request>("label", 64, with("label", |length| raw::some(raw::text(length))));
    limit::<Request>("cpus", 65_535, with("cpus", |count| raw::varint(count as u64)));
    limit::<Request>("memory", u32::MAX as usize, with("memory", |count| raw::varint(count as u64)));
    limit::<Request>(
        "needs",
        64,
        with("needs", |count| raw::list(count, |_| [raw::text(1), vec![1]].concat())),
    );
    limit::<Request>(
        "feature",
        64,
        with("needs", |length| raw::list(1, |_| [raw::text(length), vec![1]].concat())),
    );
    limit::<Request>("factors", 64, with("factors", |count| raw::list(count, |_| vec![6, 2])));
    limit::<Request>(
        "operations",
        512,
        with("operations", |count| raw::list(count, |number| raw::operation(number, 900, &[]))),
    );
    limit::<Request>(
        "operation",
        1024,
        with("operations", |length| raw::list(1, |number| raw::operation(number, 900, &vec![0; length]))),
    );
    limit::<Request>("factors of the hardware taken over", 64, |count| {
        let evidence = [vec![0], raw::list(count, |_| vec![6, 2])].concat();
        let used = raw::some([vec![9; 16], evidence].concat());
        raw::request().with("planned_change_used", used).body()
    });
    limit::<Request>("listed", 16, |count| {
        let name = |number: u16| [raw::varint(u64::from(number) + 1), vec![0; 32]].concat();
        raw::request().with("counter", raw::varint(1000)).with("listed", raw::list(count, name)).body()
    });
}

#[test]
fn limits_of_a_grant() {
    limit::<Grant>("tokens", 1024, |count| raw::grant().with("tokens", raw::list(count, raw::token)).body());
    limit::<Grant>("product", 64, |length| {
        let token = [raw::token_head(1, raw::text(length), vec![1]), vec![0]].concat();
        raw::grant().with("tokens", [vec![1], token].concat()).body()
    });
    limit::<Grant>("features", 32, |count| {
        raw::grant_with_features(raw::list(count, |_| raw::feature(raw::text(1), vec![0])))
    });
    limit::<Grant>("name", 64, |length| {
        raw::grant_with_features(raw::list(1, |_| raw::feature(raw::text(length), vec![0])))
    });
    limit::<Grant>("version", 4, |count| {
        let version = raw::some(raw::list(count, |_| vec![1]));
        raw::grant_with_features(raw::list(1, |_| raw::feature(raw::text(1), version.clone())))
    });
    limit::<Grant>("factors", 64, |count| {
        let evidence = [vec![0], raw::list(count, |_| vec![6, 2])].concat();
        raw::grant().with("binding", raw::some(evidence)).body()
    });
    let no_version = raw::grant_with_features(raw::list(1, |_| raw::feature(raw::text(1), vec![1, 0])));
    assert!(decode_body::<Grant>(&no_version).is_err(), "a version of no numbers");
}

#[test]
fn limits_of_a_response() {
    let denied = |reason: usize, detail: usize| {
        raw::list(1, |number| [raw::id(16, number), vec![1], raw::text(reason), raw::text(detail)].concat())
    };
    limit::<Response>("results", 512, |count| {
        let results = raw::list(count, |number| [raw::id(16, number), vec![0]].concat());
        raw::response().with("results", results).body()
    });
    limit::<Response>("reason", 40, |length| raw::response().with("results", denied(length, 0)).body());
    limit::<Response>("detail", 300, |length| raw::response().with("results", denied(1, length)).body());
    limit::<Response>("grant", 400 * 1024, |length| {
        raw::response().with("grant", raw::bytes(&vec![0; length])).body()
    });
    limit::<Response>("revocations", 4096, |length| {
        raw::response().with("revocations", raw::some(raw::bytes(&vec![0; length]))).body()
    });
}

#[test]
fn limits_of_what_a_root_signs() {
    limit::<Revocations>("keys", 32, |count| {
        let key = |number: u16| {
            SecretKey::from_seed(&raw::id(32, number).try_into().unwrap()).public().as_bytes().to_vec()
        };
        [vec![0, 1], raw::list(count, key)].concat()
    });
}

fn too_large<B: Body>() {
    let error = decode_body::<B>(&vec![0; B::MAX_BYTES + 1]).map(|_| ()).unwrap_err();
    assert_eq!(error, DecodeError::TooLarge { kind: B::KIND, length: B::MAX_BYTES + 1, limit: B::MAX_BYTES });
}

#[test]
fn no_body_is_larger_than_its_kind_allows() {
    too_large::<Certificate>();
    too_large::<Revocations>();
    too_large::<Request>();
    too_large::<Response>();
    too_large::<Grant>();
    // What is too large is refused before anything is hashed: the signature here is a wrong one.
    let mut frame = raw::frame(Kind::Request, &vec![0; Request::MAX_BYTES + 1], &samples::device(), &[]);
    frame[50] ^= 1;
    assert!(matches!(Request::open(&frame), Err(FrameError::Decode(DecodeError::TooLarge { .. }))));
}

#[test]
fn limits_of_a_frame() {
    assert_eq!(MAX_FRAME, 615_016);
    let code = |bytes: &[u8]| Frame::parse(bytes).map(|_| ()).map_err(|error| error.code());
    let mut bytes = raw::frame(Kind::Response, &[], &samples::signing(), &[0; 512]);
    assert_eq!(code(&bytes), Ok(()));
    bytes.resize(MAX_FRAME, 0);
    assert_eq!(code(&bytes), Ok(()));
    bytes.push(0);
    assert_eq!(code(&bytes), Err("not_a_message"));
    let long_chain = raw::frame(Kind::Response, &[], &samples::signing(), &[0; 513]);
    assert_eq!(code(&long_chain), Err("not_a_message"));
    let sealed = Sealed::seal(&samples::grant(), &samples::signing(), &[0; 513]).map(|_| ());
    assert_eq!(sealed.map_err(|error| error.code()), Err("not_a_message"));
}

#[test]
fn the_largest_frame_fits_into_its_armor() {
    let bytes = raw::frame(Kind::Response, &vec![0xa5; Response::MAX_BYTES], &samples::signing(), &[0; 512]);
    assert_eq!(bytes.len(), MAX_FRAME);
    let text = armor::encode(&bytes).unwrap();
    assert!(text.len() <= MAX_FRAME * 3 / 2);
    assert_eq!(armor::decode(text.as_bytes()).unwrap(), bytes);
    let windows = text.replace('\n', "\r\n");
    assert_eq!(armor::decode(windows.as_bytes()).unwrap(), bytes);
    assert_eq!(armor::decode(&vec![b' '; MAX_FRAME * 3 / 2 + 1]).unwrap_err().code(), "not_a_message");
}

/// Whatever a device of this release can want fits into one request.
#[test]
fn the_largest_request_fits() {
    let full = |number: u8| FactorEvidence {
        factor: Factor::Disk,
        state: State::Present { digest: FactorDigest([number; 16]), primary: true },
    };
    let request = Request {
        counter: u64::MAX,
        previous: samples::later_request().previous,
        listed: samples::list(
            (0..16).map(|n| RequestName { counter: u64::MAX - 16 + n, digest: Digest([0xff; 32]) }).collect(),
        ),
        needs: samples::list(vec![Need { feature: Text::lossy(&"x".repeat(64)), quantity: u32::MAX }; 64]),
        label: Some(Text::lossy(&"x".repeat(64))),
        evidence: Evidence::from_factors(true, (0..64).map(full).collect()),
        planned_change_used: Some(PlanUsed {
            operation: OperationId([0xff; 16]),
            evidence: Evidence::from_factors(true, (64..128).map(full).collect()),
        }),
        operations: samples::list(
            (0..MAX_OPERATIONS)
                .map(|n| Operation {
                    id: OperationId(raw::id(16, u16::try_from(n).unwrap()).try_into().unwrap()),
                    action: Action::Activate {
                        license: LicenseId([0xff; 16]),
                        quantity: Some(u32::MAX),
                        proof: [0xff; 32],
                    },
                })
                .collect(),
        ),
        ..samples::first_request()
    };
    let length = encode_body(&request).unwrap().len();
    assert!(length < Request::MAX_BYTES, "{length}");
}

/// Every request can be answered: the largest grant and the longest results fit together.
#[test]
fn the_largest_response_fits() {
    let outcome = Outcome::Denied {
        reason: DenialReason::Other(Text::lossy(&"x".repeat(40))),
        detail: Text::lossy(&"x".repeat(300)),
    };
    let response = Response {
        issued_at: Timestamp(u64::MAX),
        results: samples::list(
            (0..MAX_OPERATIONS)
                .map(|n| OperationResult {
                    id: OperationId(raw::id(16, u16::try_from(n).unwrap()).try_into().unwrap()),
                    outcome: outcome.clone(),
                })
                .collect(),
        ),
        grant: Blob::new(vec![0xff; 400 * 1024]).unwrap(),
        revocations: Some(Blob::new(vec![0xff; 4096]).unwrap()),
        ..samples::response()
    };
    let length = encode_body(&response).unwrap().len();
    assert!(length <= Response::MAX_BYTES, "{length}");
    // And so do the largest bodies in their frames: 104 bytes around them, 512 for a certificate.
    const {
        assert!(Grant::MAX_BYTES + 104 + 512 <= 400 * 1024);
        assert!(Revocations::MAX_BYTES + 104 <= 4096);
        assert!(Certificate::MAX_BYTES + 104 <= 512);
    }
}
