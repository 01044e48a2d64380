//! The verdict table of the hardware study, as the seal answers to it.

use crate::machine::{DMI, ISSUER, Machine, SECRET, shut};
use landfast_core::Entropy;
use landfast_core::sealing::{CannotSeal, GroupOpening, Key, Stretch, Terms, enrol, open};
use landfast_protocol::IssuerId;
use landfast_protocol::binding::{BindingPolicy, Verdict, Weights};
use landfast_protocol::evidence::{Factor, Group};
use landfast_protocol::reading::{Identity, Reading};

#[track_caller]
fn opens(enrolled: &Machine, current: &Machine, verdict: Verdict) {
    assert_eq!(enrolled.compared(current).verdict, verdict);
    let found = current.open(&enrolled.seal());
    assert!(found.is_ok(), "{found:?}");
}

#[track_caller]
fn stays_shut(enrolled: &Machine, current: &Machine) {
    let opening = shut(current.open(&enrolled.seal()));
    assert!(opening.opened < opening.needed);
}

#[test]
fn b11_it_opens_on_the_machine_it_was_sealed_to() {
    for machine in [Machine::server(), Machine::server().with_tpm(), Machine::guest(), Machine::raspberry()] {
        opens(&machine, &machine, Verdict::Bound);
        let mut reversed = machine.clone();
        reversed.reading.factors.reverse();
        opens(&machine, &reversed, Verdict::Bound);
    }
}

#[test]
fn b11_every_single_change_that_stays_bound_opens() {
    let server = Machine::server;
    for current in [
        server().new_cards(),
        server().less("mac-1b"),
        server().with(Factor::NetworkCard, "usb-9").with(Factor::Disk, "data-9"),
        server().less("boot-1").boot_disk("boot-2"),
        server().less("data-1").with(Factor::Disk, "data-2"),
        server().new_disks(),
        server().without(Factor::Disk),
        server().changed(Factor::Cpu, "intel|6|106|6"),
        server().without(Factor::Cpu),
        server().reinstalled(),
        server().changed(Factor::ChassisSerial, "chassis-2"),
        server().changed(Factor::ProductUuid, "uuid-2"),
        server().changed(Factor::BoardSerial, "board-2"),
        server()
            .without(Factor::ProductSerial)
            .state(Factor::ProductSerial, Reading::Placeholder(Identity::new("default string"))),
        // Tag and UUID were burnt again into a new board.
        server().changed(Factor::BoardSerial, "board-2").new_cards(),
    ] {
        opens(&server(), &current, Verdict::Bound);
    }
    let with_tpm = server().with_tpm();
    opens(&with_tpm, &with_tpm.clone().new_disks().reinstalled(), Verdict::Bound);
    let guest = Machine::guest();
    opens(&guest, &guest.clone().changed(Factor::Cpu, "amd|25|1|1"), Verdict::Bound);
    opens(&guest, &guest.clone().changed(Factor::NetworkCard, "52:54:00:00:00:02"), Verdict::Bound);
}

#[test]
fn p7_what_drifted_opens_too_so_that_it_can_ask_to_be_bound_again() {
    let server = Machine::server;
    opens(&server(), &server().new_disks().reinstalled(), Verdict::Drifted);
    opens(&server(), &server().new_cards().new_disks(), Verdict::Drifted);
    // A TPM that was cleared gives nothing of what it held, and shows another key.
    let mut cleared = server().with_tpm().changed(Factor::TpmKey, "ek-2");
    cleared.held = None;
    opens(&server().with_tpm(), &cleared, Verdict::Drifted);
    let burnt = cleared.changed(Factor::BoardSerial, "board-2").new_cards();
    opens(&server().with_tpm(), &burnt, Verdict::Drifted);
}

#[test]
fn p10_a_swapped_board_does_not_open() {
    stays_shut(&Machine::server(), &Machine::server().new_board());
    let blank = Reading::Placeholder(Identity::new("4c4c4544-0020-2010-8020-a0c04f202020"));
    let mut untold = Machine::server().new_board();
    untold.reading.factors.iter_mut().filter(|read| DMI[..3].contains(&read.factor)).for_each(|read| {
        read.reading = blank.clone();
    });
    stays_shut(&Machine::server(), &untold);
}

