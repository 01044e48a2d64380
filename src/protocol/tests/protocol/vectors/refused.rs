//! Messages that a reader must refuse, and the code it gives.

use super::{Hex, committed, hex, key};
use crate::raw;
use crate::samples::{self, ISSUER, NOW, OTHER_ISSUER};
use landfast_protocol::certificate::{Certificate, Revocations, Trust};
use landfast_protocol::frame::{FrameError, Kind, Sealed};
use landfast_protocol::grant::Grant;
use landfast_protocol::keys::PublicKey;
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use landfast_protocol::{IssuerId, Timestamp, armor};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Refusals {
    about: String,
    issuer: IssuerId,
    roots: Vec<PublicKey>,
    revocations: Hex,
    good: Vec<Case>,
    refused: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
    reader: String,
    input: Hex,
    code: String,
}

fn case(name: &str, reader: &str, input: impl Into<Vec<u8>>, code: &str) -> Case {
    Case { name: name.to_owned(), reader: reader.to_owned(), input: hex(input), code: code.to_owned() }
}

fn code(trust: &Trust, reader: &str, input: &[u8]) -> &'static str {
    let result = match reader {
        "request" => Request::open(input).map(|_| ()),
        "response" => trust.open::<Response>(input).map(|_| ()),
        "grant" => trust.open::<Grant>(input).map(|_| ()),
        "revocations" => trust.clone().revoke(input).map(|_| ()),
        "armor" => armor::decode(input).map(|_| ()),
        other => panic!("no reader is called {other}"),
    };
    result.map_err(|error: FrameError| error.code()).err().unwrap_or("")
}

fn request_of(body: &[u8]) -> Vec<u8> {
    raw::frame(Kind::Request, body, &key("device"), &[])
}
fn grant_of(body: &[u8]) -> Vec<u8> {
    raw::frame(Kind::Grant, body, &key("signing"), &samples::chain())
}
fn response_of(body: &[u8]) -> Vec<u8> {
    raw::frame(Kind::Response, body, &key("signing"), &samples::chain())
}
fn changed(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    bytes[at] = value;
    bytes
}
fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

fn frames() -> Vec<Case> {
    let request = || samples::request_frame().into_bytes();
    let put = |at: usize, part: &[u8]| {
        let mut bytes = request();
        bytes[at..at + part.len()].copy_from_slice(part);
        bytes
    };
    let last = request().len() - 1;
    let not_reduced = [&[0xf0][..], &[0xff; 30], &[0x7f]].concat();
    let small = [&[1][..], &[0; 31]].concat();
    vec![
        case("empty", "request", [], "not_a_message"),
        case("another beginning", "request", changed(request(), 0, b'l'), "not_a_message"),
        case("a newer format", "request", changed(request(), 4, 2), "unknown_version"),
        case("an unknown kind", "request", changed(request(), 5, 6), "not_a_message"),
        case("another kind, signature as it was", "request", changed(request(), 5, 5), "wrong_kind"),
        case("a chain longer than 512 bytes", "request", put(6, &[1, 2]), "not_a_message"),
        case("cut off in the signature", "request", &request()[..100], "not_a_message"),
        case("cut off in the body", "request", &request()[..last], "bad_signature"),
        case("a byte follows", "request", [request(), vec![0]].concat(), "bad_signature"),
        case("a weak signer", "request", put(8, &small), "not_a_message"),
        case("a signer that is not reduced", "request", put(8, &not_reduced), "not_a_message"),
        case("another signer", "request", put(8, key("retired").public().as_bytes()), "bad_signature"),
        case("a bit of the signature flipped", "request", flipped(request(), 60), "bad_signature"),
        case(
            "the scalar of the signature not reduced",
            "request",
            raw::with_unreduced_scalar(request()),
            "bad_signature",
        ),
        case(
            "the point of the signature of small order",
            "request",
            raw::request_with_small_nonce(&key("device")),
            "bad_signature",
        ),
        case("a bit of the body flipped", "request", flipped(request(), last), "bad_signature"),
        case("a grant for a request", "request", samples::grant_frame().into_bytes(), "wrong_kind"),
        case(
            "a grant for a list of revoked keys",
            "revocations",
            samples::grant_frame().into_bytes(),
            "wrong_kind",
        ),
        case("a response for a grant", "grant", samples::response_frame().into_bytes(), "wrong_kind"),
    ]
}

