//! The files beside the database: what a crash may leave, and what heals it.

use crate::process::Installed;
use std::fs;

/// The first builds kept key and certificate apart, and a crash could leave those of two different rotations.
#[test]
fn i4_key_rotate_heals_whatever_became_of_the_signing_key() {
    let installed = Installed::new();
    let path = |name: &str| installed.data.join(name);
    let issuer = installed.json(&["key", "show"])["issuer"].clone();
    let whole = fs::read_to_string(path("signing.key")).unwrap();
    let certificate = match whole.trim().split_once('\n') {
        Some((_, certificate)) => certificate.to_owned(),
        None => fs::read_to_string(path("signing.cert")).unwrap(),
    };
    let damages: [(&str, &dyn Fn()); 4] = [
        ("of another rotation", &|| {
            fs::write(path("signing.key"), "07".repeat(32)).unwrap();
            fs::write(path("signing.cert"), &certificate).unwrap();
        }),
        ("cut off", &|| fs::write(path("signing.key"), &whole[..40]).unwrap()),
        ("no text", &|| fs::write(path("signing.key"), [0xff, 0, 1]).unwrap()),
        ("gone", &|| fs::remove_file(path("signing.key")).unwrap()),
    ];
    for (what, damage) in damages {
        damage();
        let (code, said) = installed.fails(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(code != 0 && said.contains("key rotate"), "{what}: {code} {said}");
        let (code, said) = installed.fails(&["key", "show"]);
        assert!(code != 0 && said.contains("key rotate"), "{what}: {code} {said}");
        assert_eq!(installed.json(&["key", "rotate"])["issuer"], issuer, "{what}");
        assert_eq!(installed.json(&["key", "show"])["issuer"], issuer, "{what}");
    }
    assert!(!path("signing.cert").exists(), "one file is replaced in one step");
    drop(installed.serve().stop());
}

#[test]
fn a_certificate_that_is_kept_apart_is_still_read() {
    let installed = Installed::new();
    let shown = installed.json(&["key", "show"]);
    let file = installed.data.join("signing.key");
    let text = fs::read_to_string(&file).unwrap();
    let (key, certificate) = text.trim().split_once('\n').unwrap();
    fs::write(&file, key).unwrap();
    fs::write(installed.data.join("signing.cert"), certificate).unwrap();
    assert_eq!(installed.json(&["key", "show"]), shown);
}