#[test]
fn b11_another_machine_does_not_open_it() {
    let twin =
        Machine::server().new_board().new_disks().reinstalled().changed(Factor::ChassisSerial, "chassis-2");
    stays_shut(&Machine::server(), &twin);
    stays_shut(&Machine::server(), &Machine::guest());
    stays_shut(&Machine::server(), &Machine::default());
    stays_shut(&Machine::guest(), &Machine::server());
}

#[test]
fn b11_a_copied_disk_does_not_open_in_a_machine_of_the_same_model() {
    let mut copied = Machine::server().new_board().changed(Factor::ChassisSerial, "chassis-2");
    stays_shut(&Machine::server(), &copied);
    copied = copied.changed(Factor::TpmKey, "ek-2");
    copied.held = Some([8; 32]);
    stays_shut(&Machine::server().with_tpm(), &copied);
    // A clone of a guest with an identity and a card of its own.
    let clone =
        Machine::guest().changed(Factor::VirtualId, "vm-2").changed(Factor::NetworkCard, "52:54:00:00:00:02");
    stays_shut(&Machine::guest(), &clone);
    // An SD card in another board.
    let board = Machine::raspberry()
        .changed(Factor::SocSerial, "10000000abcdef02")
        .changed(Factor::NetworkCard, "dc:a6:32:00:00:02");
    stays_shut(&Machine::raspberry(), &board);
}

#[test]
fn p10_a_clone_in_everything_opens_and_is_left_to_its_history() {
    opens(&Machine::guest(), &Machine::guest(), Verdict::Bound);
}

#[test]
fn b11_what_goes_along_with_its_disks_is_nothing_to_seal_to() {
    let carried = Machine::server()
        .without(Factor::ProductUuid)
        .without(Factor::BoardSerial)
        .without(Factor::ProductSerial)
        .without(Factor::NetworkCard)
        .without(Factor::ChassisSerial);
    assert!(BindingPolicy::default().can_enrol(&carried.evidence()));
    assert_eq!(carried.seal_by(&BindingPolicy::default()), Err(CannotSeal::NothingOfItsOwn));
    assert!(carried.with_tpm().seal_by(&BindingPolicy::default()).is_ok());
    let bare = Machine::default().with(Factor::Cpu, "intel|6|85|7").with(Factor::MachineId, "id-1");
    let refused = bare.seal_by(&BindingPolicy::default());
    assert_eq!(refused, Err(CannotSeal::TooLittle { weight: 10, minimum: 30 }));
}

#[test]
fn p2_what_cannot_be_read_opens_again_when_it_can() {
    let server = Machine::server();
    let sealed = server.seal();
    let blind = server.clone().unreadable(&[Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial]);
    assert!(blind.open(&sealed).is_ok(), "50 of 80");
    let blinder = blind.unreadable(&[Factor::NetworkCard]);
    let opening = shut(blinder.open(&sealed));
    assert_eq!((opening.opened, opening.weight, opening.needed), (35, 80, 40));
    assert!(opening.may_open_later());
    let state = |group| opening.groups.iter().find(|found| found.group == group).map(|found| found.state);
    assert_eq!(state(Group::Board), Some(GroupOpening::Unreadable));
    assert_eq!(state(Group::Network), Some(GroupOpening::Unreadable));
    assert_eq!(state(Group::Disks), Some(GroupOpening::Open));
    assert!(server.open(&sealed).is_ok());
}

#[test]
fn b11_the_tpm_takes_part_with_what_it_holds_and_not_with_its_name() {
    let original = Machine::server().with_tpm();
    let sealed = original.seal();
    assert_eq!((sealed.weight(), sealed.needed()), (110, 55));
    let tpm = |machine: &Machine| {
        let opening = machine.examine(&sealed);
        opening.groups.iter().find(|found| found.group == Group::Tpm).map(|found| (found.opened, found.state))
    };
    assert_eq!(tpm(&original), Some((30, GroupOpening::Open)));
    let mut forged = original.clone();
    forged.held = None;
    assert_eq!(tpm(&forged), Some((0, GroupOpening::Unreadable)), "its public key alone");
    forged.held = Some([8; 32]);
    assert_eq!(tpm(&forged), Some((0, GroupOpening::Changed)));
    // Where nothing is held, the key's name is all there is.
    forged.held = None;
    let named = forged.seal();
    let opening = forged.examine(&named);
    assert_eq!(opening.opened, 110);
    assert!(original.open(&named).is_ok());
}