fn signers() -> Vec<Case> {
    let seal = |certificate: &Certificate, root: &str| {
        Sealed::seal(certificate, &key(root), &[]).unwrap().into_bytes()
    };
    let grant = |chain: &[u8]| Sealed::seal(&samples::grant(), &key("signing"), chain).unwrap().into_bytes();
    let good = || samples::certificate_for(ISSUER, key("signing").public());
    let foreign = Grant { issuer: OTHER_ISSUER, ..samples::grant() };
    let list = |list: &Revocations, signer: &str| Sealed::seal(list, &key(signer), &[]).unwrap().into_bytes();
    let other_list = Revocations { issuer: Some(OTHER_ISSUER), ..samples::revocations() };
    let early = Certificate { not_before: Timestamp(NOW.0 + 1), ..good() };
    let late = Certificate { not_after: Timestamp(NOW.0 - 1), ..good() };
    let revoked = samples::certificate_for(ISSUER, key("retired").public());
    let revoked =
        Sealed::seal(&samples::grant(), &key("retired"), &seal(&revoked, "root")).unwrap().into_bytes();
    let with_chain = Sealed::seal(&samples::first_request(), &key("device"), &samples::chain()).unwrap();
    let by_root = Sealed::seal(&samples::grant(), &key("root"), &[]).unwrap().into_bytes();
    let foreign = Sealed::seal(&foreign, &key("signing"), &samples::chain()).unwrap().into_bytes();
    let twice = Sealed::seal(&good(), &key("signing"), &samples::chain()).unwrap().into_bytes();
    let untrusted = "untrusted_signer";
    vec![
        case("a request with a certificate", "request", with_chain.into_bytes(), untrusted),
        case("no certificate", "grant", grant(&[]), untrusted),
        case("signed by the root itself", "grant", by_root, untrusted),
        case("a root that is not pinned", "grant", grant(&seal(&good(), "stranger")), untrusted),
        case(
            "a certificate for another issuer",
            "grant",
            grant(&seal(&samples::certificate_for(OTHER_ISSUER, key("signing").public()), "root")),
            untrusted,
        ),
        case(
            "a certificate for another key",
            "grant",
            grant(&seal(&samples::certificate_for(ISSUER, key("device").public()), "root")),
            untrusted,
        ),
        case("a certificate that has a certificate", "grant", grant(&twice), untrusted),
        case("a damaged certificate", "grant", grant(&flipped(samples::chain(), 160)), "bad_signature"),
        case(
            "a list of revoked keys as the certificate",
            "grant",
            grant(&list(&samples::revocations(), "root")),
            "wrong_kind",
        ),
        case("issued before the window of its key", "grant", grant(&seal(&early, "root")), untrusted),
        case("issued after the window of its key", "grant", grant(&seal(&late, "root")), untrusted),
        case("a revoked key", "grant", revoked, untrusted),
        case("a grant of another issuer", "grant", foreign, untrusted),
        case("revocations of another issuer", "revocations", list(&other_list, "root"), untrusted),
        case(
            "revocations signed by a signing key",
            "revocations",
            list(&samples::revocations(), "signing"),
            untrusted,
        ),
    ]
}

