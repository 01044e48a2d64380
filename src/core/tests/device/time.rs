//! Licensing time: never backwards, never frozen, healed by a trusted source.

use crate::support::*;
use landfast_core::clock::{JUMP, SignedTime, TimeBase};
use landfast_core::event::{Carrier, Event};
use landfast_core::{BootId, Moment};
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::Request;
use landfast_protocol::{Duration, Timestamp};

const MAX_OFF: Duration = Duration::days(180);
const HOUR: u64 = 3600;
const YEAR: u64 = 365 * DAY;
const YEAR_2038: Timestamp = Timestamp(2_147_483_647);

/// A field server with its clocks, and a device that keeps licensing time on it.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// True time.
    pub real: u64,
    /// The wall clock less true time.
    pub offset: i64,
    pub boot: u64,
    pub boot_id: u8,
    pub synchronized: bool,
    pub base: TimeBase,
    /// Licensing time when it was last made durable.
    pub marked: u64,
}

impl Clocks {
    /// A new device at [`NOON`].
    pub fn new(offset: i64, synchronized: bool) -> Self {
        let now = moment(NOON.0.saturating_add_signed(offset), 100, 1, synchronized);
        let base = TimeBase::first(&now);
        Self { real: NOON.0, offset, boot: 100, boot_id: 1, synchronized, base, marked: now.wall.0 }
    }

    pub fn now(&self) -> Moment {
        moment(self.real.saturating_add_signed(self.offset), self.boot, self.boot_id, self.synchronized)
    }

    pub fn time(&self) -> u64 {
        self.base.now(&self.now()).0
    }

    /// Licensing time less true time.
    pub fn error(&self) -> i64 {
        self.time().cast_signed() - self.real.cast_signed()
    }

    pub fn save(&mut self) {
        self.base = self.base.advance(&self.now(), MAX_OFF);
        self.marked = self.time();
    }

    /// The machine runs, or is suspended: its boot clock counts both.
    pub fn pass(&mut self, seconds: u64) {
        self.real += seconds;
        self.boot += seconds;
    }

    /// Somebody sets the wall clock so far away from true time.
    pub fn set(&mut self, offset: i64) {
        (self.offset, self.synchronized) = (offset, false);
        self.save();
    }

    pub fn set_to(&mut self, wall: Timestamp) {
        self.set(wall.0.cast_signed() - self.real.cast_signed());
    }

    pub fn find_time_server(&mut self) {
        (self.offset, self.synchronized) = (0, true);
        self.save();
    }

    /// The power is off for so long. The clock in the machine goes on, if it has a battery.
    pub fn power_off(&mut self, seconds: u64, battery: bool) {
        self.real += seconds;
        (self.boot, self.boot_id, self.synchronized) = (20, self.boot_id.wrapping_add(1), false);
        if !battery {
            self.offset = 20 - self.real.cast_signed();
        }
        self.save();
    }

    pub fn reboot(&mut self) {
        self.power_off(60, true);
    }

    /// The authority answers at once.
    pub fn reach_authority(&mut self) {
        let asked_at = Some(Timestamp(self.time()));
        self.pass(1);
        self.certify(self.real, asked_at);
    }

    pub fn certify(&mut self, issued_at: u64, asked_at: Option<Timestamp>) {
        let signed = SignedTime { issued_at: Timestamp(issued_at), asked_at };
        self.base = self.base.certify(signed, &self.now());
        self.marked = self.time();
    }
}

fn moment(wall: u64, boot: u64, boot_id: u8, synchronized: bool) -> Moment {
    Moment { wall: Timestamp(wall), boot: Duration(boot), boot_id: BootId([boot_id; 16]), synchronized }
}

#[test]
fn p5_set_back_by_an_hour_and_by_a_year_changes_nothing() {
    for back in [HOUR, YEAR] {
        let mut clocks = Clocks::new(0, false);
        clocks.set(-back.cast_signed());
        clocks.pass(DAY);
        assert_eq!(clocks.error(), 0, "set back by {back} s");
        clocks.save();
        clocks.power_off(DAY, true);
        // It is not known whether the clock was set right meanwhile; what is taken never runs ahead.
        assert!((-back.cast_signed()..=0).contains(&clocks.error()), "{}", clocks.error());
        clocks.find_time_server();
        assert_eq!(clocks.error(), 0);
    }
}

#[test]
fn p5_set_forward_to_2038_and_back_within_one_boot_changes_nothing() {
    let mut clocks = Clocks::new(0, false);
    clocks.set_to(YEAR_2038);
    clocks.pass(DAY);
    assert!(!clocks.base.trusts_wall(&clocks.now()));
    assert_eq!(clocks.error(), 0);
    clocks.save();
    clocks.set(0);
    assert!(clocks.base.trusts_wall(&clocks.now()), "the clock is right again, nobody has to intervene");
    clocks.pass(DAY);
    assert_eq!(clocks.error(), 0);
}

