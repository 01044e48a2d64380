//! Every machine against every other, and every row of a table of pairs.

use super::folder::{Folder, Machine};
use super::pairs::{Expected, PairRow};
use super::same::{Groups, Why};
use landfast_protocol::IssuerId;
use landfast_protocol::binding::{BindingPolicy, Comparison, GroupState, Verdict, compare};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, Group};
use landfast_protocol::reading::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// Any issuer will do: digests are compared with each other only.
const ISSUER: IssuerId = IssuerId([0x5e; 16]);

/// What came out of it all.
#[derive(Debug, Default)]
pub struct Survey {
    /// Different machines: recordings of one machine count once.
    pub machines: usize,
    /// Recordings of them.
    pub recordings: usize,
    /// Machines that pass for another one.
    pub false_accepts: Vec<FalseAccept>,
    /// Each row with its judgement.
    pub pairs: Vec<JudgedPair>,
    /// Placeholders that were recognised: factor and masked value, and in how many recordings.
    pub placeholders: BTreeMap<(&'static str, String), usize>,
    /// Recordings that count as one machine, and why, a line each.
    pub joined: Vec<String>,
}

/// A machine that passes for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FalseAccept {
    /// The recording that enrolled.
    pub enrolled: String,
    /// The recording that passes for it.
    pub other: String,
    /// The verdict, and what it rests on.
    pub why: String,
}

/// One row of a table of pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedPair {
    /// The row.
    pub row: PairRow,
    /// It came out as the table says.
    pub is_right: bool,
    /// What came out.
    pub found: String,
}

impl Survey {
    /// Judges a folder by the default policy.
    #[must_use]
    pub fn of(folder: &Folder) -> Self {
        let evidence: Vec<Evidence> =
            folder.machines.iter().map(|machine| Evidence::digest(&machine.reading, &ISSUER)).collect();
        let groups = Groups::of(&folder.machines, &folder.pairs);
        Self {
            machines: groups.count(),
            recordings: folder.machines.len(),
            false_accepts: false_accepts(&folder.machines, &evidence, &groups),
            pairs: folder.pairs.iter().map(|row| judge(row, &folder.machines, &evidence)).collect(),
            placeholders: placeholders(&folder.machines),
            joined: joined(&folder.machines, &groups),
        }
    }

    /// How many rows came out right.
    #[must_use]
    pub fn pairs_right(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.is_right).count()
    }

    /// How many values were recognised as placeholders, over all recordings.
    #[must_use]
    pub fn placeholders_seen(&self) -> usize {
        self.placeholders.values().sum()
    }

    /// No machine passes for another, and every row is right.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.false_accepts.is_empty() && self.pairs_right() == self.pairs.len()
    }
}

fn is_accepted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Bound | Verdict::Drifted)
}

/// One for each two machines, whichever of their recordings shows it first. Every recording is compared with every other
/// that has a value in common with it: without one nothing matches, and that is refused by every policy.
fn false_accepts(machines: &[Machine], evidence: &[Evidence], groups: &Groups) -> Vec<FalseAccept> {
    let policy = BindingPolicy::default();
    let mut holders: BTreeMap<FactorDigest, Vec<usize>> = BTreeMap::new();
    for (at, evidence) in evidence.iter().enumerate() {
        for digest in
            Factor::ALL.into_iter().flat_map(|factor| evidence.present(factor)).map(|(digest, _)| digest)
        {
            holders.entry(digest).or_default().push(at);
        }
    }
    let mut found = BTreeMap::new();
    let mut compared = BTreeSet::new();
    for holders in holders.values() {
        for (a, b) in holders.iter().flat_map(|a| holders.iter().map(move |b| (*a, *b))) {
            let between = (groups.of[a].min(groups.of[b]), groups.of[a].max(groups.of[b]));
            if between.0 == between.1 || found.contains_key(&between) || !compared.insert((a, b)) {
                continue;
            }
            let comparison = compare(&evidence[a], &evidence[b], &policy);
            if is_accepted(comparison.verdict) {
                let (enrolled, other) = (machines[a].name.clone(), machines[b].name.clone());
                found.insert(between, FalseAccept { enrolled, other, why: told(&comparison) });
            }
        }
    }
    found.into_values().collect()
}

