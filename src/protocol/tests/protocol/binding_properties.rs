//! What holds for every pair of machines.

use crate::arbitrary;
use landfast_protocol::List;
use landfast_protocol::binding::{BindingPolicy, Comparison, GroupState, Verdict, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, Group, State};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

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

fn present(factor: Factor, byte: u8, primary: bool) -> FactorEvidence {
    FactorEvidence { factor, state: State::Present { digest: FactorDigest([byte; 16]), primary } }
}

/// A machine as a reader gives it: one entry per single-valued factor, any number of disks and cards. Few
/// different values, so that two machines often have some in common.
fn machine() -> impl Strategy<Value = Vec<FactorEvidence>> {
    let state = || {
        prop_oneof![
            5 => (0..3u8).prop_map(|byte| State::Present { digest: FactorDigest([byte; 16]), primary: false }),
            1 => Just(State::Absent),
            1 => Just(State::Unreadable),
            1 => Just(State::Placeholder),
        ]
    };
    let disk = prop_oneof![
        5 => (0..8u8, any::<bool>()).prop_map(|(byte, primary)| present(Factor::Disk, byte, primary)),
        1 => Just(FactorEvidence { factor: Factor::Disk, state: State::Unreadable }),
    ];
    let card = prop_oneof![
        5 => (0..8u8).prop_map(|byte| present(Factor::NetworkCard, byte, false)),
        1 => Just(FactorEvidence { factor: Factor::NetworkCard, state: State::Unreadable }),
    ];
    (vec(state(), SINGLE.len()), vec(disk, 0..5), vec(card, 0..5)).prop_map(|(states, disks, cards)| {
        let single = SINGLE.into_iter().zip(states).map(|(factor, state)| FactorEvidence { factor, state });
        single.chain(disks).chain(cards).collect()
    })
}

/// A machine and what became of it: about half of it was replaced, so that verdicts lie close to the thresholds.
fn serviced() -> impl Strategy<Value = (Vec<FactorEvidence>, Vec<FactorEvidence>)> {
    (machine(), machine(), vec(any::<bool>(), 30)).prop_map(|(enrolled, other, kept)| {
        let longer = enrolled.len().max(other.len());
        let pick = |at: usize| if kept[at] { enrolled.get(at) } else { other.get(at) };
        let current = (0..longer).filter_map(|at| pick(at).copied()).collect();
        (enrolled, current)
    })
}

/// Thresholds that are often met and often missed.
fn mild_policy() -> impl Strategy<Value = BindingPolicy> {
    (arbitrary::policy(), 300..=600u16, 600..=900u16, 1..40u16).prop_map(
        |(policy, drifted_permille, bound_permille, minimum)| BindingPolicy {
            drifted_permille,
            bound_permille,
            minimum,
            ..policy
        },
    )
}

fn evidence(factors: &[FactorEvidence]) -> Evidence {
    Evidence::from_factors(false, factors.to_vec())
}

/// The same without canonical order.
fn as_found(factors: Vec<FactorEvidence>) -> Evidence {
    Evidence { virtual_machine: false, factors: List::new(factors).unwrap() }
}

fn verdict(enrolled: &Evidence, current: &Evidence, policy: &BindingPolicy) -> Verdict {
    compare(enrolled, current, policy).verdict
}

fn well_equipped() -> Vec<FactorEvidence> {
    let disks = (1..=3).map(|byte| present(Factor::Disk, byte, byte == 1));
    let cards = (1..=2).map(|byte| present(Factor::NetworkCard, byte, false));
    let single = SINGLE.into_iter().filter(|f| !matches!(f, Factor::SocSerial | Factor::VirtualId));
    single.map(|factor| present(factor, 1, false)).chain(disks).chain(cards).collect()
}

