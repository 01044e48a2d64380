//! Which recordings are of one machine.
//!
//! People record a machine twice: before and after a change, in two formats, or they keep a copy. Such recordings must
//! pass for each other, and it is no false accept if they do. Two recordings count as one machine if
//!
//! 1. they are the same bytes, or
//! 2. a row of a table of pairs says so, or
//! 3. they share an identity (a UUID, a serial number of the system, the board, the SoC or a disk, a MAC address: a value
//!    of its own, no placeholder) and contradict each other in nothing: every identity that both state is the same, of
//!    disks and cards one has all that the other has, the board's model is the same (or the system's, where no board is
//!    named), and where both list memory modules they have one in common.
//!
//! Two machines that agree in all of that cannot be told apart by anybody who has only the recordings. What the third
//! rule joins is listed, so that a person can look at it. A machine that was recorded before and after a repair falls under
//! the second rule only: without a row it counts as two, and as a false accept if they pass for each other.

use super::folder::Machine;
use super::pairs::PairRow;
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{Identity, Reading};
use std::collections::{BTreeMap, BTreeSet};

/// Why two recordings are of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    SameBytes,
    SameFacts,
    Row,
}

/// Recordings by machine: the number of the first recording of each one's machine, and what was joined.
pub(super) struct Groups {
    pub(super) of: Vec<usize>,
    pub(super) joined: Vec<(usize, usize, Why)>,
}

impl Groups {
    pub(super) fn of(machines: &[Machine], rows: &[PairRow]) -> Self {
        let mut groups = Self { of: (0..machines.len()).collect(), joined: Vec::new() };
        let mut bytes = BTreeMap::new();
        for (at, machine) in machines.iter().enumerate() {
            let first = *bytes.entry(machine.content).or_insert(at);
            groups.join(first, at, Why::SameBytes);
        }
        // Groups only grow: what once contradicted always does.
        let mut apart = BTreeSet::new();
        for (a, b) in candidates(machines) {
            let between = (groups.of[a].min(groups.of[b]), groups.of[a].max(groups.of[b]));
            if between.0 == between.1 || apart.contains(&between) {
                continue;
            }
            let (ones, others) = (groups.members(a), groups.members(b));
            let contradict =
                |one: &usize| others.iter().any(|other| contradict(&machines[*one], &machines[*other]));
            if ones.iter().any(contradict) {
                apart.insert(between);
            } else {
                groups.join(a, b, Why::SameFacts);
            }
        }
        for row in rows.iter().filter(|row| row.is_one_machine()) {
            let find = |name: &str| machines.iter().position(|machine| machine.name == name);
            if let (Some(a), Some(b)) = (find(&row.a), find(&row.b)) {
                groups.join(a, b, Why::Row);
            }
        }
        groups
    }

    /// How many machines there are.
    pub(super) fn count(&self) -> usize {
        self.of.iter().collect::<BTreeSet<_>>().len()
    }

    fn members(&self, of: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|at| self.of[*at] == self.of[of]).collect()
    }

    fn join(&mut self, a: usize, b: usize, why: Why) {
        let (first, second) = (self.of[a].min(self.of[b]), self.of[a].max(self.of[b]));
        if first != second {
            self.of.iter_mut().filter(|of| **of == second).for_each(|of| *of = first);
            self.joined.push((a, b, why));
        }
    }
}

/// Values that belong to one machine alone.
fn is_identity(factor: Factor) -> bool {
    !matches!(factor, Factor::Cpu | Factor::ChassisSerial | Factor::MachineId)
}

/// Pairs that share an identity, in the order of their numbers.
fn candidates(machines: &[Machine]) -> BTreeSet<(usize, usize)> {
    let mut holders: BTreeMap<(Factor, &str), Vec<usize>> = BTreeMap::new();
    for (at, machine) in machines.iter().enumerate() {
        for (factor, identity) in present(machine).filter(|(factor, _)| is_identity(*factor)) {
            holders.entry((factor, identity.reveal())).or_default().push(at);
        }
    }
    let mut pairs = BTreeSet::new();
    for holders in holders.values() {
        for (at, a) in holders.iter().enumerate() {
            pairs.extend(holders[at + 1..].iter().filter(|b| *b != a).map(|b| (*a, *b)));
        }
    }
    pairs
}

fn present(machine: &Machine) -> impl Iterator<Item = (Factor, &Identity)> {
    machine.reading.factors.iter().filter_map(|read| match &read.reading {
        Reading::Present(identity) => Some((read.factor, identity)),
        _ => None,
    })
}

/// Whether both state something about the same thing, and not the same.
fn contradict(a: &Machine, b: &Machine) -> bool {
    let values = |machine, of| -> BTreeSet<&str> {
        present(machine).filter(|(factor, _)| *factor == of).map(|(_, identity)| identity.reveal()).collect()
    };
    let differs = |factor: Factor| {
        let (a, b) = (values(a, factor), values(b, factor));
        !a.is_subset(&b) && !b.is_subset(&a)
    };
    a.facts.contradict(&b.facts) || Factor::ALL.into_iter().any(differs)
}
