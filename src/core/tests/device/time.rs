//! Licensing time: never backwards, never frozen, healed by a trusted source.

use crate::support::{DAY, NOON};
use landfast_core::clock::TimeBase;
use landfast_core::{BootId, Moment};
use landfast_protocol::{Duration, Timestamp};
use proptest::prelude::*;

const MAX_OFF: Duration = Duration::days(180);

fn moment(wall: u64, boot: u64, boot_id: u8, synchronized: bool) -> Moment {
    Moment { wall: Timestamp(wall), boot: Duration(boot), boot_id: BootId([boot_id; 16]), synchronized }
}

#[test]
fn p5_a_clock_set_back_revives_nothing() {
    let base = TimeBase::first(&moment(NOON.0, 100, 1, false));
    let later = moment(NOON.0 - 365 * DAY, 200, 1, false);
    assert_eq!(base.now(&later), Timestamp(NOON.0 + 100));
    let rebooted = base.advance(&moment(NOON.0 - 365 * DAY, 10, 2, false), MAX_OFF);
    assert_eq!(rebooted.now(&moment(NOON.0 - 365 * DAY, 60, 2, false)), Timestamp(NOON.0 + 60));
}

#[test]
fn p5_a_jump_forward_waits_for_a_trusted_source() {
    let base = TimeBase::first(&moment(NOON.0, 100, 1, false));
    let jumped = moment(NOON.0 + 4000 * DAY, 200, 1, false);
    assert!(!base.trusts_wall(&jumped));
    assert_eq!(base.now(&jumped), Timestamp(NOON.0 + 100));
    let marked = base.advance(&jumped, MAX_OFF);
    let back = moment(NOON.0 + 300, 400, 1, false);
    assert!(marked.trusts_wall(&back), "the clock is right again, nobody has to intervene");
    let synchronized = moment(NOON.0 + 4000 * DAY + 300, 500, 1, true);
    assert_eq!(marked.now(&synchronized), synchronized.wall);
}

#[test]
fn p5_a_machine_that_was_off_for_a_month_believes_its_clock_and_one_from_2038_does_not() {
    let base = TimeBase::first(&moment(NOON.0, 100, 1, false));
    let month = moment(NOON.0 + 30 * DAY, 20, 2, false);
    assert_eq!(base.advance(&month, MAX_OFF).now(&month), month.wall);
    let far = moment(NOON.0 + 4000 * DAY, 20, 2, false);
    let waiting = base.advance(&far, MAX_OFF);
    assert_eq!(waiting.now(&far), Timestamp(NOON.0 + 20));
    let certified = waiting.certify(Timestamp(NOON.0 + 4000 * DAY), &moment(far.wall.0 + 50, 70, 2, false));
    assert_eq!(certified.now(&moment(far.wall.0 + 60, 80, 2, false)), Timestamp(far.wall.0 + 60));
}

#[test]
fn b10_a_newer_authority_time_corrects_a_clock_that_ran_ahead() {
    let base = TimeBase::first(&moment(NOON.0 + 100 * DAY, 100, 1, false));
    let now = moment(NOON.0 + 100 * DAY + 10, 110, 1, false);
    // The wall clock was believed, so the authority alone does not overrule it while it is believed; once it is
    // set right, licensing time follows.
    let certified = base.certify(NOON, &now);
    let set_right = moment(NOON.0 + 20, 120, 1, false);
    assert_eq!(certified.now(&now), now.wall);
    let renewed = certified.certify(Timestamp(NOON.0 + 15), &set_right);
    assert_eq!(renewed.now(&set_right), set_right.wall);
}

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    SetWall(i64),
    Reboot { off: u64 },
    Synchronize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..10 * DAY).prop_map(Step::Run),
        2 => (-4000 * DAY as i64..4000 * DAY as i64).prop_map(Step::SetWall),
        2 => (0..400 * DAY).prop_map(|off| Step::Reboot { off }),
        1 => Just(Step::Synchronize),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #[test]
    fn p5_licensing_time_never_runs_backwards_and_never_freezes(steps in steps()) {
        let start = NOON.0 + 5000 * DAY;
        let (mut real, mut offset, mut boot, mut boot_id) = (start, 0i64, 100u64, 1u8);
        let wall = |real: u64, offset: i64| real.saturating_add_signed(offset);
        let mut base = TimeBase::first(&moment(start, boot, boot_id, true));
        let mut last = base.now(&moment(start, boot, boot_id, true));
        for step in steps {
            let mut synchronized = false;
            let mut ran = 0;
            match step {
                Step::Run(seconds) => { real += seconds; boot += seconds; ran = seconds; }
                Step::SetWall(by) => offset = by,
                Step::Reboot { off } => { real += off; boot = 5; boot_id = boot_id.wrapping_add(1); }
                Step::Synchronize => { offset = 0; synchronized = true; }
            }
            let now = moment(wall(real, offset), boot, boot_id, synchronized);
            base = base.advance(&now, MAX_OFF);
            let time = base.now(&now);
            prop_assert!(time >= last, "{time:?} < {last:?}");
            prop_assert!(time.0 - last.0 >= ran, "frozen");
            prop_assert!(!synchronized || time >= now.wall);
            last = time;
        }
    }
}
