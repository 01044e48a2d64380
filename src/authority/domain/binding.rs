//! What a device's tokens are bound to, and when that moves on to new evidence.

use landfast_protocol::binding::{BindingPolicy, Verdict, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorEvidence, State};

/// How the evidence of a request stands towards what the device's tokens are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Compared with the binding, where there is one and tokens hang on it.
    pub verdict: Option<Verdict>,
    /// In thousandths, where it was compared.
    pub score_permille: u32,
    /// The device can be told from others.
    pub bindable: bool,
}

impl Standing {
    /// The tokens hang on other hardware.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.verdict == Some(Verdict::Broken)
    }

    /// Tokens can only be lent to this device.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        match self.verdict {
            Some(verdict) => verdict == Verdict::Indeterminate,
            None => !self.bindable,
        }
    }
}

/// Judges `evidence`. `binding` is none where the device holds nothing: then it may bind anew.
#[must_use]
pub fn standing(binding: Option<&Evidence>, evidence: &Evidence, policy: &BindingPolicy) -> Standing {
    let comparison = binding.map(|enrolled| compare(enrolled, evidence, policy));
    Standing {
        verdict: comparison.as_ref().map(|c| c.verdict),
        score_permille: comparison.map_or(0, |c| c.score_permille),
        bindable: policy.can_enrol(evidence),
    }
}

/// The binding after a request with `evidence` was executed: new hardware of the same machine is taken over,
/// other hardware is not. Nor is what leaves too little to tell the machine by: it stays drifted, and granted.
#[must_use]
pub fn rebind(binding: Option<&Evidence>, evidence: &Evidence, policy: &BindingPolicy) -> Option<Evidence> {
    let standing = standing(binding, evidence, policy);
    match (binding, standing.verdict) {
        (Some(enrolled), Some(Verdict::Bound | Verdict::Drifted)) => {
            let merged = merge(enrolled, evidence);
            let stands = compare(&merged, evidence, policy).verdict == Verdict::Bound;
            Some(if stands { merged } else { enrolled.clone() })
        }
        (Some(enrolled), _) => Some(enrolled.clone()),
        (None, _) => standing.bindable.then(|| evidence.clone()),
    }
}

/// `current`, with the enrolled values of what cannot be read now: a machine does not lose what it is known by
/// because a file could not be opened once.
fn merge(enrolled: &Evidence, current: &Evidence) -> Evidence {
    let mut factors: Vec<FactorEvidence> = current.factors.to_vec();
    for factor in Factor::ALL {
        for state in kept(factor, enrolled, current) {
            let unreadable = FactorEvidence { factor, state: State::Unreadable };
            if let Some(at) = factors.iter().position(|f| *f == unreadable) {
                factors.remove(at);
            }
            factors.push(FactorEvidence { factor, state });
        }
    }
    Evidence::from_factors(current.virtual_machine, factors)
}