#[test]
fn b11_a_vendor_can_insist_on_the_tpm() {
    let policy =
        BindingPolicy { weights: Weights { tpm: 90, ..Weights::default() }, ..BindingPolicy::default() };
    let original = Machine::server().with_tpm();
    let sealed = original.seal_by(&policy).unwrap();
    assert!(original.open(&sealed).is_ok());
    let mut without = original;
    without.held = None;
    assert!(without.open(&sealed).is_err());
}

#[test]
fn b11_it_opens_after_drift_was_accepted_and_it_was_sealed_anew() {
    let drifted = Machine::server().new_disks().reinstalled();
    let sealed = drifted.seal();
    assert!(drifted.open(&sealed).is_ok());
    let moved_on = drifted.new_cards().changed(Factor::Cpu, "intel|6|106|6");
    assert!(moved_on.open(&sealed).is_ok(), "60 of 80");
    assert!(moved_on.open(&Machine::server().seal()).is_err(), "the old box knows 35 of 80");
}

#[test]
fn an_open_lock_takes_the_next_secret_without_a_look_at_the_hardware() {
    let server = Machine::server();
    let policy = BindingPolicy::default();
    let terms = Terms { issuer: &ISSUER, policy: &policy, stretch: Stretch::LEAST };
    let mut entropy = Entropy::new([6; 32]);
    let enrolled = enrol(&server.shown(), &terms, &mut entropy).unwrap();
    let first = enrolled.seal(b"counter 1", &mut entropy).unwrap();
    let opened = open(&first, &ISSUER, &server.shown()).unwrap();
    assert_eq!(opened.secret.reveal(), b"counter 1");
    let second = opened.key.seal(b"counter 2", &mut entropy).unwrap();
    assert_eq!(open(&second, &ISSUER, &server.shown()).unwrap().secret.reveal(), b"counter 2");
    assert_eq!(open(&first, &ISSUER, &server.shown()).unwrap().secret.reveal(), b"counter 1");
    assert_ne!(first, second);
    assert!(matches!(
        opened.key.seal(&[0; 4097], &mut entropy),
        Err(CannotSeal::TooLong { length: 4097, limit: 4096 })
    ));
    assert!(opened.key.seal(&[0; 4096], &mut entropy).is_ok());
    let empty = opened.key.seal(&[], &mut entropy).unwrap();
    assert_eq!(open(&empty, &ISSUER, &server.shown()).unwrap().secret.reveal(), b"");
}

#[test]
fn a_box_of_one_issuer_says_nothing_to_another() {
    let server = Machine::server();
    let other = IssuerId([8; 16]);
    let opening = shut(open(&server.seal(), &other, &server.shown()));
    assert_eq!(opening.opened, 0);
    // Nor do two boxes of one machine have anything in common.
    let policy = BindingPolicy::default();
    let terms = Terms { issuer: &ISSUER, policy: &policy, stretch: Stretch::LEAST };
    let sealed = |seed| {
        let mut entropy = Entropy::new([seed; 32]);
        let key: Key = enrol(&server.shown(), &terms, &mut entropy).unwrap();
        key.seal(SECRET, &mut entropy).unwrap().encode().unwrap()
    };
    let (one, two) = (sealed(1), sealed(2));
    assert_eq!(one.len(), two.len());
    for window in one.windows(8).filter(|window| window.iter().all(|byte| *byte != window[0])) {
        assert!(!two.windows(8).any(|other| other == window));
    }
}

#[test]
fn secrets_are_not_printed() {
    let server = Machine::server();
    let opened = open(&server.seal(), &ISSUER, &server.shown()).unwrap();
    assert_eq!(format!("{opened:?}"), "Opened { secret: Secret(…), key: Key(…) }");
}