fn sum(comparison: &Comparison, weight: impl Fn(GroupState) -> bool) -> u32 {
    comparison.groups.iter().filter(|group| weight(group.state)).map(|group| group.weight).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn order_never_matters(
        (enrolled, shuffled) in machine().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        (current, mixed) in machine().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle())),
        policy in arbitrary::policy(),
    ) {
        let one = compare(&as_found(enrolled.clone()), &as_found(current.clone()), &policy);
        prop_assert_eq!(&one, &compare(&as_found(shuffled.clone()), &as_found(mixed.clone()), &policy));
        prop_assert_eq!(evidence(&enrolled), evidence(&shuffled));
        let canonical = compare(&evidence(&enrolled), &evidence(&current), &policy);
        prop_assert_eq!(&canonical, &compare(&evidence(&shuffled), &evidence(&mixed), &policy));
    }

    #[test]
    fn a_placeholder_counts_as_absent(
        enrolled in machine(), current in machine(), policy in arbitrary::policy(),
    ) {
        let honest = |factors: &[FactorEvidence]| {
            let absent = |found: &FactorEvidence| match found.state {
                State::Placeholder => FactorEvidence { state: State::Absent, ..*found },
                _ => *found,
            };
            evidence(&factors.iter().map(absent).collect::<Vec<_>>())
        };
        let missing = |factors: &[FactorEvidence]| {
            let kept = |found: &&FactorEvidence| !matches!(found.state, State::Absent | State::Placeholder);
            evidence(&factors.iter().filter(kept).copied().collect::<Vec<_>>())
        };
        let found = compare(&evidence(&enrolled), &evidence(&current), &policy);
        prop_assert_eq!(&found, &compare(&honest(&enrolled), &honest(&current), &policy));
        prop_assert_eq!(&found, &compare(&missing(&enrolled), &missing(&current), &policy));
    }

    /// Whatever becomes unreadable, in any number: what was bound is bound, or has no verdict; nothing becomes broken.
    #[test]
    fn p2_what_cannot_be_read_is_never_held_against_the_user(
        (enrolled, current) in serviced(), hidden in vec(any::<bool>(), 30), policy in mild_policy(),
    ) {
        let veiled: Vec<_> = current.iter().zip(&hidden).map(|(found, hidden)| match hidden {
            true => FactorEvidence { state: State::Unreadable, ..*found },
            false => *found,
        }).collect();
        let veiled = verdict(&evidence(&enrolled), &evidence(&veiled), &policy);
        let full = verdict(&evidence(&enrolled), &evidence(&current), &policy);
        match full {
            Verdict::Bound => {
                prop_assert!(matches!(veiled, Verdict::Bound | Verdict::Indeterminate), "{veiled:?}");
            }
            Verdict::Drifted | Verdict::Indeterminate => prop_assert!(veiled != Verdict::Broken, "{full:?}"),
            Verdict::Broken => {}
        }
    }

    /// What no longer matches may as well be unreadable: that never makes the score smaller.
    #[test]
    fn unreadable_never_lowers_the_score(
        enrolled in machine(), current in machine(), at in any::<prop::sample::Index>(),
        policy in arbitrary::policy(),
    ) {
        let (before, at) = (evidence(&enrolled), at.index(current.len()));
        let gone = FactorEvidence { state: State::Absent, ..current[at] };
        let veil = FactorEvidence { state: State::Unreadable, ..current[at] };
        let with = |found: FactorEvidence| {
            let mut factors = current.clone();
            factors[at] = found;
            compare(&before, &evidence(&factors), &policy)
        };
        let (gone, veil) = (with(gone), with(veil));
        let lowered = veil.score_permille < gone.score_permille && veil.readable_weight > 0;
        prop_assert!(!lowered, "{} to {}", gone.score_permille, veil.score_permille);
    }

    #[test]
    fn a_machine_is_itself(machine in machine(), policy in arbitrary::policy()) {
        let same = evidence(&machine);
        let found = compare(&same, &same, &policy);
        prop_assert!(matches!(found.verdict, Verdict::Bound | Verdict::Indeterminate), "{found:?}");
        prop_assert_eq!(found.verdict == Verdict::Bound, policy.can_enrol(&same));
        prop_assert!(found.score_permille == 1000 || found.readable_weight == 0);
    }

    /// The same for whatever a message can hold, contradictions included.
    #[test]
    fn any_evidence_is_itself(evidence in arbitrary::evidence(), policy in arbitrary::policy()) {
        let found = verdict(&evidence, &evidence, &policy);
        prop_assert!(matches!(found, Verdict::Bound | Verdict::Indeterminate), "{found:?}");
    }

    #[test]
    fn figures_agree_with_the_verdict(
        enrolled in arbitrary::evidence(), current in arbitrary::evidence(), policy in arbitrary::policy(),
    ) {
        let found = compare(&enrolled, &current, &policy);
        prop_assert_eq!(found.groups.len(), Group::ALL.len());
        prop_assert!(found.score_permille <= 1000);
        let counts = |s| matches!(s, GroupState::Match | GroupState::Partial | GroupState::Changed);
        prop_assert_eq!(sum(&found, counts), found.readable_weight);
        for group in &found.groups {
            let full = group.matched_milli == group.weight * 1000;
            match group.state {
                GroupState::Match => prop_assert!(full),
                GroupState::Partial => prop_assert!(group.matched_milli <= group.weight * 1000),
                _ => prop_assert_eq!(group.matched_milli, 0),
            }
        }
        match found.verdict {
            Verdict::Indeterminate => {}
            Verdict::Bound => {
                let all_read = found.groups.iter().all(|group| group.state != GroupState::Unreadable)
                    && !current.factors.iter().any(|found| found.state == State::Unreadable);
                let least = if all_read { policy.bound_permille } else { policy.drifted_permille };
                prop_assert!(found.score_permille >= u32::from(least));
            }
            Verdict::Drifted => prop_assert!(found.score_permille >= u32::from(policy.drifted_permille)),
            Verdict::Broken => prop_assert!(found.score_permille < u32::from(policy.bound_permille)),
        }
    }

    /// Fixed disks come and go one at a time on a machine that has all groups: it stays bound.
    #[test]
    fn p1_a_single_changed_factor_stays_bound(
        at in any::<prop::sample::Index>(),
        state in select(vec![
            State::Absent,
            State::Unreadable,
            State::Placeholder,
            State::Present { digest: FactorDigest([0xee; 16]), primary: false },
        ]),
        tpm in any::<bool>(),
    ) {
        let machine: Vec<_> =
            well_equipped().into_iter().filter(|f| tpm || f.factor != Factor::TpmKey).collect();
        let mut changed = machine.clone();
        let at = at.index(changed.len());
        // A machine with a TPM that loses it is drifted: that is a changed anchor of full weight.
        if changed[at].factor == Factor::TpmKey && state != State::Unreadable {
            return Ok(());
        }
        changed[at].state = state;
        prop_assert_eq!(
            verdict(&evidence(&machine), &evidence(&changed), &BindingPolicy::default()),
            Verdict::Bound
        );
    }

    /// Things that are added change nothing: what was enrolled is still there.
    #[test]
    fn p1_additions_change_nothing(
        enrolled in machine(), more in vec((0x80..=0xffu8, any::<bool>()), 0..10), policy in arbitrary::policy(),
    ) {
        let mut current = enrolled.clone();
        current.extend(more.into_iter().map(|(byte, disk)| {
            present(if disk { Factor::Disk } else { Factor::NetworkCard }, byte, false)
        }));
        let before = compare(&evidence(&enrolled), &evidence(&enrolled), &policy);
        prop_assert_eq!(before, compare(&evidence(&enrolled), &evidence(&current), &policy));
    }

    /// A machine that shares nothing is never taken for the enrolled one.
    #[test]
    fn p10_a_machine_with_nothing_in_common_is_never_accepted(
        enrolled in machine(), current in machine(), policy in arbitrary::policy(),
    ) {
        let others: Vec<_> = current.iter().map(|found| match found.state {
            State::Present { digest, primary } => {
                let digest = FactorDigest(digest.0.map(|byte| byte ^ 0x40));
                FactorEvidence { state: State::Present { digest, primary }, ..*found }
            }
            _ => *found,
        }).collect();
        let found = verdict(&evidence(&enrolled), &evidence(&others), &policy);
        prop_assert!(matches!(found, Verdict::Broken | Verdict::Indeterminate), "{found:?}");
    }
}