#[test]
fn p5_set_forward_and_rebooted_and_set_back_changes_nothing() {
    let forward = [YEAR_2038, Timestamp(NOON.0 + 100 * DAY), Timestamp(NOON.0 + HOUR)];
    for wall in forward {
        let mut clocks = Clocks::new(0, false);
        clocks.set_to(wall);
        clocks.pass(HOUR);
        clocks.save();
        clocks.reboot();
        assert_eq!(clocks.error(), 0, "the clock tells how long it was off, though it is wrong: {wall:?}");
        assert!(!clocks.base.trusts_wall(&clocks.now()));
        clocks.pass(DAY);
        clocks.set(0);
        clocks.pass(DAY);
        assert_eq!(clocks.error(), 0);
        clocks.save();
        clocks.reboot();
        assert_eq!(clocks.error(), 0);
        assert!(clocks.base.trusts_wall(&clocks.now()));
    }
}

#[test]
fn p5_set_forward_while_it_was_off_is_believed_up_to_a_limit_and_healed_by_the_authority() {
    let mut clocks = Clocks::new(0, false);
    clocks.offset = 2000 * DAY.cast_signed();
    clocks.reboot();
    assert_eq!(clocks.error(), -60 + 20, "nothing expires by it");
    let mut clocks = Clocks::new(0, false);
    clocks.offset = 100 * DAY.cast_signed();
    clocks.reboot();
    assert_eq!(clocks.error(), 100 * DAY.cast_signed(), "it may have been off for so long");
    clocks.reach_authority();
    assert_eq!(clocks.error(), 0);
    clocks.save();
    clocks.reboot();
    assert_eq!(clocks.error(), 0, "and it is not believed again");
}

#[test]
fn p5_off_for_a_month() {
    let mut clocks = Clocks::new(0, false);
    clocks.power_off(30 * DAY, true);
    assert_eq!(clocks.error(), 0);
    assert!(clocks.base.trusts_wall(&clocks.now()));
}

#[test]
fn p5_a_board_without_a_battery_boots_in_1970() {
    let mut clocks = Clocks::new(20 - NOON.0.cast_signed(), false);
    assert_eq!(clocks.time(), 20);
    clocks.find_time_server();
    assert_eq!(clocks.error(), 0);
    clocks.pass(DAY);
    clocks.save();
    let before = clocks.time();
    clocks.power_off(30 * DAY, false);
    assert_eq!(clocks.time(), before + 20, "it goes on where it was");
    clocks.pass(DAY);
    assert_eq!(clocks.time(), before + DAY + 20);
    let mut offline = clocks.clone();
    clocks.find_time_server();
    assert_eq!(clocks.error(), 0);
    offline.reach_authority();
    assert_eq!(offline.error(), 0);
    offline.pass(DAY);
    assert_eq!(offline.error(), 0);
}

#[test]
fn p5_suspend_and_resume() {
    let mut clocks = Clocks::new(0, false);
    let before = clocks.time();
    clocks.pass(3 * DAY);
    assert_eq!(clocks.time(), before + 3 * DAY, "the boot clock counts the time of a suspended machine");
    clocks.set(-YEAR.cast_signed());
    clocks.pass(3 * DAY);
    assert_eq!(clocks.error(), 0);
}

#[test]
fn b10_a_wrong_clock_at_the_first_start_is_corrected_by_the_first_answer() {
    for years in [4, 1] {
        let mut clocks = Clocks::new((years * YEAR).cast_signed(), false);
        clocks.pass(DAY);
        clocks.reach_authority();
        assert_eq!(clocks.error(), 0);
        assert!(!clocks.base.trusts_wall(&clocks.now()), "the clock is wrong");
        clocks.pass(DAY);
        clocks.save();
        clocks.reboot();
        assert_eq!(clocks.error(), 0, "still wrong after a reboot");
        clocks.reach_authority();
        assert_eq!(clocks.error(), 0);
        clocks.find_time_server();
        assert!(clocks.base.trusts_wall(&clocks.now()));
        assert_eq!(clocks.error(), 0);
    }
}

#[test]
fn b10_a_file_carried_for_days_does_not_set_a_right_clock_back() {
    for (trusted, wall) in [(true, 0), (false, 3000 * DAY.cast_signed())] {
        let mut clocks = Clocks::new(0, false);
        clocks.set(wall);
        let asked = Timestamp(clocks.time());
        clocks.pass(2 * DAY);
        let issued = clocks.real;
        clocks.pass(3 * DAY);
        clocks.certify(issued, Some(asked));
        assert_eq!(clocks.error(), 0);
        assert_eq!(clocks.base.trusts_wall(&clocks.now()), trusted);
    }
}

#[test]
fn b10_a_carried_file_corrects_a_clock_that_it_proves_to_be_ahead() {
    let mut clocks = Clocks::new((4 * YEAR).cast_signed(), false);
    let asked = Timestamp(clocks.time());
    clocks.pass(DAY);
    clocks.save();
    clocks.reboot();
    let issued = clocks.real;
    clocks.pass(DAY);
    clocks.certify(issued, Some(asked));
    assert_eq!(clocks.time(), issued, "nothing later is certain");
    assert!(!clocks.base.trusts_wall(&clocks.now()));
    clocks.pass(DAY);
    assert_eq!(clocks.time(), issued + DAY);
}

