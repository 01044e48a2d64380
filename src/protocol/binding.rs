//! How alike two machines are: weights, thresholds, and the comparison that both sides compute alike.

use crate::evidence::{Evidence, Factor, FactorDigest, Group, State};
use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// What each group counts. Defaults come from the hardware study in `docs/adr/0004-threshold-binding.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weights {
    /// Group A.
    pub board: u8,
    /// Group B.
    pub tpm: u8,
    /// Group C.
    pub soc: u8,
    /// Group V.
    pub virtual_id: u8,
    /// Group D.
    pub disks: u8,
    /// Group E on bare metal.
    pub network: u8,
    /// Group E in a virtual machine, where an address is a setting.
    pub network_virtual: u8,
    /// Group F.
    pub cpu: u8,
    /// Group G.
    pub chassis: u8,
    /// Group H.
    pub machine_id: u8,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            board: 30,
            tpm: 30,
            soc: 30,
            virtual_id: 30,
            disks: 20,
            network: 15,
            network_virtual: 10,
            cpu: 5,
            chassis: 5,
            machine_id: 5,
        }
    }
}

impl Weights {
    /// What one group counts.
    #[must_use]
    pub fn of(&self, group: Group, virtual_machine: bool) -> u32 {
        u32::from(match group {
            Group::Board => self.board,
            Group::Tpm => self.tpm,
            Group::Soc => self.soc,
            Group::Virtual => self.virtual_id,
            Group::Disks => self.disks,
            Group::Network if virtual_machine => self.network_virtual,
            Group::Network => self.network,
            Group::Cpu => self.cpu,
            Group::Chassis => self.chassis,
            Group::MachineId => self.machine_id,
        })
    }
}

/// The rules of a binding, signed into each grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BindingPolicy {
    /// What each group counts.
    pub weights: Weights,
    /// Bound from this score on, in thousandths.
    pub bound_permille: u16,
    /// Drifted from this score on, if an anchor matches.
    pub drifted_permille: u16,
    /// With less readable weight than this there is no verdict.
    pub minimum: u16,
    /// How long a broken binding stays granted.
    pub grace: Duration,
}

impl Default for BindingPolicy {
    fn default() -> Self {
        Self {
            weights: Weights::default(),
            bound_permille: 750,
            drifted_permille: 500,
            minimum: 30,
            grace: Duration::days(14),
        }
    }
}

impl BindingPolicy {
    /// Thresholds must be ordered and reachable.
    pub fn check(&self) -> Result<(), &'static str> {
        let ordered = 0 < self.drifted_permille
            && self.drifted_permille <= self.bound_permille
            && self.bound_permille <= 1000;
        if !ordered {
            return Err("its thresholds are not 0 < drifted <= bound <= 1000");
        }
        if self.minimum == 0 { Err("its minimum weight is zero") } else { Ok(()) }
    }

    /// The weight that `evidence` would enrol.
    #[must_use]
    pub fn enrolled_weight(&self, evidence: &Evidence) -> u32 {
        Group::ALL
            .into_iter()
            .filter(|group| {
                evidence.factors.iter().any(|f| f.factor.group() == *group && is_present(f.state))
            })
            .map(|group| self.weights.of(group, evidence.virtual_machine))
            .sum()
    }

    /// Whether a machine with this evidence can be bound at all.
    #[must_use]
    pub fn can_enrol(&self, evidence: &Evidence) -> bool {
        self.enrolled_weight(evidence) >= u32::from(self.minimum)
    }
}

/// The verdict of one comparison, without history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The same machine.
    Bound,
    /// The same machine with parts replaced.
    Drifted,
    /// Another machine.
    Broken,
    /// Too little can be read to say.
    Indeterminate,
}

/// How one group compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// As enrolled.
    Match,
    /// Some of it is as enrolled.
    Partial,
    /// Nothing of it is as enrolled.
    Changed,
    /// It cannot be read now; it does not count.
    Unreadable,
    /// There was nothing usable when the machine enrolled; it does not count.
    NotEnrolled,
}

impl GroupState {
    /// The stable name in JSON and on D-Bus.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Partial => "partial",
            Self::Changed => "changed",
            Self::Unreadable => "unreadable",
            Self::NotEnrolled => "not_enrolled",
        }
    }
}

/// One group's part in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupComparison {
    /// Which group.
    pub group: Group,
    /// What it counts.
    pub weight: u32,
    /// What of the weight was matched, in thousandths of a point.
    pub matched_milli: u32,
    /// In a word.
    pub state: GroupState,
}

