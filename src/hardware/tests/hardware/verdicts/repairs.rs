//! Parts were replaced: drifted, or another board.

use super::{both, expect, judge, new_cards, new_disk, one_disk, reinstalled, server};
use crate::common::evidence;
use landfast_hardware::fixture::{Board, Card, FieldServer, Recording};
use landfast_protocol::binding::{BindingPolicy, Verdict, Weights, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, Group, State};

/// The endorsement key of a TPM, as its reader will give it.
fn with_tpm(evidence: &Evidence, key: u8) -> Evidence {
    let state = State::Present { digest: FactorDigest([key; 16]), primary: false };
    let mut factors = evidence.factors.to_vec();
    factors.push(FactorEvidence { factor: Factor::TpmKey, state });
    Evidence::from_factors(evidence.virtual_machine, factors)
}

#[test]
fn new_disk_and_reinstall_without_a_tpm() {
    expect(Verdict::Drifted, &one_disk(), |server| {
        new_disk(server);
        reinstalled(server);
    });
}

#[test]
fn nic_and_disk_replaced() {
    expect(Verdict::Drifted, &one_disk(), |server| {
        new_cards(server);
        new_disk(server);
    });
}

#[test]
fn firmware_tpm_reset() {
    let (enrolled, current) = both(&one_disk(), |_| {});
    let (enrolled, reset) = (with_tpm(&enrolled, 1), with_tpm(&current, 2));
    assert_eq!(judge(&enrolled, &reset).verdict, Verdict::Drifted);
    // A policy that requires the TPM gives it more weight than all the rest.
    let weights = Weights { tpm: 90, ..Weights::default() };
    let strict = BindingPolicy { weights, ..BindingPolicy::default() };
    assert_eq!(compare(&enrolled, &reset, &strict).verdict, Verdict::Broken);
}

#[test]
fn new_disk_and_reinstall_with_a_tpm() {
    let (enrolled, current) = both(&one_disk(), |server| {
        new_disk(server);
        reinstalled(server);
    });
    assert_eq!(judge(&with_tpm(&enrolled, 1), &with_tpm(&current, 1)).verdict, Verdict::Bound);
}

#[test]
fn board_swapped_and_disks_kept() {
    expect(Verdict::Broken, &server(), |server| {
        server.swap_board(&Board::example(9)).unwrap();
        new_cards(server);
    });
}

#[test]
fn board_swapped_and_tag_and_uuid_burnt_again() {
    let (enrolled, current) = both(&server(), |server| {
        server.swap_board(&Board { board_serial: "WI24B90909".into(), ..Board::example(1) }).unwrap();
        new_cards(server);
    });
    assert_eq!(judge(&enrolled, &current).verdict, Verdict::Bound);
    assert_eq!(judge(&with_tpm(&enrolled, 1), &with_tpm(&current, 2)).verdict, Verdict::Drifted);
}

/// A board as Dell's service leaves it before it burns the tag.
fn blank_tag(server: &Recording, card: &str) {
    let board = Board {
        vendor: "Dell Inc.".into(),
        uuid: "4c4c4544-0020-2010-8020-a0c04f202020".into(),
        board_serial: " ".into(),
        product_serial: " ".into(),
        chassis_serial: " ".into(),
        ..Board::example(1)
    };
    server.swap_board(&board).unwrap();
    server.swap_card("eth0", &Card::new("eth0", card)).unwrap();
    server.remove_card("eth1").unwrap();
}

#[test]
fn board_swapped_and_its_tag_left_blank() {
    expect(Verdict::Broken, &server(), |server| blank_tag(server, "00:30:d6:55:00:01"));
    assert!(BindingPolicy::default().grace.0 > 0, "broken with grace");
}

#[test]
fn a_blank_tag_is_never_equal_to_another_blank_tag() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] = [1, 2].map(|number| {
        let server = FieldServer::example(number).write(directory.path().join(number.to_string())).unwrap();
        blank_tag(&server, &format!("00:30:d6:55:00:0{number}"));
        evidence(server.path())
    });
    let found = judge(&one, &other);
    assert_eq!(found.verdict, Verdict::Broken);
    let board = found.groups.iter().find(|group| group.group == Group::Board).unwrap();
    assert_eq!(board.matched_milli, 0);
}
