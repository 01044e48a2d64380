//! Armor survives what mail and clipboards do to it, and nothing else.

use crate::samples;
use landfast_protocol::armor;
use landfast_protocol::frame::FrameError;
use proptest::prelude::*;

fn text() -> String {
    armor::encode(samples::request_frame().as_bytes()).unwrap()
}

fn decoded(input: &[u8]) -> Result<Vec<u8>, &'static str> {
    armor::decode(input).map_err(|error| error.code())
}

#[test]
fn it_is_pem_with_the_kind_in_capitals() {
    let text = text();
    assert!(text.starts_with("-----BEGIN LANDFAST REQUEST-----\n"));
    assert!(text.ends_with("\n-----END LANDFAST REQUEST-----\n"));
    assert!(text.lines().all(|line| line.len() <= 64));
}

#[test]
fn line_ends_and_space_around_it_do_not_matter() {
    let bytes = samples::request_frame().into_bytes();
    let text = text();
    for changed in [
        text.replace('\n', "\r\n"),
        format!("\n\n  {text}\n \t\n"),
        text.trim_end().to_owned(),
        format!("\u{feff}{text}"),
    ] {
        assert_eq!(decoded(changed.as_bytes()).as_deref(), Ok(&bytes[..]), "{changed:?}");
    }
}

#[test]
fn the_label_names_what_is_inside() {
    for label in ["RESPONSE", "GRANT", "request", ""] {
        let changed = text().replace("REQUEST", label);
        assert_eq!(decoded(changed.as_bytes()), Err("not_a_message"), "{label}");
    }
    assert_eq!(decoded(text().replacen("REQUEST", "GRANT", 1).as_bytes()), Err("not_a_message"));
}

#[test]
fn other_text_is_refused_with_advice() {
    for input in ["", "LFS", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(decoded(input.as_bytes()), Err("not_a_message"));
    }
    let half = &text()[..300];
    let error = armor::decode(half.as_bytes()).unwrap_err();
    assert!(error.to_string().ends_with("copy it again with its BEGIN and END lines"), "{error}");
    assert_eq!(armor::encode(b"LFST"), Err(FrameError::NotAFrame("it is cut off")));
    assert_eq!(decoded(b"LFST\x02"), Err("unknown_version"));
}

#[test]
fn text_after_its_end_is_refused() {
    let text = text();
    for more in ["x", "-----BEGIN LANDFAST REQUEST-----\n", &text] {
        assert_eq!(decoded(format!("{text}{more}").as_bytes()), Err("not_a_message"));
    }
}

proptest! {
    /// A letter changed inside gives other bytes or an error, never the same message from another spelling.
    #[test]
    fn no_second_spelling(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9+/=]") {
        let text = text();
        let inside = text.find("--\n").unwrap() + 3..text.rfind("\n--").unwrap();
        let at = inside.start + at.index(inside.len());
        let mut changed = text.clone();
        if &text[at..=at] == "\n" || text[at..=at] == letter {
            return Ok(());
        }
        changed.replace_range(at..=at, &letter);
        prop_assert_ne!(decoded(changed.as_bytes()), Ok(samples::request_frame().into_bytes()));
    }
}
