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
    fn of(&self, group: Group, virtual_machine: bool) -> u32 {
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
    /// Matched weight over readable enrolled weight, in thousandths.
    pub score_permille: u32,
    /// Readable enrolled weight.
    pub readable_weight: u32,
    /// Every group.
    pub groups: Vec<GroupComparison>,
}

/// Compares `current` with what was `enrolled`.
#[must_use]
pub fn compare(enrolled: &Evidence, current: &Evidence, policy: &BindingPolicy) -> Comparison {
    let groups: Vec<_> =
        Group::ALL.into_iter().map(|group| compare_group(group, enrolled, current, policy)).collect();
    let weigh = |states: &[GroupState]| -> u32 {
        groups.iter().filter(|g| states.contains(&g.state)).map(|g| g.weight).sum()
    };
    let readable = weigh(&[GroupState::Match, GroupState::Partial, GroupState::Changed]);
    let unreadable = weigh(&[GroupState::Unreadable]);
    let matched_milli: u32 = groups.iter().map(|g| g.matched_milli).sum();
    let anchored = |g: &GroupComparison| {
        g.group.is_anchor() && matches!(g.state, GroupState::Match | GroupState::Partial)
    };
    let score = matched_milli.checked_div(readable).unwrap_or(0);
    let accepted = |score: u32, anchor: bool| {
        score >= u32::from(policy.bound_permille) || (score >= u32::from(policy.drifted_permille) && anchor)
    };
    let verdict = if readable < u32::from(policy.minimum) {
        Verdict::Indeterminate
    } else if score >= u32::from(policy.bound_permille) {
        Verdict::Bound
    } else if accepted(score, groups.iter().any(anchored)) {
        Verdict::Drifted
    } else if unreadable > 0 && {
        // What cannot be read is never held against the user: broken only if it would be so with all of it right.
        let best = (matched_milli + unreadable * 1000) / (readable + unreadable);
        let anchor =
            groups.iter().any(|g| anchored(g) || (g.group.is_anchor() && g.state == GroupState::Unreadable));
        accepted(best, anchor)
    } {
        Verdict::Indeterminate
    } else {
        Verdict::Broken
    };
    Comparison { verdict, score_permille: score, readable_weight: readable, groups }
}

fn is_present(state: State) -> bool {
    matches!(state, State::Present { .. })
}

fn compare_group(
    group: Group,
    enrolled: &Evidence,
    current: &Evidence,
    policy: &BindingPolicy,
) -> GroupComparison {
    let weight = policy.weights.of(group, enrolled.virtual_machine);
    let fraction = match group {
        Group::Disks => set_fraction(Factor::Disk, enrolled, current),
        Group::Network => set_fraction(Factor::NetworkCard, enrolled, current),
        _ => field_fraction(group, enrolled, current),
    };
    let (matched_milli, state) = match fraction {
        Fraction::NotEnrolled => (0, GroupState::NotEnrolled),
        Fraction::Unreadable => (0, GroupState::Unreadable),
        Fraction::Kept { part: 0, .. } => (0, GroupState::Changed),
        Fraction::Kept { part, whole } if part >= whole => (weight * 1000, GroupState::Match),
        Fraction::Kept { part, whole } => (weight * 1000 * part / whole, GroupState::Partial),
    };
    GroupComparison { group, weight, matched_milli, state }
}

enum Fraction {
    NotEnrolled,
    Unreadable,
    Kept { part: u32, whole: u32 },
}

/// A majority of a group's fields counts in full, any field half: a board keeps its identity when a service
/// technician re-burns one of them.
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
    if readable == 0 {
        return Fraction::Unreadable;
    }
    let part = if same * 2 > readable { 2 } else { u32::from(same > 0) };
    Fraction::Kept { part, whole: 2 }
}

/// Sets count by what is kept of them, the disk with the root file system double. A member that has become
/// unreadable since (a disk that lost its serial number) stands for one that is missing.
fn set_fraction(factor: Factor, enrolled: &Evidence, current: &Evidence) -> Fraction {
    let weight = |primary: bool| if primary { 2u32 } else { 1 };
    let now: Vec<FactorDigest> = current.present(factor).map(|(digest, _)| digest).collect();
    let (mut kept, mut missing) = (0u32, Vec::new());
    for (digest, primary) in enrolled.present(factor) {
        if now.contains(&digest) { kept += weight(primary) } else { missing.push(weight(primary)) }
    }
    if kept == 0 && missing.is_empty() {
        return Fraction::NotEnrolled;
    }
    let unreadable = |evidence: &Evidence| {
        evidence.factors.iter().filter(|f| f.factor == factor && f.state == State::Unreadable).count()
    };
    let forgiven = unreadable(current).saturating_sub(unreadable(enrolled));
    missing.sort_unstable_by(|a, b| b.cmp(a));
    let whole = kept + missing.iter().skip(forgiven).sum::<u32>();
    if whole == 0 { Fraction::Unreadable } else { Fraction::Kept { part: kept, whole } }
}
