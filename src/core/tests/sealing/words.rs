//! What a person reads.

use crate::machine::{DMI, Machine, shut};
use landfast_core::sealing::{CannotSeal, SealedBox, Stretch};
use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::evidence::Factor;

#[test]
fn b13_a_machine_with_other_parts_is_told_what_to_do() {
    let sealed = Machine::server().seal();
    let current = Machine::server().new_board().without(Factor::MachineId).less("data-1");
    assert_eq!(
        current.open(&sealed).unwrap_err().to_string(),
        "the secrets stay sealed: 23 of 80 points of this machine are as enrolled, 40 are needed; as enrolled: cpu, \
         chassis; partly as enrolled: disks; changed: board, network; gone: machine id. If parts were exchanged, put \
         them back, or run `landfast recover`; on another machine, activate anew"
    );
}

#[test]
fn b13_a_machine_that_cannot_be_read_is_told_to_wait() {
    let sealed = Machine::server().seal();
    let current = Machine::server().new_cards().new_disks().unreadable(&DMI);
    assert_eq!(
        current.open(&sealed).unwrap_err().to_string(),
        "the secrets stay sealed: 10 of 80 points of this machine are as enrolled, 40 are needed; as enrolled: cpu, \
         machine id; changed: disks, network; cannot be read: board, chassis. They may open by themselves once board, \
         chassis can be read: see `landfast fingerprint` for the reasons"
    );
    // Where even that would not do, nobody is told to wait.
    let lost = current.reinstalled();
    let opening = shut(lost.open(&sealed));
    assert_eq!((opening.opened, opening.may_open_later()), (5, true), "5 and 35 hidden are 40");
    let lost = lost.changed(Factor::Cpu, "amd|25|1|1");
    let opening = shut(lost.open(&sealed));
    assert!(!opening.may_open_later());
    assert!(opening.to_string().contains("landfast recover"));
}

#[test]
fn b13_each_refusal_names_a_next_step() {
    let policy = BindingPolicy::default();
    let nothing = Machine::default().seal_by(&policy).unwrap_err().to_string();
    assert!(nothing.contains("0 points") && nothing.contains("landfast fingerprint"));
    assert!(CannotSeal::NothingOfItsOwn.to_string().contains("TPM"));
    let newer = SealedBox::decode(&[9, 0]).unwrap_err().to_string();
    assert!(newer.contains("format 9") && newer.contains("newer release"));
    assert!(SealedBox::decode(&[]).unwrap_err().to_string().contains("recover"));
    assert!(Stretch::new(1 << 30, 1).unwrap_err().to_string().contains("64 MiB"));
}

#[test]
fn what_opened_says_so() {
    let server = Machine::server();
    let words = server.examine(&server.seal()).to_string();
    assert_eq!(words, "80 of 80 points of this machine are as enrolled; 40 are needed");
}