/// The outcome of comparing a machine with the one that enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// Matched weight over readable enrolled weight, in thousandths. Where something cannot be read it may be below
    /// the threshold of the verdict, and never above it.
    pub score_permille: u32,
    /// Readable enrolled weight.
    pub readable_weight: u32,
    /// Every group.
    pub groups: Vec<GroupComparison>,
}

/// Compares `current` with what was `enrolled`.
#[must_use]
pub fn compare(enrolled: &Evidence, current: &Evidence, policy: &BindingPolicy) -> Comparison {
    let compared: Vec<_> =
        Group::ALL.into_iter().map(|group| compare_group(group, enrolled, current, policy)).collect();
    let counted = |c: &&Compared| !matches!(c.now.state, GroupState::Unreadable | GroupState::NotEnrolled);
    let enrolled_weight: u32 =
        compared.iter().filter(|c| c.now.state != GroupState::NotEnrolled).map(|c| c.now.weight).sum();
    let readable_weight: u32 = compared.iter().filter(counted).map(|c| c.now.weight).sum();
    let anchored =
        |milli: fn(&Compared) -> u32| compared.iter().any(|c| c.now.group.is_anchor() && milli(c) > 0);
    let score = |milli: fn(&Compared) -> u32, weight: u32| {
        compared.iter().map(milli).sum::<u32>().checked_div(weight).unwrap_or(0)
    };
    let judge = |score: u32, anchor: bool| {
        if score >= u32::from(policy.bound_permille) {
            Verdict::Bound
        } else if score >= u32::from(policy.drifted_permille) && anchor {
            Verdict::Drifted
        } else {
            Verdict::Broken
        }
    };
    let matched = |c: &Compared| c.now.matched_milli;
    let at_best = |c: &Compared| c.at_best_milli;
    let score_permille = score(matched, readable_weight);
    let verdict = if readable_weight < u32::from(policy.minimum) {
        Verdict::Indeterminate
    } else {
        // What cannot be read is never held against the user: it is no reason for broken, and none for drifted
        // (docs/adr/0009-what-cannot-be-read.md).
        match (
            judge(score_permille, anchored(matched)),
            judge(score(at_best, enrolled_weight), anchored(at_best)),
        ) {
            (Verdict::Drifted, Verdict::Bound) => Verdict::Bound,
            (Verdict::Broken, Verdict::Bound | Verdict::Drifted) => Verdict::Indeterminate,
            (verdict, _) => verdict,
        }
    };
    let groups = compared.into_iter().map(|c| c.now).collect();
    Comparison { verdict, score_permille, readable_weight, groups }
}

fn is_present(state: State) -> bool {
    matches!(state, State::Present { .. })
}

/// One group as it is, and what it would match if everything unreadable in it were as enrolled.
struct Compared {
    now: GroupComparison,
    at_best_milli: u32,
}

fn compare_group(group: Group, enrolled: &Evidence, current: &Evidence, policy: &BindingPolicy) -> Compared {
    let weight = policy.weights.of(group, enrolled.virtual_machine);
    let fraction = match group {
        Group::Disks => set_fraction(Factor::Disk, enrolled, current),
        Group::Network => set_fraction(Factor::NetworkCard, enrolled, current),
        _ => field_fraction(group, enrolled, current),
    };
    let milli = |(part, whole): (u32, u32)| (weight * 1000 * part).checked_div(whole).unwrap_or(0);
    let (now, at_best) = match fraction {
        Fraction::NotEnrolled => ((0, 0), (0, 0)),
        Fraction::Enrolled { now, at_best } => (now, at_best),
    };
    let state = match (&fraction, now) {
        (Fraction::NotEnrolled, _) => GroupState::NotEnrolled,
        (_, (_, 0)) => GroupState::Unreadable,
        (_, (0, _)) => GroupState::Changed,
        (_, (part, whole)) if part >= whole => GroupState::Match,
        _ => GroupState::Partial,
    };
    let now = GroupComparison { group, weight, matched_milli: milli(now), state };
    Compared { now, at_best_milli: milli(at_best) }
}

/// Parts and wholes: of what can be read now, and of everything if all that cannot be read were as enrolled.
/// A whole of zero means that nothing can be read.
enum Fraction {
    NotEnrolled,
    Enrolled { now: (u32, u32), at_best: (u32, u32) },
}

fn field_fraction(group: Group, enrolled: &Evidence, current: &Evidence) -> Fraction {
    let (mut known, mut readable, mut same) = (0u32, 0u32, 0u32);
    for factor in Factor::ALL.into_iter().filter(|factor| factor.group() == group) {
        for (digest, _) in enrolled.present(factor) {
            known += 1;
            if current.has(factor, State::Unreadable) {
                continue;
            }
            readable += 1;
            same += u32::from(current.present(factor).any(|(now, _)| now == digest));
        }
    }
    if known == 0 {
        return Fraction::NotEnrolled;
    }
    Fraction::Enrolled { now: majority(same, readable), at_best: majority(same + known - readable, known) }
}