fn requests() -> Vec<Case> {
    let with = |field: &str, value: Vec<u8>| request_of(&raw::request().with(field, value).body());
    let factors =
        |entries: &[Vec<u8>]| with("factors", [raw::varint(entries.len() as u64), entries.concat()].concat());
    let present =
        |factor: u8, byte: u8, primary: u8| [vec![factor, 0], vec![byte; 16], vec![primary]].concat();
    let operation = |content: Vec<u8>| with("operations", [vec![1], raw::operation(1, 2, &content)].concat());
    let listed = |counters: [u8; 2]| {
        with("listed", raw::list(2, |n| [vec![counters[usize::from(n)]], vec![0; 32]].concat()))
    };
    let named = [
        ("a byte after the content", request_of(&[raw::request().body(), vec![0]].concat())),
        ("the content cut off", request_of(&raw::request().body()[..40])),
        ("a counter of zero", with("counter", vec![0])),
        ("a counter with a needless byte", with("counter", raw::overlong(7))),
        ("a counter beyond 64 bits", with("counter", [vec![0xff; 9], vec![0x02]].concat())),
        ("an option that is neither 0 nor 1", with("previous", vec![2])),
        ("a flag that is neither 0 nor 1", with("clock", vec![0, 0, 2])),
        ("a text that is not UTF-8", with("os", raw::bytes(b"\xff"))),
        ("a text with a control character", with("os", raw::bytes(b"a\x1b[2Jb"))),
        ("a text that runs backwards", with("os", raw::bytes("a\u{202e}b".as_bytes()))),
        ("a text of 65 bytes", with("os", raw::text(65))),
        ("65 needs", with("needs", raw::list(65, |_| [raw::text(1), vec![1]].concat()))),
        ("65 factors", with("factors", raw::list(65, |_| vec![6, 2]))),
        ("a factor out of order", factors(&[vec![10, 1], vec![3, 1]])),
        ("a factor twice", factors(&[vec![3, 1], vec![3, 1]])),
        ("a digest twice", factors(&[present(6, 1, 0), present(6, 1, 1)])),
        ("a network card that is primary", factors(&[present(7, 1, 1)])),
        ("an unknown factor", factors(&[vec![11, 1]])),
        ("an unknown state", factors(&[vec![3, 4]])),
        ("listed requests out of order", listed([3, 2])),
        ("a listed request not before this one", listed([3, 7])),
        ("one operation twice", with("operations", raw::list(2, |_| raw::operation(1, 900, &[])))),
        ("an operation with a needless byte", operation([vec![3; 16], vec![1], raw::overlong(5)].concat())),
        ("an operation with a byte after its content", operation([vec![3; 16], vec![0, 0]].concat())),
        ("an operation cut off", operation(vec![3; 15])),
        ("an operation about no units", operation([vec![3; 16], vec![1, 0]].concat())),
        ("a change planned for no time", with("operations", [vec![1], raw::operation(1, 3, &[0])].concat())),
        (
            "hardware taken over, out of order",
            with("planned_change_used", raw::some([vec![9; 16], vec![0, 2, 10, 1, 3, 1]].concat())),
        ),
    ];
    named.into_iter().map(|(name, input)| case(name, "request", input, "malformed_message")).collect()
}

