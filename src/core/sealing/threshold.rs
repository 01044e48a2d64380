//! How much of a machine has to be there.

use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::evidence::Group;

/// The shares that are needed of a machine that enrols these groups, or none where no number of them tells it from
/// another one with its disks. `laddered` groups give their shares in steps, and may give almost one less than they count.
///
/// - At least half of all.
/// - More than disks and machine id have together: both are there where a disk was copied or carried off.
/// - As far as a machine that is just bound still opens, more than these and the processor's type, which any
///   machine of the same model has.
pub(super) fn needed(groups: &[(Group, u32)], laddered: u32, policy: &BindingPolicy) -> Option<u32> {
    let weight = |of: &[Group]| -> u32 {
        groups.iter().filter(|(group, _)| of.contains(group)).map(|(_, weight)| weight).sum()
    };
    let all = weight(&Group::ALL);
    let travels = weight(&[Group::Disks, Group::MachineId]);
    let known = weight(&[Group::Disks, Group::MachineId, Group::Cpu]);
    let bound = (all * u32::from(policy.bound_permille)).div_ceil(1000).saturating_sub(laddered);
    let half = all.div_ceil(2);
    if known == all || travels + 1 > bound.max(half) {
        return None;
    }
    Some(half.max(travels + 1).max(bound.min(known + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: (Group, u32) = (Group::Board, 30);
    const B: (Group, u32) = (Group::Tpm, 30);
    const D: (Group, u32) = (Group::Disks, 20);
    const E: (Group, u32) = (Group::Network, 15);
    const F: (Group, u32) = (Group::Cpu, 5);
    const G: (Group, u32) = (Group::Chassis, 5);
    const H: (Group, u32) = (Group::MachineId, 5);
    const GUEST_CARD: (Group, u32) = (Group::Network, 10);

    #[test]
    fn half_of_a_usual_machine() {
        let policy = BindingPolicy::default();
        assert_eq!(needed(&[A, D, E, F, G, H], 3, &policy), Some(40));
        assert_eq!(needed(&[A, B, D, E, F, G, H], 3, &policy), Some(55));
        assert_eq!(needed(&[A, D, E, F, H], 3, &policy), Some(38), "37.5, and no half point");
        assert_eq!(needed(&[(Group::Virtual, 30), D, GUEST_CARD, F, H], 0, &policy), Some(35));
    }

    #[test]
    fn more_where_disks_and_machine_id_would_be_enough() {
        let policy = BindingPolicy::default();
        assert_eq!(needed(&[A, D, F, H], 1, &policy), Some(31), "half would be 30, and D, F and H are 30");
        assert_eq!(needed(&[D, E, F, H], 0, &policy), Some(31));
        assert_eq!(needed(&[D, E, F, G, H], 2, &policy), Some(31));
    }

    #[test]
    fn no_more_than_a_bound_machine_has() {
        let policy = BindingPolicy::default();
        assert_eq!(needed(&[D, GUEST_CARD, F, H], 0, &policy), Some(30), "75 % of 40");
        assert_eq!(needed(&[D, F, G, H], 0, &policy), Some(27), "75 % of 35");
    }

    #[test]
    fn b11_nothing_is_sealed_to_what_travels_with_its_disks() {
        let policy = BindingPolicy::default();
        assert_eq!(needed(&[], 0, &policy), None);
        assert_eq!(needed(&[D, F, H], 0, &policy), None);
        assert_eq!(
            needed(&[D, G, H], 0, &policy),
            None,
            "a new installation is bound, so D and H would have to do"
        );
        let heavy = [A, (Group::Disks, 200), H];
        assert_eq!(needed(&heavy, 0, &policy), None, "disks that are bound alone");
    }
}
