//! A content has one encoding: every other spelling of it is refused, though its signature holds.

use crate::raw::{self, Fields};
use crate::samples;
use landfast_protocol::certificate::Certificate;
use landfast_protocol::frame::{FrameError, Kind};
use landfast_protocol::grant::Grant;
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{Body, DecodeError, decode_body, encode_body};

/// Refused by the decoder, and with the documented code by the reader of signed messages.
fn refused<B: Body>(body: &[u8], why: &str) -> DecodeError {
    let error = decode_body::<B>(body).map(|_| ()).expect_err(why);
    assert_eq!(FrameError::from(error.clone()).code(), "malformed_message");
    if B::KIND == Kind::Request {
        let frame = raw::frame(Kind::Request, body, &samples::device(), &[]);
        assert_eq!(Request::open(&frame).unwrap_err(), FrameError::Decode(error.clone()));
    }
    error
}

fn reason(error: &DecodeError) -> &str {
    match error {
        DecodeError::Malformed { reason, .. } => reason,
        DecodeError::TooLarge { .. } => "too large",
    }
}

#[test]
fn what_is_written_by_hand_is_what_the_encoder_writes() {
    let request: Request = decode_body(&raw::request().body()).unwrap();
    assert_eq!(request.counter, 7);
    assert_eq!(encode_body(&request).unwrap(), raw::request().body());
    let grant: Grant = decode_body(&raw::grant().body()).unwrap();
    assert_eq!(grant.policy, landfast_protocol::binding::BindingPolicy::default());
    assert!(decode_body::<Response>(&raw::response().body()).is_ok());
    let certificate = raw::certificate([7; 16], samples::root().public().as_bytes(), (1, 300));
    assert!(decode_body::<Certificate>(&certificate).is_ok());
}

#[test]
fn numbers_have_no_needless_bytes() {
    let cases: [(&str, Vec<u8>); 7] = [
        ("counter", raw::overlong(7)),
        ("clock", [raw::overlong(0), vec![0, 0]].concat()),
        ("cpus", raw::overlong(3)),
        ("memory", raw::overlong(300)),
        ("label", [vec![1], raw::overlong(1), vec![b'x']].concat()),
        ("needs", raw::overlong(0)),
        ("factors", [raw::overlong(1), vec![3, 1]].concat()),
    ];
    for (field, value) in cases {
        let error = refused::<Request>(&raw::request().with(field, value).body(), field);
        assert_eq!(reason(&error), "it is not in its shortest form", "{field}");
    }
}

#[test]
fn numbers_of_enums_have_no_needless_bytes() {
    for (field, value) in [
        ("factors", [vec![1], raw::overlong(3), vec![1]].concat()),
        ("factors", [vec![1, 3], raw::overlong(1)].concat()),
    ] {
        refused::<Request>(&raw::request().with(field, value).body(), field);
    }
    let disposition = [vec![1, 7], vec![0; 32], raw::overlong(1)].concat();
    refused::<Response>(&raw::response().with("answers", disposition).body(), "disposition");
}

#[test]
fn the_content_of_an_operation_has_no_needless_bytes_either() {
    let license = [3u8; 16];
    let with = |content: Vec<u8>| {
        raw::request().with("operations", [vec![1], raw::operation(1, 2, &content)].concat()).body()
    };
    let good = with([&license[..], &[1, 5]].concat());
    assert!(decode_body::<Request>(&good).is_ok());
    let error = refused::<Request>(&with([&license[..], &[1], &raw::overlong(5)].concat()), "quantity");
    assert_eq!(reason(&error), "it is not in its shortest form");
    refused::<Request>(&with([&license[..], &[1, 5, 0]].concat()), "a byte after the content");
    refused::<Request>(&with(license.to_vec()), "the content is cut off");
    let kind =
        [vec![1], raw::id(16, 1), raw::overlong(2), raw::bytes(&[&license[..], &[0]].concat())].concat();
    refused::<Request>(&raw::request().with("operations", kind).body(), "overlong kind");
}

#[test]
fn unknown_operations_survive_a_round_trip() {
    let with = |kind: u64, content: &[u8]| {
        raw::request().with("operations", [vec![1], raw::operation(1, kind, content)].concat()).body()
    };
    for kind in [0, 4, 127, 128, 65_535] {
        let body = with(kind, &[0xff; 40]);
        let request: Request = decode_body(&body).unwrap();
        assert_eq!(request.operations[0].action.name(), "unknown");
        assert_eq!(encode_body(&request).unwrap(), body);
    }
    refused::<Request>(&with(65_536, &[]), "a kind beyond 16 bits");
}

#[test]
fn flags_and_options_are_zero_or_one() {
    for (field, value) in
        [("virtual", vec![2]), ("previous", vec![2]), ("label", vec![0xff]), ("clock", vec![0, 0, 2])]
    {
        refused::<Request>(&raw::request().with(field, value).body(), field);
    }
}

#[test]
fn unknown_variants_are_refused() {
    refused::<Request>(&raw::request().with("factors", vec![1, 11, 1]).body(), "factor 11");
    refused::<Request>(&raw::request().with("factors", vec![1, 3, 4]).body(), "state 4");
    let answer = |number| [vec![1, 7], vec![0; 32], vec![number]].concat();
    refused::<Response>(&raw::response().with("answers", answer(4)).body(), "disposition 4");
    let result = [vec![1], raw::id(16, 1), vec![4]].concat();
    refused::<Response>(&raw::response().with("results", result).body(), "outcome 4");
    let mut certificate = raw::certificate([7; 16], samples::root().public().as_bytes(), (1, 300));
    certificate[48] = 1;
    refused::<Certificate>(&certificate, "purpose 1");
}

