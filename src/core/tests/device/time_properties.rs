//! Licensing time over everything that happens to clocks, in any order.

use crate::support::{DAY, NOON};
use crate::time::Clocks;
use landfast_core::clock::JUMP;
use landfast_protocol::Timestamp;
use proptest::prelude::*;

const HOUR: i64 = 3600;
const A_DAY: i64 = DAY.cast_signed();

#[derive(Clone, Debug)]
enum Step {
    /// The machine runs, and nothing happens that is worth saving.
    Run(u64),
    Suspend(u64),
    /// Somebody moves the wall clock.
    Move(i64),
    /// It is switched off for so long, and the clock in it goes on, or begins in 1970.
    PowerOff {
        off: u64,
        battery: bool,
    },
    /// As before, without time to save anything.
    PowerCut {
        off: u64,
        battery: bool,
    },
    /// Somebody sets the clock while it is switched off.
    SetWhileOff(i64),
    TimeServer,
    Authority,
    /// A file is asked for, signed after so long and applied after so long again.
    File(u64, u64),
    /// A file that nobody asked for, signed so long ago.
    Renewal(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let offset = prop_oneof![
        Just(-HOUR),
        Just(HOUR),
        Just(-365 * A_DAY),
        Just(100 * A_DAY),
        -4000 * A_DAY..-HOUR,
        HOUR..4000 * A_DAY
    ];
    let off = 1..170 * DAY;
    let step = prop_oneof![
        4 => (1..3600u64).prop_map(Step::Run),
        2 => (1..10 * DAY).prop_map(Step::Suspend),
        3 => offset.clone().prop_map(Step::Move),
        2 => (off.clone(), any::<bool>()).prop_map(|(off, battery)| Step::PowerOff { off, battery }),
        1 => (off, any::<bool>()).prop_map(|(off, battery)| Step::PowerCut { off, battery }),
        1 => offset.prop_map(Step::SetWhileOff),
        1 => Just(Step::TimeServer),
        1 => Just(Step::Authority),
        1 => (0..30 * DAY, 0..30 * DAY).prop_map(|(there, back)| Step::File(there, back)),
        1 => (0..300 * DAY).prop_map(Step::Renewal),
    ];
    proptest::collection::vec(step, 1..60)
}

/// How far licensing time may be from true time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    /// No trusted source has spoken yet, or somebody set the clock while nobody could see it.
    Nothing,
    /// It is not ahead.
    NotAhead,
    /// It is right.
    Right,
}

struct Run {
    clocks: Clocks,
    known: Known,
    /// Nothing signed is younger.
    newest: u64,
}

impl Run {
    fn new(offset: i64) -> Self {
        Self { clocks: Clocks::new(offset, false), known: Known::Nothing, newest: 0 }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        // A power cut takes away what was not saved.
        let cut = matches!(step, Step::PowerCut { .. });
        let before = if cut { self.clocks.marked } else { self.clocks.time() };
        match *step {
            Step::Run(seconds) | Step::Suspend(seconds) => {
                self.clocks.pass(seconds);
                let ran = self.clocks.time().saturating_sub(before);
                prop_assert!(ran >= seconds, "frozen: {ran} of {seconds} s");
                if matches!(step, Step::Suspend(_)) {
                    self.clocks.save();
                }
            }
            Step::Move(by) => self.clocks.set(self.clocks.offset.saturating_add(by)),
            Step::PowerOff { off, battery } => {
                self.clocks.save();
                self.clocks.power_off(off, battery);
                self.was_off();
            }
            Step::PowerCut { off, battery } => {
                self.clocks.power_off(off, battery);
                self.was_off();
            }
            Step::SetWhileOff(by) => {
                self.clocks.save();
                self.clocks.offset = self.clocks.offset.saturating_add(by);
                self.clocks.power_off(60, true);
                self.known = Known::Nothing;
            }
            Step::TimeServer => {
                self.clocks.find_time_server();
                // A clock that ran ahead is corrected by the authority alone.
                if before <= self.clocks.real + JUMP.0 {
                    self.known = Known::Right;
                }
            }
            Step::Authority => {
                self.clocks.reach_authority();
                self.newest = self.clocks.real;
                let error = self.clocks.error().unsigned_abs();
                prop_assert!(error <= JUMP.0, "off by {error} s after the authority has spoken");
                self.known = Known::Right;
                return Ok(());
            }
            Step::File(there, back) => return self.carry(there, back),
            Step::Renewal(age) => {
                let issued = self.clocks.real.saturating_sub(age).max(self.newest);
                self.newest = issued;
                self.clocks.certify(issued, None);
            }
        }
        let time = self.clocks.time();
        prop_assert!(time >= before, "backwards from {before} to {time}");
        Ok(())
    }

    /// Set back only where the answer proves that licensing time was ahead.
    fn carry(&mut self, there: u64, back: u64) -> Result<(), TestCaseError> {
        let asked = self.clocks.time();
        self.clocks.pass(there);
        let issued = self.clocks.real;
        self.newest = issued;
        self.clocks.pass(back);
        let before = self.clocks.time();
        self.clocks.certify(issued, Some(Timestamp(asked)));
        let time = self.clocks.time();
        prop_assert!(time >= issued, "earlier than what was signed");
        if asked > issued + JUMP.0 {
            prop_assert!(time <= issued + back + there + JUMP.0, "{time} is ahead of {}", self.clocks.real);
            self.known = Known::NotAhead;
        } else {
            prop_assert!(time >= before, "set back from {before} to {time} without proof");
        }
        Ok(())
    }

    fn was_off(&mut self) {
        if self.known == Known::Right {
            self.known = Known::NotAhead;
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (error, most) = (self.clocks.error(), 2 * JUMP.0.cast_signed());
        match self.known {
            Known::Nothing => {}
            Known::NotAhead => prop_assert!(error <= most, "ahead by {error} s"),
            Known::Right => prop_assert!(error.abs() <= most, "off by {error} s"),
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn p5_b10_time_goes_forward_never_freezes_and_is_right_after_a_trusted_source(
        offset in prop_oneof![
            Just(0),
            Just(20 - NOON.0.cast_signed()),
            -4000 * A_DAY..4000 * A_DAY,
        ],
        steps in steps(),
    ) {
        let mut run = Run::new(offset);
        for step in &steps {
            run.take(step)?;
            run.check()?;
        }
        // All heals without a person, whatever happened.
        run.take(&Step::Authority)?;
        run.take(&Step::TimeServer)?;
        run.check()?;
        prop_assert!(run.clocks.error() >= 0 && run.clocks.base.trusts_wall(&run.clocks.now()));
    }
}
