//! What is written is read back the same: as bytes, as a frame, in armor and as JSON.

use crate::{arbitrary, samples};
use landfast_protocol::certificate::Trust;
use landfast_protocol::frame::{Frame, Sealed};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::request::Request;
use landfast_protocol::{Body, armor, decode_body, encode_body};
use proptest::prelude::*;
use std::fmt::Debug;

fn round_trip<B: Body + PartialEq + Debug>(body: &B, chain: &[u8]) {
    let bytes = encode_body(body).unwrap();
    assert_eq!(&decode_body::<B>(&bytes).unwrap(), body);

    let key = SecretKey::from_seed(&[9; 32]);
    let sealed = Sealed::seal(body, &key, chain).unwrap();
    let frame = Frame::parse(sealed.as_bytes()).unwrap();
    assert_eq!((frame.kind(), frame.signer(), frame.chain()), (B::KIND, key.public(), chain));
    assert_eq!(&frame.open::<B>().unwrap(), body);

    let text = armor::encode(sealed.as_bytes()).unwrap();
    assert_eq!(armor::decode(text.as_bytes()).unwrap(), sealed.as_bytes());
    assert_eq!(armor::decode(sealed.as_bytes()).unwrap(), sealed.as_bytes());

    let json = serde_json::to_string(body).unwrap();
    assert_eq!(&serde_json::from_str::<B>(&json).unwrap(), body);
}

proptest! {
    #[test]
    fn any_certificate(body in arbitrary::certificate()) {
        round_trip(&body, &[]);
    }

    #[test]
    fn any_list_of_revoked_keys(body in arbitrary::revocations()) {
        round_trip(&body, &[]);
    }

    #[test]
    fn any_request(body in arbitrary::request()) {
        round_trip(&body, &[]);
        let sealed = Sealed::seal(&body, &samples::device(), &[]).unwrap();
        let opened = Request::open(sealed.as_bytes()).unwrap();
        prop_assert_eq!(opened.key, samples::device().public());
        prop_assert_eq!(opened.name.counter, body.counter);
        prop_assert_eq!(opened.name.digest, sealed.digest());
        prop_assert_eq!(opened.request, body);
    }

    #[test]
    fn any_response(body in arbitrary::response(), chain in prop::collection::vec(any::<u8>(), 0..=512)) {
        round_trip(&body, &chain);
    }

    #[test]
    fn any_grant(body in arbitrary::grant(), chain in prop::collection::vec(any::<u8>(), 0..=512)) {
        round_trip(&body, &chain);
    }
}

#[test]
fn the_samples_open_with_the_trust_of_their_device() {
    let trust: Trust = samples::trust();
    assert_eq!(
        trust.open::<landfast_protocol::response::Response>(samples::response_frame().as_bytes()),
        Ok(samples::response())
    );
    assert_eq!(
        trust.open::<landfast_protocol::grant::Grant>(&samples::response().grant),
        Ok(samples::grant())
    );
    let later = Sealed::seal(&samples::later_request(), &samples::device(), &[]).unwrap();
    assert_eq!(Request::open(later.as_bytes()).unwrap().request, samples::later_request());
}
