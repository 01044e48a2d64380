//! Wrong activation ids and wrong files: a clear error with a next step, and nothing is lost.

use crate::support::{Stage, carry, held};
use landfast_tests::harness::{Agent, AgentOptions, Sale, run};
use std::os::unix::fs::PermissionsExt;

#[test]
fn b13_wrong_activation_ids_say_what_is_wrong() {
    let stage = Stage::new();
    let not_an_id = stage.expect(&["activate", "1234"], 4, "36 characters");
    assert!(not_an_id.contains("next"), "{not_an_id}");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let denied = stage.expect(&["activate", unknown], 1, "unknown_license");
    assert!(denied.contains("next"), "{denied}");
    assert!(!denied.contains(unknown), "an activation id is a secret, also a wrong one: {denied}");
    let id = stage.sell(1);
    stage.agent.activate(&id).unwrap();
    // Again is no error: it is already here.
    stage.expect(&["activate", &id], 0, "");
    assert_eq!(held(&stage.authority), 1);
}

#[test]
fn b13_a_term_that_has_ended_cannot_be_sold() {
    let stage = Stage::new();
    let ended = Sale {
        more: &["--model", "subscription", "--not-after", "2020-01-01"],
        ..Sale::perpetual("control", 1)
    };
    // What has ended cannot be sold; what a device is told of a term that ends later, the rules' own tests show.
    let refused = stage.authority.sell(&ended).unwrap_err();
    assert!(format!("{refused:#}").contains("give a later --not-after"), "{refused:#}");
}

#[test]
fn p11_an_issuer_file_that_others_can_write_is_refused() {
    let mut stage = Stage::new();
    stage.agent.stop().unwrap();
    let file = stage.agent.directory.join("config/issuers.d/acme.toml");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let ran = run(&mut stage.agent.daemon().unwrap(), "").unwrap();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("acme.toml") && ran.stderr.contains("chmod go-w"), "{ran:?}");
    let mut check = stage.agent.daemon().unwrap();
    let ran = run(check.arg("--check-config"), "").unwrap();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    stage.agent.run().unwrap();
}

#[test]
fn p11_an_issuer_file_of_another_user_is_refused() {
    if !landfast_tests::harness::is_root() {
        return landfast_tests::harness::skipped("p11_an_issuer_file_of_another_user", "needs root");
    }
    let mut stage = Stage::new();
    stage.agent.stop().unwrap();
    let file = stage.agent.directory.join("config/issuers.d/acme.toml");
    std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
    let ran = run(&mut stage.agent.daemon().unwrap(), "").unwrap();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("acme.toml"), "{ran:?}");
}

#[test]
fn d1_configuration_errors_name_file_key_and_the_nearest_known_one() {
    let directory = tempfile::tempdir().unwrap();
    let options = AgentOptions { config: "lable = \"pump house\"\n".to_owned(), ..AgentOptions::default() };
    let agent = Agent::install(directory.path(), "server", &[], options).unwrap();
    let ran = run(agent.daemon().unwrap().arg("--check-config"), "").unwrap();
    assert_eq!(ran.code, Some(4), "{ran:?}");
    for word in ["agent.toml", "lable", "label"] {
        assert!(ran.stderr.contains(word), "{word}: {ran:?}");
    }
}

#[test]
fn b1_a_response_for_another_device_or_a_changed_one_is_refused() {
    let stage = Stage::new();
    let other = stage.another("other");
    let id = stage.sell(1);
    let request = stage.directory.path().join("request.lfreq");
    let response = stage.directory.path().join("response.lfres");
    let (request, response) = (request.to_str().unwrap(), response.to_str().unwrap());
    crate::support::expect(&other, &["activate", &id, "--offline", request], 0, "");
    carry(&stage.authority, request, response);
    stage.expect(&["import", response], 4, "wrong_device");
    let mut bytes = std::fs::read(response).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let changed = stage.directory.path().join("changed.lfres");
    std::fs::write(&changed, bytes).unwrap();
    crate::support::expect(&other, &["import", changed.to_str().unwrap()], 4, "");
    crate::support::expect(&other, &["import", response], 0, "");
    assert!(other.granted("points").unwrap());
    // Twice does no harm.
    crate::support::expect(&other, &["import", response], 0, "");
}
