//! Pairs of machines and their verdicts, with every figure on the way.

use super::committed;
use landfast_protocol::binding::{BindingPolicy, Comparison, Verdict, Weights, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Comparisons {
    about: String,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
    policy: BindingPolicy,
    enrolled: Evidence,
    current: Evidence,
    comparison: Comparison,
}

const OTHER: u8 = 0xee;

fn factor(factor: Factor, byte: u8) -> FactorEvidence {
    let primary = factor == Factor::Disk && byte == 1;
    FactorEvidence { factor, state: State::Present { digest: FactorDigest([byte; 16]), primary } }
}

/// Three board fields, two disks, one card, CPU, machine id: 75 of weight.
fn server() -> Vec<FactorEvidence> {
    let single =
        [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::Cpu, Factor::MachineId];
    let sets = [factor(Factor::Disk, 1), factor(Factor::Disk, 2), factor(Factor::NetworkCard, 1)];
    single.into_iter().map(|name| factor(name, 7)).chain(sets).collect()
}

/// The server with some entries changed: `None` leaves one out.
fn with(changes: &[(usize, Option<State>)]) -> Vec<FactorEvidence> {
    let mut factors: Vec<_> = server().into_iter().map(Some).collect();
    for (at, state) in changes {
        factors[*at] = factors[*at].and_then(|found| state.map(|state| FactorEvidence { state, ..found }));
    }
    factors.into_iter().flatten().collect()
}

fn other() -> Option<State> {
    Some(State::Present { digest: FactorDigest([OTHER; 16]), primary: false })
}

fn case(
    name: &str,
    policy: &BindingPolicy,
    enrolled: Vec<FactorEvidence>,
    current: Vec<FactorEvidence>,
) -> Case {
    let enrolled = Evidence::from_factors(false, enrolled);
    let current = Evidence::from_factors(false, current);
    let comparison = compare(&enrolled, &current, policy);
    Case { name: name.to_owned(), policy: policy.clone(), enrolled, current, comparison }
}

#[test]
fn comparisons() {
    let policy = BindingPolicy::default();
    let (unreadable, placeholder) = (Some(State::Unreadable), Some(State::Placeholder));
    let one = |name: &str, changes: &[(usize, Option<State>)]| case(name, &policy, server(), with(changes));
    let guest = |mut case: Case| {
        case.enrolled.virtual_machine = true;
        case.current.virtual_machine = true;
        case.comparison = compare(&case.enrolled, &case.current, &case.policy);
        case
    };
    let nameless = FactorEvidence { factor: Factor::Disk, state: State::Unreadable };
    let no_anchor = BindingPolicy {
        weights: Weights { board: 0, disks: 0, network: 5, cpu: 20, machine_id: 20, ..Weights::default() },
        ..policy.clone()
    };
    let content = Comparisons {
        about:
            "Comparisons of enrolled with current evidence. Both sides of the exchange compute them alike, \
                so every figure counts."
                .to_owned(),
        cases: vec![
            one("nothing changed", &[]),
            one("one board field of three changed: a majority counts in full", &[(0, other())]),
            one("two board fields of three changed: any field counts half", &[(0, other()), (1, other())]),
            case(
                "one board field of two changed: half is no majority",
                &policy,
                with(&[(2, None)]),
                with(&[(0, other()), (2, None)]),
            ),
            one(
                "board and card changed, disks kept",
                &[(0, other()), (1, other()), (2, other()), (7, other())],
            ),
            one("the disk with the root file system replaced: it counts double", &[(5, other())]),
            one("a disk has lost its serial number", &[(6, unreadable)]),
            case(
                "a disk that never told its serial number excuses no other in the score, but at best it is the one",
                &policy,
                [server(), vec![nameless]].concat(),
                [with(&[(5, other()), (6, None)]), vec![nameless]].concat(),
            ),
            one("disks and card replaced", &[(5, other()), (6, None), (7, other())]),
            one(
                "the board's fields are placeholders now",
                &[(0, placeholder), (1, placeholder), (2, placeholder)],
            ),
            one("the board's fields cannot be read", &[(0, unreadable), (1, unreadable), (2, unreadable)]),
            one(
                "one board field changed, two unreadable, disks replaced: it might be bound",
                &[(0, other()), (1, unreadable), (2, unreadable), (5, other()), (6, other())],
            ),
            one(
                "the card replaced and the board unreadable: with all of it readable it might be bound, so it is",
                &[(0, unreadable), (1, unreadable), (2, unreadable), (7, other())],
            ),
            one("no disk can be read", &[(5, unreadable), (6, None)]),
            one(
                "only CPU and machine id can be read",
                &[
                    (0, unreadable),
                    (1, unreadable),
                    (2, unreadable),
                    (5, unreadable),
                    (6, unreadable),
                    (7, unreadable),
                ],
            ),
            guest(one(
                "the card counts less in a virtual machine",
                &[(5, other()), (6, other()), (7, other())],
            )),
            case("a group of no weight is no anchor", &no_anchor, server(), with(&[(3, other())])),
            case(
                "too little was enrolled",
                &policy,
                with(&[(0, None), (1, None), (2, None), (5, None), (6, None)]),
                server(),
            ),
        ],
    };
    let read = committed("binding.json", &content);
    for case in &read.cases {
        assert_eq!(compare(&case.enrolled, &case.current, &case.policy), case.comparison, "{}", case.name);
    }
    for verdict in [Verdict::Bound, Verdict::Drifted, Verdict::Broken, Verdict::Indeterminate] {
        assert!(read.cases.iter().any(|case| case.comparison.verdict == verdict), "{verdict:?} is not shown");
    }
}