#[test]
fn b10_a_file_that_nobody_asked_for_bounds_from_below_only() {
    let mut clocks = Clocks::new(0, false);
    clocks.certify(NOON.0 - 30 * DAY, None);
    assert_eq!(clocks.error(), 0);
    assert!(clocks.base.trusts_wall(&clocks.now()));
    clocks.certify(NOON.0 + DAY, None);
    assert_eq!(clocks.time(), NOON.0 + DAY, "the clock is behind what was signed");
    assert!(!clocks.base.trusts_wall(&clocks.now()));
}

#[test]
fn b10_a_clock_that_agrees_with_an_answer_is_believed_again() {
    let mut clocks = Clocks::new(0, false);
    clocks.set(10 * DAY.cast_signed());
    clocks.reboot();
    clocks.set(0);
    assert!(!clocks.base.trusts_wall(&clocks.now()));
    clocks.reach_authority();
    assert!(clocks.base.trusts_wall(&clocks.now()));
    clocks.set(2 * JUMP.0.cast_signed());
    assert!(!clocks.base.trusts_wall(&clocks.now()));
}

/// A device whose only license ends 100 days after [`NOON`], on a clock that is not synchronised.
fn with_a_term(wall: Timestamp) -> (Issuer, Device) {
    let mut issuer = Issuer::new();
    let mut device = Device::unsynchronized(&issuer, wall);
    let request = device.activate(1);
    let mut term = token(1, "points", 10);
    term.not_after = Some(Timestamp(NOON.0 + 100 * DAY));
    issuer.tokens = vec![term];
    let answer = issuer.answer(&request, Outcome::Done, NOON);
    device.import(answer);
    (issuer, device)
}

#[test]
fn b10_a_new_device_in_the_wrong_year_is_granted_what_it_bought() {
    let (mut issuer, mut device) = with_a_term(Timestamp(NOON.0 + 4 * YEAR));
    assert_eq!(device.check("points", 1).reason, "licensed");
    assert!(device.machine.view(&device.now).alerts.iter().any(|alert| alert.code == "clock_untrusted"));
    // What the device noted by the wrong time is not waited for.
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    let until = device.check("points", 1).until.unwrap();
    assert!(until.since(NOON) <= Duration(14 * DAY + 10), "{until:?}");
    device.pass(HOUR);
    device.handle(Event::Wake);
    assert_eq!(device.machine.view(&device.now).contact.last_answer, Some(NOON));
    let request = device.activate(2);
    let answer = issuer.answer(&request, Outcome::Done, Timestamp(NOON.0 + HOUR));
    device.import(answer);
    assert_eq!(device.machine.view(&device.now).time.now(&device.now), Timestamp(NOON.0 + HOUR));
}

#[test]
fn b10_a_break_that_was_seen_in_the_wrong_year_has_its_grace_from_now() {
    let (mut issuer, mut device) = with_a_term(NOON);
    // Off, and set forward by 90 days: that is believed.
    device.now.wall = Timestamp(NOON.0 + 90 * DAY);
    (device.now.boot, device.now.boot_id) = (Duration(20), BootId([2; 16]));
    device.restart(issuer.settings());
    device.handle(Event::Evidence(server("other board", "other disk", "other card")));
    assert_eq!(device.check("points", 1).until, Some(Timestamp(NOON.0 + 100 * DAY)));
    let request = device.activate(2);
    issuer.position.sequence += 1;
    let opened = Request::open(&request).unwrap();
    let grant = issuer.grant(opened.key.device(), Some(&opened), NOON);
    let bytes = issuer.respond(
        &opened,
        landfast_protocol::response::Disposition::Executed,
        Outcome::Done,
        grant,
        NOON,
    );
    device.handle(Event::Response { ticket: None, bytes, carrier: Carrier::Online });
    assert_eq!(device.check("points", 1).until, Some(Timestamp(NOON.0 + 14 * DAY)));
}

#[test]
fn p5_nothing_expired_revives() {
    let (issuer, mut device) = with_a_term(NOON);
    device.pass(101 * DAY);
    assert_eq!(device.check("points", 1).reason, "expired");
    let right = device.now.wall;
    let expired = |device: &mut Device| {
        device.handle(Event::Wake);
        assert_eq!(device.check("points", 1).reason, "expired", "{:?}", device.now);
    };
    let walls = [right.0 - HOUR, right.0 - YEAR, 20, YEAR_2038.0, right.0 + 100 * DAY, right.0];
    for (turn, wall) in walls.into_iter().enumerate() {
        device.now.wall = Timestamp(wall);
        expired(&mut device);
        device.pass(HOUR);
        expired(&mut device);
        device.handle(Event::Shutdown);
        device.now.boot_id = BootId([10 + u8::try_from(turn).unwrap(); 16]);
        device.now.boot = Duration(20);
        device.restart(issuer.settings());
        expired(&mut device);
    }
    device.now.synchronized = true;
    device.now.wall = right;
    expired(&mut device);
}
