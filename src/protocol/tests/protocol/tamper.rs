//! No change of a signed message is accepted.

use crate::{arbitrary, samples};
use landfast_protocol::certificate::Revocations;
use landfast_protocol::frame::{FrameError, Sealed};
use landfast_protocol::grant::Grant;
use landfast_protocol::request::Request;
use landfast_protocol::response::Response;
use proptest::prelude::*;
use proptest::sample::Index;

type Reader = fn(&[u8]) -> Result<(), FrameError>;

fn read_request(bytes: &[u8]) -> Result<(), FrameError> {
    Request::open(bytes).map(|_| ())
}
fn read_response(bytes: &[u8]) -> Result<(), FrameError> {
    samples::trust().open::<Response>(bytes).map(|_| ())
}
fn read_grant(bytes: &[u8]) -> Result<(), FrameError> {
    samples::trust().open::<Grant>(bytes).map(|_| ())
}
fn read_revocations(bytes: &[u8]) -> Result<(), FrameError> {
    samples::trust().revoke(bytes).map(|_| ())
}

fn messages() -> [(&'static str, Vec<u8>, Reader); 4] {
    let revocations = Sealed::seal::<Revocations>(&samples::revocations(), &samples::root(), &[]).unwrap();
    [
        ("request", samples::request_frame().into_bytes(), read_request),
        ("response", samples::response_frame().into_bytes(), read_response),
        ("grant", samples::grant_frame().into_bytes(), read_grant),
        ("revocations", revocations.into_bytes(), read_revocations),
    ]
}

#[test]
fn every_bit_of_every_byte_counts() {
    for (name, bytes, read) in messages() {
        assert_eq!(read(&bytes), Ok(()), "{name}");
        for at in 0..bytes.len() {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(read(&changed).is_err(), "{name}: byte {at} with {flip:#04x} flipped is accepted");
            }
        }
    }
}

/// The smallest message, with each byte set to each other value.
#[test]
fn every_other_value_of_every_byte_is_refused() {
    let bytes = Sealed::seal(&samples::revocations(), &samples::root(), &[]).unwrap().into_bytes();
    for at in 0..bytes.len() {
        for value in (0..=u8::MAX).filter(|value| *value != bytes[at]) {
            let mut changed = bytes.clone();
            changed[at] = value;
            assert!(read_revocations(&changed).is_err(), "byte {at} set to {value:#04x} is accepted");
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    for (name, bytes, read) in messages() {
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{name}: {length} bytes of it are accepted");
        }
    }
}

#[test]
fn every_extension_by_a_byte_is_refused() {
    for (name, bytes, read) in messages() {
        for value in 0..=u8::MAX {
            let longer = [&bytes[..], &[value]].concat();
            assert!(read(&longer).is_err(), "{name}: followed by {value:#04x} it is accepted");
        }
        assert!(read(&[b"L", &bytes[..]].concat()).is_err(), "{name}");
        assert!(read(&[&bytes[..], &bytes[..]].concat()).is_err(), "{name}");
    }
}

#[test]
fn every_byte_left_out_or_said_twice_is_refused() {
    for (name, bytes, read) in messages() {
        for at in 0..bytes.len() {
            assert!(read(&[&bytes[..at], &bytes[at + 1..]].concat()).is_err(), "{name}: without byte {at}");
            assert!(read(&[&bytes[..=at], &bytes[at..]].concat()).is_err(), "{name}: byte {at} twice");
        }
    }
}

proptest! {
    #[test]
    fn a_change_anywhere_in_any_request_is_refused(
        body in arbitrary::request(), at in any::<Index>(), flip in 1..=u8::MAX,
    ) {
        let mut bytes = Sealed::seal(&body, &samples::device(), &[]).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(Request::open(&bytes).is_err());
    }

    #[test]
    fn a_change_anywhere_in_any_grant_is_refused(
        body in arbitrary::grant(), at in any::<Index>(), flip in 1..=u8::MAX,
    ) {
        let body = Grant { issuer: samples::ISSUER, issued_at: samples::NOW, ..body };
        let mut bytes = Sealed::seal(&body, &samples::signing(), &samples::chain()).unwrap().into_bytes();
        prop_assert!(read_grant(&bytes).is_ok());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(read_grant(&bytes).is_err());
    }
}
