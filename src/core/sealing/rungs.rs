//! How much of a group has to be there for how many of its shares.
//!
//! This mirrors `landfast_protocol::binding::compare`, so that the seal and the verdict count alike. It has to be a
//! ladder of thresholds, since a share that was given cannot be taken back: more of a group is never worth less.
//! The seal knows no forgiveness. What cannot be read gives no key, so it counts here as what is gone.

use super::source::Source;
use landfast_protocol::evidence::{Factor, Group};

/// Of the parts of a group so many are needed for so many shares more than the rung below gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rung {
    pub needs: usize,
    pub shares: usize,
}

/// What each part of a group counts within it. Of a set the disk with the root file system counts double; where all
/// of them carry it, all count alike.
pub(super) fn units(parts: &[(Source, bool)]) -> Vec<usize> {
    let all = parts.iter().all(|(_, primary)| *primary);
    parts.iter().map(|(_, primary)| if *primary && !all { 2 } else { 1 }).collect()
}

/// The ladder of a group with `weight` shares whose parts count `units` together. The shares of all rungs are
/// `weight`; a rung without shares is left out.
pub(super) fn rungs(group: Group, weight: usize, units: usize) -> Vec<Rung> {
    let steps: Vec<(usize, usize)> = if is_set(group) {
        (1..=units).map(|kept| (kept, weight * kept / units)).collect()
    } else {
        // Any field is worth half, a majority all: it comes last, so that it wins where one field is a majority.
        vec![(1, if units == 1 { weight } else { weight / 2 }), (units / 2 + 1, weight)]
    };
    let mut before = 0;
    let mut ladder = Vec::new();
    for (needs, reached) in steps {
        if reached > before {
            ladder.push(Rung { needs, shares: reached - before });
            before = reached;
        }
    }
    ladder
}

/// What `units` of a group are worth.
pub(super) fn reached(ladder: &[Rung], units: usize) -> usize {
    ladder.iter().filter(|rung| rung.needs <= units).map(|rung| rung.shares).sum()
}

fn is_set(group: Group) -> bool {
    group == Factor::Disk.group() || group == Factor::NetworkCard.group()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn worth(group: Group, weight: usize, units: usize, expected: &[usize]) {
        let ladder = rungs(group, weight, units);
        let found: Vec<usize> = (0..=units).map(|kept| reached(&ladder, kept)).collect();
        assert_eq!(found, expected);
        assert!(ladder.iter().all(|rung| rung.shares > 0));
    }

    #[test]
    fn a_majority_of_fields_counts_in_full_and_any_field_half() {
        worth(Group::Board, 30, 1, &[0, 30]);
        worth(Group::Board, 30, 2, &[0, 15, 30]);
        worth(Group::Board, 30, 3, &[0, 15, 30, 30]);
        worth(Group::Board, 1, 3, &[0, 0, 1, 1]);
        worth(Group::Chassis, 5, 1, &[0, 5]);
    }

    #[test]
    fn sets_count_by_what_is_kept() {
        worth(Group::Disks, 20, 3, &[0, 6, 13, 20]);
        worth(Group::Network, 15, 1, &[0, 15]);
        worth(Group::Network, 2, 4, &[0, 0, 1, 1, 2]);
    }

    #[test]
    fn the_boot_disk_counts_double_among_others() {
        let disk = |primary| (Source::Read(Factor::Disk), primary);
        assert_eq!(units(&[disk(true), disk(false)]), [2, 1]);
        assert_eq!(units(&[disk(true), disk(true)]), [1, 1]);
        assert_eq!(units(&[disk(false)]), [1]);
    }
}
