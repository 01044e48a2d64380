//! What holds for all machines and all changes.

use crate::machine::Machine;
use landfast_core::sealing::{CannotSeal, SealedBox};
use landfast_protocol::binding::{BindingPolicy, Verdict, Weights, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorEvidence, State};
use landfast_protocol::reading::{Identity, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const SINGLE: [Factor; 9] = [
    Factor::ProductUuid,
    Factor::BoardSerial,
    Factor::ProductSerial,
    Factor::TpmKey,
    Factor::SocSerial,
    Factor::VirtualId,
    Factor::Cpu,
    Factor::ChassisSerial,
    Factor::MachineId,
];
const SETS: [Factor; 2] = [Factor::Disk, Factor::NetworkCard];

fn reading(values: u8, unreadable: u32) -> impl Strategy<Value = Reading> {
    prop_oneof![
        6 => (0..values).prop_map(|number| Reading::Present(Identity::new(format!("value-{number}")))),
        1 => Just(Reading::Absent),
        1 => Just(Reading::Placeholder(Identity::new("default string"))),
        unreadable => Just(Reading::Unreadable("permission denied".to_owned())),
    ]
}

/// Few different values, so that two machines often have some in common.
fn machine(unreadable: u32) -> impl Strategy<Value = Machine> {
    let members = || vec((reading(8, unreadable), any::<bool>()), 0..5);
    (vec(reading(3, unreadable), SINGLE.len()), members(), members(), any::<bool>()).prop_map(
        |(single, disks, cards, virtual_machine)| {
            let mut machine = Machine::default();
            machine.reading.virtual_machine = virtual_machine;
            for (factor, reading) in SINGLE.into_iter().zip(single) {
                machine = machine.state(factor, reading);
            }
            for (factor, members) in SETS.into_iter().zip([disks, cards]) {
                for (reading, primary) in members {
                    machine = machine.state(factor, reading);
                    let last = machine.reading.factors.last_mut();
                    last.into_iter().for_each(|read| read.primary = primary && factor == Factor::Disk);
                }
            }
            machine
        },
    )
}

/// A machine and what became of it: of each factor it is the same, or what the other machine has.
fn serviced(unreadable: u32) -> impl Strategy<Value = (Machine, Machine)> {
    (machine(unreadable), machine(unreadable), vec(prop::bool::weighted(0.3), 40)).prop_map(
        |(enrolled, other, replaced)| {
            let mut current = enrolled.clone();
            for (own, (others, replace)) in
                current.reading.factors.iter_mut().zip(other.reading.factors.iter().zip(replaced))
            {
                if replace && own.factor == others.factor {
                    own.reading = others.reading.clone();
                }
            }
            (enrolled, current)
        },
    )
}

/// Random weights, in which nothing stands out.
fn policy() -> impl Strategy<Value = BindingPolicy> {
    (vec(0..40u8, 10), 500..=1000u16).prop_map(|(weight, bound_permille)| BindingPolicy {
        weights: Weights {
            board: weight[0],
            tpm: weight[1],
            soc: weight[2],
            virtual_id: weight[3],
            disks: weight[4],
            network: weight[5],
            network_virtual: weight[6],
            cpu: weight[7],
            chassis: weight[8],
            machine_id: weight[9],
        },
        bound_permille,
        minimum: 1,
        ..BindingPolicy::default()
    })
}

/// As the seal sees it: what cannot be read is not there.
fn without_forgiveness(evidence: &Evidence) -> Evidence {
    let seen = |found: &&FactorEvidence| found.state != State::Unreadable;
    Evidence::from_factors(evidence.virtual_machine, evidence.factors.iter().filter(seen).copied().collect())
}

fn replaced(machine: &Machine, kept: &[Factor]) -> Machine {
    let mut other = machine.clone();
    for (number, read) in other.reading.factors.iter_mut().enumerate() {
        if !kept.contains(&read.factor) && matches!(read.reading, Reading::Present(_)) {
            read.reading = Reading::Present(Identity::new(format!("other-{number}")));
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Group by group the seal opens what the binding matches, to the point.
    #[test]
    fn b6_the_seal_counts_as_the_binding_does(
        (enrolled, current) in serviced(1), policy in policy(),
    ) {
        let Ok(sealed) = enrolled.seal_by(&policy) else { return Ok(()) };
        let seen = |machine: &Machine| without_forgiveness(&machine.evidence());
        let compared = compare(&seen(&enrolled), &seen(&current), &policy);
        let opening = current.examine(&sealed);
        for found in &opening.groups {
            let matched = compared.groups.iter().find(|group| group.group == found.group).unwrap();
            prop_assert_eq!(found.opened, matched.matched_milli / 1000, "{:?}", found.group);
            prop_assert_eq!(found.weight, matched.weight);
        }
        let points: u32 = compared.groups.iter().map(|group| group.matched_milli / 1000).sum();
        prop_assert_eq!(opening.opened, points, "no group is missing");
        prop_assert_eq!(current.open(&sealed).is_ok(), points >= sealed.needed());
    }

    /// Where everything can be read, a machine that is bound is never shut out.
    #[test]
    fn b11_what_is_bound_opens((enrolled, current) in serviced(0)) {
        let Ok(sealed) = enrolled.seal_by(&BindingPolicy::default()) else { return Ok(()) };
        if enrolled.compared(&current).verdict == Verdict::Bound {
            let found = current.open(&sealed);
            prop_assert!(found.is_ok(), "{found:?}");
        }
    }

    /// What has drifted opens where half is enough, but for a fraction of a point in each group of several parts.
    #[test]
    fn p7_what_has_drifted_opens_where_half_is_enough((enrolled, current) in serviced(0)) {
        let Ok(sealed) = enrolled.seal_by(&BindingPolicy::default()) else { return Ok(()) };
        let half = sealed.needed() == sealed.weight().div_ceil(2);
        if half && enrolled.compared(&current).verdict == Verdict::Drifted {
            let opening = current.examine(&sealed);
            prop_assert!(opening.opened + 3 >= opening.needed, "{opening}");
        }
    }

    #[test]
    fn b11_at_least_half_has_to_be_there((enrolled, current) in serviced(1), policy in policy()) {
        let Ok(sealed) = enrolled.seal_by(&policy) else { return Ok(()) };
        prop_assert!(sealed.needed() * 2 >= sealed.weight());
        prop_assert_eq!(sealed.weight(), policy.enrolled_weight(&enrolled.evidence()));
        let seen = without_forgiveness(&current.evidence());
        let matched: u32 =
            compare(&without_forgiveness(&enrolled.evidence()), &seen, &policy).groups.iter().map(|g| g.matched_milli).sum();
        if matched * 2 < sealed.weight() * 1000 {
            prop_assert!(current.open(&sealed).is_err());
        }
    }

    /// Whatever the policy says: the disks and the machine id of the original are not enough.
    #[test]
    fn b11_disks_and_machine_id_alone_never_open(enrolled in machine(1), policy in policy()) {
        let Ok(sealed) = enrolled.seal_by(&policy) else { return Ok(()) };
        prop_assert!(replaced(&enrolled, &[Factor::Disk, Factor::MachineId]).open(&sealed).is_err());
        prop_assert!(replaced(&enrolled, &[]).open(&sealed).is_err());
    }

    /// Nor in a machine of the same model, unless so little else is enrolled that a bound machine would not open.
    #[test]
    fn b11_nor_in_a_machine_of_the_same_model(enrolled in machine(1)) {
        let Ok(sealed) = enrolled.seal_by(&BindingPolicy::default()) else { return Ok(()) };
        let twin = replaced(&enrolled, &[Factor::Disk, Factor::MachineId, Factor::Cpu]);
        if sealed.weight() > 44 {
            prop_assert!(twin.open(&sealed).is_err());
        }
    }

    /// What becomes unreadable opens less, and as before when it can be read again.
    #[test]
    fn p2_hiding_opens_no_more_and_ends((enrolled, current) in serviced(0), hidden in vec(any::<bool>(), 24)) {
        let Ok(sealed) = enrolled.seal_by(&BindingPolicy::default()) else { return Ok(()) };
        let mut blind = current.clone();
        for (read, _) in blind.reading.factors.iter_mut().zip(hidden).filter(|(_, hide)| *hide) {
            read.reading = Reading::Unreadable("permission denied".to_owned());
        }
        let (full, less) = (current.examine(&sealed), blind.examine(&sealed));
        prop_assert!(less.groups.iter().zip(&full.groups).all(|(less, full)| less.opened <= full.opened));
        if full.is_enough() && !less.is_enough() {
            prop_assert!(less.may_open_later(), "{less:?}");
        }
    }

    /// A box is read back as it was written.
    #[test]
    fn what_is_written_is_read(enrolled in machine(1)) {
        match enrolled.seal_by(&BindingPolicy::default()) {
            Ok(sealed) => {
                let bytes = sealed.encode().unwrap();
                prop_assert_eq!(SealedBox::decode(&bytes), Ok(sealed));
            }
            Err(refused) => {
                let weight = BindingPolicy::default().enrolled_weight(&enrolled.evidence());
                let few = matches!(refused, CannotSeal::TooLittle { .. });
                prop_assert_eq!(few, weight < 30, "{}", refused);
            }
        }
    }
}

/// The machines above are not all refused or all alike.
#[test]
fn the_properties_have_something_to_hold_for() {
    let mut runner = TestRunner::deterministic();
    let (mut sealed, mut bound, mut shut) = (0, 0, 0);
    for _ in 0..100 {
        let (enrolled, current) = serviced(0).new_tree(&mut runner).unwrap().current();
        let Ok(made) = enrolled.seal_by(&BindingPolicy::default()) else { continue };
        sealed += 1;
        bound += usize::from(enrolled.compared(&current).verdict == Verdict::Bound);
        shut += usize::from(!current.examine(&made).is_enough());
    }
    assert!(sealed > 60 && bound > 15 && shut > 2, "{sealed} {bound} {shut}");
}