fn answers() -> Vec<Case> {
    // The hand-written bodies are issued at second 0: a window that begins there.
    let wide =
        Certificate { not_before: Timestamp(0), ..samples::certificate_for(ISSUER, key("signing").public()) };
    let chain = Sealed::seal(&wide, &key("root"), &[]).unwrap().into_bytes();
    let grant = |field: &str, value: Vec<u8>| {
        raw::frame(Kind::Grant, &raw::grant().with(field, value).body(), &key("signing"), &chain)
    };
    let response = |field: &str, value: Vec<u8>| {
        raw::frame(Kind::Response, &raw::response().with(field, value).body(), &key("signing"), &chain)
    };
    let unsolicited =
        raw::response().with("answers", vec![0]).with("results", [vec![1], raw::id(16, 1), vec![0]].concat());
    let tokens = |numbers: [u16; 2]| grant("tokens", raw::list(2, |n| raw::token(numbers[usize::from(n)])));
    let units = [vec![1], raw::token_head(1, raw::text(0), vec![0]), vec![0]].concat();
    let version = raw::grant_with_features(raw::list(1, |_| raw::feature(raw::text(1), vec![1, 0])));
    let grants = [
        ("tokens out of order", tokens([2, 1])),
        ("one license twice", tokens([1, 1])),
        ("a token without units", grant("tokens", units)),
        ("a version without numbers", raw::frame(Kind::Grant, &version, &key("signing"), &chain)),
        ("a threshold above 1000", grant("bound", raw::varint(1001))),
        ("thresholds in the wrong order", grant("drifted", raw::varint(751))),
        ("a minimum of zero", grant("minimum", vec![0])),
        ("a response under the name of a grant", grant_of(&raw::response().body())),
    ];
    let responses = [
        ("results that nobody asked for", response_of(&unsolicited.body())),
        (
            "one operation answered twice",
            response("results", raw::list(2, |_| [raw::id(16, 1), vec![0]].concat())),
        ),
        ("an unknown outcome", response("results", [vec![1], raw::id(16, 1), vec![4]].concat())),
        ("an unknown disposition", response("answers", [vec![1, 7], vec![0; 32], vec![4]].concat())),
    ];
    let of = |reader: &'static str| {
        move |(name, input): (&str, Vec<u8>)| case(name, reader, input, "malformed_message")
    };
    grants.into_iter().map(of("grant")).chain(responses.into_iter().map(of("response"))).collect()
}

fn armors() -> Vec<Case> {
    let text = armor::encode(samples::request_frame().as_bytes()).unwrap();
    let inside = |at: usize, letter: &str| {
        let mut changed = text.clone();
        changed.replace_range(at..=at, letter);
        changed
    };
    vec![
        case("neither a frame nor armor", "armor", "hello", "not_a_message"),
        case("armor with another label", "armor", text.replace("REQUEST", "GRANT"), "not_a_message"),
        case("armor with two labels", "armor", text.replacen("REQUEST", "GRANT", 1), "not_a_message"),
        case("armor cut off", "armor", &text.as_bytes()[..200], "not_a_message"),
        case("armor with text after it", "armor", format!("{text}x"), "not_a_message"),
        case("a letter that is none", "armor", inside(100, "!"), "not_a_message"),
        case("a foreign label", "armor", text.replace("LANDFAST REQUEST", "CERTIFICATE"), "not_a_message"),
    ]
}

#[test]
fn refused() {
    let revocations = Sealed::seal(&samples::revocations(), &key("root"), &[]).unwrap().into_bytes();
    let content = Refusals {
        about: "Inputs that each reader must refuse with this code, trusting this issuer, these roots and this \
                list of revoked keys. Those under `good` are accepted: a reader that refuses everything is none."
            .to_owned(),
        issuer: ISSUER,
        roots: vec![key("root").public()],
        revocations: hex(revocations.clone()),
        good: vec![
            case("a request", "request", samples::request_frame().into_bytes(), ""),
            case("a request with an unknown operation", "request", request_of(&raw::request().with("operations", [vec![1], raw::operation(1, 900, &[1, 2])].concat()).body()), ""),
            case("a response", "response", samples::response_frame().into_bytes(), ""),
            case("a grant", "grant", samples::grant_frame().into_bytes(), ""),
            case("the list of revoked keys, again", "revocations", revocations, ""),
            case("armor", "armor", armor::encode(samples::request_frame().as_bytes()).unwrap(), ""),
            case("a frame for armor", "armor", samples::request_frame().into_bytes(), ""),
        ],
        refused: [frames(), signers(), requests(), answers(), armors()].into_iter().flatten().collect(),
    };
    let read = committed("refused.json", &content);
    let mut trust = Trust::new(read.issuer, read.roots);
    assert_eq!(trust.revoke(&read.revocations), Ok(true));
    for case in read.good.iter().chain(&read.refused) {
        assert_eq!(code(&trust, &case.reader, &case.input), case.code, "{}", case.name);
    }
    let codes: std::collections::BTreeSet<_> = read.refused.iter().map(|case| case.code.as_str()).collect();
    assert_eq!(codes.len(), 6, "every code is shown: {codes:?}");
}