#[test]
fn evidence_has_one_order() {
    let present =
        |factor: u8, byte: u8, primary: u8| [vec![factor, 0], vec![byte; 16], vec![primary]].concat();
    let with = |entries: &[Vec<u8>]| -> Fields {
        raw::request().with("factors", [raw::varint(entries.len() as u64), entries.concat()].concat())
    };
    let good = [present(6, 1, 1), present(6, 2, 0), vec![6, 2], vec![6, 2], vec![10, 3]];
    assert!(decode_body::<Request>(&with(&good).body()).is_ok());
    let wrong: [(&str, Vec<Vec<u8>>); 7] = [
        ("factors out of order", vec![vec![10, 1], vec![3, 1]]),
        ("digests out of order", vec![present(6, 2, 0), present(6, 1, 0)]),
        ("states out of order", vec![vec![6, 2], present(6, 1, 0)]),
        ("one entry twice", vec![vec![3, 1], vec![3, 1]]),
        ("one digest twice", vec![present(6, 1, 0), present(6, 1, 0)]),
        ("one digest, primary and not", vec![present(6, 1, 0), present(6, 1, 1)]),
        ("a network card is primary", vec![present(7, 1, 1)]),
    ];
    for (why, entries) in wrong {
        refused::<Request>(&with(&entries).body(), why);
        let binding = raw::some([vec![0], with(&entries).field("factors")].concat());
        refused::<Grant>(&raw::grant().with("binding", binding).body(), why);
        let used = raw::some([vec![9; 16], vec![0], with(&entries).field("factors")].concat());
        refused::<Request>(&raw::request().with("planned_change_used", used).body(), why);
    }
}

#[test]
fn lists_that_have_an_order_are_in_it() {
    let names = |counters: &[u64]| {
        let entry = |counter: &u64| [raw::varint(*counter), vec![0; 32]].concat();
        let entries: Vec<u8> = counters.iter().flat_map(entry).collect();
        raw::request().with("listed", [raw::varint(counters.len() as u64), entries].concat()).body()
    };
    assert!(decode_body::<Request>(&names(&[1, 6])).is_ok());
    for counters in [&[2, 1][..], &[2, 2], &[7], &[1, 8]] {
        refused::<Request>(&names(counters), "counters out of order");
    }
    let tokens = |numbers: &[u16]| {
        let entries: Vec<u8> = numbers.iter().flat_map(|number| raw::token(*number)).collect();
        raw::grant().with("tokens", [raw::varint(numbers.len() as u64), entries].concat()).body()
    };
    assert!(decode_body::<Grant>(&tokens(&[1, 2])).is_ok());
    for numbers in [&[2, 1][..], &[2, 2]] {
        refused::<Grant>(&tokens(numbers), "tokens out of order");
    }
}

#[test]
fn nothing_follows_the_content() {
    let error = refused::<Request>(&[raw::request().body(), vec![0]].concat(), "a byte follows");
    assert_eq!(reason(&error), "bytes follow its end");
}

#[test]
fn contradictions_are_refused() {
    refused::<Request>(&raw::request().with("counter", vec![0]).body(), "counter zero");
    let twice = raw::list(2, |_| raw::operation(1, 900, &[]));
    refused::<Request>(&raw::request().with("operations", twice).body(), "one operation twice");
    let nothing = raw::operation(1, 2, &[&[3; 16][..], &[1, 0]].concat());
    refused::<Request>(&raw::request().with("operations", [vec![1], nothing].concat()).body(), "no units");
    let no_time = raw::operation(1, 3, &[0]);
    refused::<Request>(&raw::request().with("operations", [vec![1], no_time].concat()).body(), "no time");
    let results = raw::list(2, |_| [raw::id(16, 1), vec![0]].concat());
    refused::<Response>(&raw::response().with("results", results).body(), "one operation answered twice");
    let unsolicited = raw::response().with("answers", vec![0]);
    let result = [vec![1], raw::id(16, 1), vec![0]].concat();
    refused::<Response>(&unsolicited.with("results", result).body(), "results nobody asked for");
    let key = *samples::root().public().as_bytes();
    refused::<Certificate>(&raw::certificate([7; 16], &key, (2, 1)), "a window that ends before it starts");
    let units = [vec![1], raw::token_head(1, raw::text(0), vec![0]), vec![0]].concat();
    refused::<Grant>(&raw::grant().with("tokens", units).body(), "no units");
    for (field, value) in [("drifted", 0), ("drifted", 751), ("bound", 1001), ("bound", 499), ("minimum", 0)]
    {
        refused::<Grant>(&raw::grant().with(field, raw::varint(value)).body(), field);
    }
}

#[test]
fn texts_are_utf_8_without_control_characters() {
    for content in [&b"\xff"[..], b"a\nb", b"\xe2\x80\xae", b"\xc0\x80", b"\xed\xa0\x80"] {
        refused::<Request>(&raw::request().with("os", raw::bytes(content)).body(), "text");
    }
}