/// A majority of a group's fields counts in full, any field half: a board keeps its identity when a service
/// technician re-burns one of them.
fn majority(same: u32, of: u32) -> (u32, u32) {
    match of {
        0 => (0, 0),
        _ if same * 2 > of => (2, 2),
        _ => (u32::from(same > 0), 2),
    }
}

/// Sets count by what is kept of them, the disk with the root file system double. A member that has become
/// unreadable since (a disk that lost its serial number) stands for one that is missing; where no member can be
/// read any more, and all could be, the whole set is unreadable.
fn set_fraction(factor: Factor, enrolled: &Evidence, current: &Evidence) -> Fraction {
    let now: Vec<FactorDigest> = current.present(factor).map(|(digest, _)| digest).collect();
    let (mut kept, mut missing) = (0u32, Vec::new());
    for (digest, primary) in enrolled.present(factor) {
        let weight = if primary { 2u32 } else { 1 };
        if now.contains(&digest) { kept += weight } else { missing.push(weight) }
    }
    if kept == 0 && missing.is_empty() {
        return Fraction::NotEnrolled;
    }
    let unreadable = |evidence: &Evidence| {
        evidence.factors.iter().filter(|f| f.factor == factor && f.state == State::Unreadable).count()
    };
    let (before, after) = (unreadable(enrolled), unreadable(current));
    let all_hidden = now.is_empty() && after > 0 && before == 0;
    let (forgiven, hidden) =
        if all_hidden { (missing.len(), missing.len()) } else { (after.saturating_sub(before), after) };
    missing.sort_unstable_by(|a, b| b.cmp(a));
    let heaviest = |count: usize| missing.iter().take(count).sum::<u32>();
    let all = kept + missing.iter().sum::<u32>();
    Fraction::Enrolled { now: (kept, all - heaviest(forgiven)), at_best: (kept + heaviest(hidden), all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(virtual_machine: bool, factors: &[Factor]) -> Evidence {
        let state = State::Present { digest: FactorDigest([1; 16]), primary: false };
        let found = |factor: &Factor| crate::evidence::FactorEvidence { factor: *factor, state };
        Evidence::from_factors(virtual_machine, factors.iter().map(found).collect())
    }

    #[test]
    fn thresholds_are_ordered_and_reachable() {
        let policy = |drifted_permille, bound_permille, minimum| {
            BindingPolicy { drifted_permille, bound_permille, minimum, ..BindingPolicy::default() }.check()
        };
        assert_eq!(policy(1, 1, 1), Ok(()));
        assert_eq!(policy(1000, 1000, u16::MAX), Ok(()));
        for (drifted, bound, minimum) in [(0, 1, 1), (2, 1, 1), (1, 1001, 1), (1, 1, 0)] {
            assert!(policy(drifted, bound, minimum).is_err(), "{drifted} {bound} {minimum}");
        }
    }

    #[test]
    fn a_group_weighs_once_and_cards_weigh_less_in_a_virtual_machine() {
        let policy = BindingPolicy::default();
        let board = [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial];
        assert_eq!(policy.enrolled_weight(&machine(false, &board)), 30);
        assert_eq!(policy.enrolled_weight(&machine(false, &[Factor::NetworkCard])), 15);
        assert_eq!(policy.enrolled_weight(&machine(true, &[Factor::NetworkCard])), 10);
        assert!(policy.can_enrol(&machine(true, &[Factor::Disk, Factor::NetworkCard])));
        assert!(!policy.can_enrol(&machine(true, &[Factor::Disk, Factor::Cpu])));
    }

    #[test]
    fn nothing_enrolled_and_nothing_weighed_has_no_verdict() {
        let nothing = Evidence::default();
        let weightless = Weights {
            board: 0,
            tpm: 0,
            soc: 0,
            virtual_id: 0,
            disks: 0,
            network: 0,
            network_virtual: 0,
            cpu: 0,
            chassis: 0,
            machine_id: 0,
        };
        let policy = BindingPolicy { weights: weightless, ..BindingPolicy::default() };
        for evidence in [nothing, machine(false, &[Factor::ProductUuid, Factor::Disk])] {
            let found = compare(&evidence, &evidence, &policy);
            assert_eq!((found.verdict, found.score_permille), (Verdict::Indeterminate, 0));
        }
    }
}