/// The enrolled values of `factor` that stand behind what is unreadable now. For sets each newly unreadable
/// member stands for one that is missing, the heaviest first, as in the comparison.
fn kept(factor: Factor, enrolled: &Evidence, current: &Evidence) -> Vec<State> {
    let unreadable = |evidence: &Evidence| {
        evidence.factors.iter().filter(|f| f.factor == factor && f.state == State::Unreadable).count()
    };
    let mut missing: Vec<(bool, State)> = enrolled
        .present(factor)
        .filter(|(digest, _)| !current.present(factor).any(|(now, _)| now == *digest))
        .map(|(digest, primary)| (primary, State::Present { digest, primary }))
        .collect();
    missing.sort_by_key(|(primary, _)| !primary);
    let stand_ins = match factor {
        Factor::Disk | Factor::NetworkCard => unreadable(current).saturating_sub(unreadable(enrolled)),
        _ if unreadable(current) > 0 => missing.len(),
        _ => 0,
    };
    missing.into_iter().take(stand_ins).map(|(_, state)| state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_protocol::evidence::FactorDigest;
    use proptest::prelude::*;

    fn present(factor: Factor, value: u8) -> FactorEvidence {
        let primary = factor == Factor::Disk && value == 0;
        FactorEvidence { factor, state: State::Present { digest: FactorDigest([value; 16]), primary } }
    }

    fn unreadable(factor: Factor) -> FactorEvidence {
        FactorEvidence { factor, state: State::Unreadable }
    }

    fn machine(factors: &[FactorEvidence]) -> Evidence {
        Evidence::from_factors(false, factors.to_vec())
    }

    fn policy() -> BindingPolicy {
        BindingPolicy::default()
    }

    #[test]
    fn a_first_device_binds_if_it_can_be_told_from_others() {
        let good = machine(&[present(Factor::ProductUuid, 1)]);
        let poor = machine(&[present(Factor::Cpu, 1)]);
        assert_eq!(rebind(None, &good, &policy()), Some(good.clone()));
        assert_eq!(rebind(None, &poor, &policy()), None);
        assert!(standing(None, &poor, &policy()).is_leased());
    }

    #[test]
    fn other_hardware_is_never_taken_over() {
        let enrolled = machine(&[present(Factor::ProductUuid, 1), present(Factor::Disk, 0)]);
        let other = machine(&[present(Factor::ProductUuid, 2), present(Factor::Disk, 3)]);
        assert!(standing(Some(&enrolled), &other, &policy()).is_broken());
        assert_eq!(rebind(Some(&enrolled), &other, &policy()), Some(enrolled));
    }

    #[test]
    fn a_replaced_disk_is_taken_over_and_an_unreadable_board_is_kept() {
        let enrolled = machine(&[
            present(Factor::ProductUuid, 1),
            present(Factor::Disk, 0),
            present(Factor::NetworkCard, 5),
            present(Factor::MachineId, 6),
        ]);
        let now = machine(&[
            unreadable(Factor::ProductUuid),
            present(Factor::Disk, 0),
            present(Factor::Disk, 7),
            present(Factor::NetworkCard, 5),
            present(Factor::MachineId, 6),
        ]);
        let bound = rebind(Some(&enrolled), &now, &policy()).unwrap();
        assert!(bound.present(Factor::ProductUuid).any(|(digest, _)| digest == FactorDigest([1; 16])));
        assert!(!bound.has(Factor::ProductUuid, State::Unreadable));
        assert_eq!(bound.present(Factor::Disk).count(), 2);
    }

    #[test]
    fn a_drift_that_leaves_too_little_is_not_taken_over() {
        let enrolled = machine(&[present(Factor::Disk, 0), present(Factor::NetworkCard, 5)]);
        let now = machine(&[present(Factor::Disk, 0)]);
        assert_eq!(compare(&enrolled, &now, &policy()).verdict, Verdict::Drifted);
        assert_eq!(rebind(Some(&enrolled), &now, &policy()), Some(enrolled));
    }

    fn any_machine() -> impl Strategy<Value = Evidence> {
        let state = prop_oneof![
            3 => (0u8..4).prop_map(Some),
            1 => Just(None),
        ];
        proptest::collection::vec((0usize..Factor::ALL.len(), state), 0..14).prop_map(|factors| {
            let factors = factors.into_iter().map(|(at, value)| match value {
                Some(value) => present(Factor::ALL[at], value),
                None => unreadable(Factor::ALL[at]),
            });
            Evidence::from_factors(false, factors.collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn what_was_just_bound_is_bound(enrolled in any_machine(), now in any_machine()) {
            let policy = policy();
            let before = compare(&enrolled, &now, &policy).verdict;
            let bound = rebind(Some(&enrolled), &now, &policy).unwrap();
            if matches!(before, Verdict::Bound | Verdict::Drifted) {
                let after = compare(&bound, &now, &policy).verdict;
                prop_assert!(after == Verdict::Bound || bound == enrolled, "{:?} after {:?}", after, before);
                let whole = now.factors.iter().all(|found| found.state != State::Unreadable);
                if whole && policy.can_enrol(&now) {
                    prop_assert_eq!(&bound, &now, "nothing keeps it from being taken over");
                }
            } else {
                prop_assert_eq!(&bound, &enrolled);
            }
        }
    }
}
