//! A license from the first activation to another server.

use crate::support::{Stage, expect, held};
use landfast_tests::harness::Sale;

#[test]
fn e1_e2_k9_activate_check_return_and_activate_elsewhere() {
    let stage = Stage::new();
    let id = stage.sell(10);
    stage.expect(&["activate", &id], 0, "");
    assert!(stage.agent.granted("points").unwrap());
    stage.expect(&["check", "points", "--quantity", "10"], 0, "");
    stage.expect(&["check", "points", "--quantity", "11"], 1, "");
    let other = stage.another("other");
    let used_up = expect(&other, &["activate", &id], 1, "next");
    assert!(used_up.contains("no_units_left") || used_up.contains("too_many_devices"), "{used_up}");
    stage.expect(&["return", "--all", "--yes"], 0, "");
    assert!(!stage.agent.granted("points").unwrap());
    expect(&other, &["activate", &id], 0, "");
    assert!(other.granted("points").unwrap());
    assert_eq!(held(&stage.authority), 10);
}

#[test]
fn d2_licenses_survive_a_restart_and_a_crash() {
    let mut stage = Stage::new();
    let id = stage.sell(3);
    stage.agent.activate(&id).unwrap();
    stage.agent.stop().unwrap();
    stage.agent.run().unwrap();
    assert!(stage.agent.granted("points").unwrap());
    stage.agent.kill().unwrap();
    stage.agent.run().unwrap();
    assert!(stage.agent.granted("points").unwrap());
    stage.expect(&["licenses"], 0, "control");
}

#[test]
fn b2_part_returns_free_just_that_part() {
    let stage = Stage::new();
    let id = stage.authority.sell(&Sale { devices: 2, ..Sale::perpetual("control", 10) }).unwrap();
    stage.expect(&["activate", &id, "--quantity", "10"], 0, "");
    stage.expect(&["return", &id, "--quantity", "4", "--yes"], 0, "");
    stage.expect(&["check", "points", "--quantity", "6"], 0, "");
    stage.expect(&["check", "points", "--quantity", "7"], 1, "");
    assert_eq!(held(&stage.authority), 6);
    let other = stage.another("other");
    expect(&other, &["activate", &id, "--quantity", "4"], 0, "");
    assert_eq!(held(&stage.authority), 10);
}

#[test]
fn d8_return_shows_what_it_would_do_and_does_not_guess() {
    let stage = Stage::new();
    let id = stage.sell(2);
    stage.agent.activate(&id).unwrap();
    stage.expect(&["return", "--all", "--dry-run"], 0, "");
    assert!(stage.agent.granted("points").unwrap());
    // No terminal to ask on, and no --yes: nothing happens.
    stage.expect(&["return", "--all"], 2, "--yes");
    assert!(stage.agent.granted("points").unwrap());
    stage.expect(&["return", &id, "--yes"], 0, "");
    stage.expect(&["return", "--all", "--yes"], 1, "next");
}

#[test]
fn e5_k10_reclaim_brings_new_terms() {
    let stage = Stage::new();
    let trial = Sale { more: &["--model", "trial", "--term", "30d"], ..Sale::perpetual("control", 1) };
    let id = stage.authority.sell(&trial).unwrap();
    stage.agent.activate(&id).unwrap();
    let check = stage.agent.check("points").unwrap();
    assert_eq!(check["state"], "trial", "{check}");
    assert!(check["until"].is_string(), "{check}");
    stage.expect(&["reclaim"], 0, "");
    assert!(stage.agent.granted("points").unwrap());
}

#[test]
fn p7_a_return_while_the_authority_is_down_is_final_and_delivered_later() {
    let mut stage = Stage::new();
    let id = stage.sell(5);
    stage.agent.activate(&id).unwrap();
    stage.authority.stop().unwrap();
    stage.expect(&["return", "--all", "--yes"], 3, "next");
    assert!(!stage.agent.granted("points").unwrap(), "a return is final when it is made");
    stage.expect(&["pending"], 0, "return");
    stage.agent.kill().unwrap();
    stage.agent.run().unwrap();
    assert!(!stage.agent.granted("points").unwrap(), "also after a crash");
    stage.authority.serve().unwrap();
    stage.expect(&["reclaim"], 0, "");
    assert_eq!(held(&stage.authority), 0);
}

#[test]
fn p7_an_activation_outlives_an_authority_that_was_away() {
    let mut stage = Stage::new();
    let id = stage.sell(5);
    stage.authority.stop().unwrap();
    stage.expect(&["activate", &id], 3, "next");
    stage.authority.serve().unwrap();
    stage.expect(&["reclaim"], 0, "");
    assert!(stage.agent.granted("points").unwrap());
    assert_eq!(held(&stage.authority), 5);
}