/// Rows hold only some groups, so the minimum of readable weight is lifted for them.
fn judge(row: &PairRow, machines: &[Machine], evidence: &[Evidence]) -> JudgedPair {
    let find = |name: &str| machines.iter().position(|machine| machine.name == name);
    let judged = |is_right: bool, found: String| JudgedPair { row: row.clone(), is_right, found };
    let (a, b) = match (find(&row.a), find(&row.b)) {
        (Some(a), Some(b)) => (&evidence[a], &evidence[b]),
        (None, _) => return judged(false, format!("there is no recording {}", row.a)),
        _ => return judged(false, format!("there is no recording {}", row.b)),
    };
    let policy = BindingPolicy { minimum: 1, ..BindingPolicy::default() };
    let (there, back) = (compare(a, b, &policy), compare(b, a, &policy));
    match row.expects() {
        Expected::Bound => judged(there.verdict == Verdict::Bound, told(&there)),
        Expected::Drifted => judged(there.verdict == Verdict::Drifted, told(&there)),
        Expected::Indeterminate => judged(there.verdict == Verdict::Indeterminate, told(&there)),
        Expected::Refused => {
            let passes = if is_accepted(there.verdict) { &there } else { &back };
            judged(!is_accepted(passes.verdict), told(passes))
        }
        Expected::Kept(group, kept, all) => {
            let (found, of) = kept_of(group, a, b);
            judged((found, of) == (kept, all), format!("{found} of {of} kept, {}", told(&there)))
        }
        Expected::Unknown => judged(false, "the table expects something that is not known here".to_owned()),
    }
}

/// How many of the values of a group are still there.
fn kept_of(group: Group, before: &Evidence, after: &Evidence) -> (usize, usize) {
    let values = |evidence: &Evidence| -> BTreeSet<(Factor, FactorDigest)> {
        let factors = Factor::ALL.into_iter().filter(|factor| factor.group() == group);
        factors.flat_map(|factor| evidence.present(factor).map(move |(digest, _)| (factor, digest))).collect()
    };
    let (before, after) = (values(before), values(after));
    (before.intersection(&after).count(), before.len())
}

/// `drifted, score 0.571: board match, disks changed`, without any value.
fn told(comparison: &Comparison) -> String {
    let verdict = match comparison.verdict {
        Verdict::Bound => "bound",
        Verdict::Drifted => "drifted",
        Verdict::Broken => "broken",
        Verdict::Indeterminate => "indeterminate",
    };
    let groups: Vec<String> = comparison
        .groups
        .iter()
        .filter(|group| group.state != GroupState::NotEnrolled)
        .map(|group| format!("{} {}", group.group.name(), group.state.name()))
        .collect();
    let (whole, rest) = (comparison.score_permille / 1000, comparison.score_permille % 1000);
    format!(
        "{verdict}, score {whole}.{rest:03}: {}",
        if groups.is_empty() { "nothing enrolled".to_owned() } else { groups.join(", ") }
    )
}

fn placeholders(machines: &[Machine]) -> BTreeMap<(&'static str, String), usize> {
    let mut seen = BTreeMap::new();
    for read in machines.iter().flat_map(|machine| &machine.reading.factors) {
        if let Reading::Placeholder(value) = &read.reading {
            *seen.entry((read.factor.name(), value.masked())).or_insert(0) += 1;
        }
    }
    seen
}

fn joined(machines: &[Machine], groups: &Groups) -> Vec<String> {
    let line = |(a, b, why): &(usize, usize, Why)| {
        let why = match why {
            Why::SameBytes => "they are the same bytes",
            Why::SameFacts => "they share an identity and contradict each other in nothing",
            Why::Row => "the table of pairs says so",
        };
        format!("{} and {} are one machine: {why}", machines[*a].name, machines[*b].name)
    };
    groups.joined.iter().map(line).collect()
}
