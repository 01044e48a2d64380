//! Clocks that are set, wrong, or missing.

use super::{Scenario, Site};
use crate::lab::hardware::Hardware;
use crate::lab::site::clock;
use anyhow::{Result, ensure};

pub const WHILE_RUNNING: Scenario = Scenario {
    name: "clock_set_while_running",
    rows: "P5 B10",
    shows: "the clock is set back and on by an hour, a year, to 2038 and right again: nothing ends, nothing locks",
    short: true,
    play: set_while_running,
};

pub const ACROSS_BOOTS: Scenario = Scenario {
    name: "clock_wrong_at_boot",
    rows: "P5 B10",
    shows: "the same with a battery clock that is wrong at each boot, and right in the end",
    short: false,
    play: wrong_at_boot,
};

pub const EXPIRED: Scenario = Scenario {
    name: "expired_stays_expired",
    rows: "P5",
    shows: "a license has ended; the clock is set back, with and without a reboot: it stays so",
    short: false,
    play: stay_expired,
};

pub const MONTH_OFF: Scenario = Scenario {
    name: "off_for_a_month",
    rows: "P5 B10",
    shows: "switched off for a month a subscription ends; if only the clock said so, the vendor's time heals it",
    short: false,
    play: off_for_a_month,
};

pub const NO_BATTERY: Scenario = Scenario {
    name: "no_battery_clock",
    rows: "P5 B10 P12",
    shows: "each boot begins in 1970: activated all the same, granted, and licensing time goes on",
    short: false,
    play: without_battery,
};

pub const EXCHANGE: Scenario = Scenario {
    name: "exchange_with_a_wrong_clock",
    rows: "P5 B10",
    shows: "the clock is years off: the vendor is reached online all the same, and tells the time",
    short: false,
    play: exchange_all_the_same,
};

pub const CONFIRMED: Scenario = Scenario {
    name: "far_future_confirmed",
    rows: "P5 B10",
    shows: "a clock that is a year ahead at boot ends nothing, until a time daemon says that it is right",
    short: false,
    play: confirm_future,
};

pub const ASLEEP: Scenario = Scenario {
    name: "asleep",
    rows: "P5 B10",
    shows: "suspended to RAM and resumed: licensing time has gone on meanwhile",
    short: false,
    play: fall_asleep,
};

/// What the clock is set to, in the words of date(1); always from what it truly is.
const SETTINGS: [&str; 8] =
    ["1 hour ago", "now + 1 hour", "1 year ago", "now", "now + 1 year", "2038-01-20", "1 hour ago", "now"];

/// A subscription that has a month to go.
fn subscribe(site: &mut Site<'_>, until: &str) -> Result<()> {
    let id = site.vendor.sell(&["--model", "subscription", "--not-after", &format!("{}Z", clock(until)?)])?;
    site.activate(&id)
}

/// Licensing time has not gone back since `before`, and is not ahead of the true time.
fn time_is_sane(site: &mut Site<'_>, before: &mut String) -> Result<()> {
    let (time, limit) = (site.licensing_time()?, clock("now + 30 minutes")?);
    ensure!(time >= *before, "licensing time went back from {before} to {time}");
    ensure!(time < limit, "licensing time {time} believes a clock that is wrong");
    *before = time;
    Ok(())
}

fn set_while_running(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    subscribe(site, "now + 30 days")?;
    site.grants("licensed")?;
    let mut time = site.licensing_time()?;
    for setting in SETTINGS {
        site.say(&format!("the clock says: {setting}"));
        site.machine.run(&format!("date --utc --set {}Z", clock(setting)?))?.ok()?;
        site.grants("licensed")?;
        time_is_sane(site, &mut time)?;
    }
    site.reclaim()?;
    site.grants("licensed").map(drop)
}

fn wrong_at_boot(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    subscribe(site, "now + 30 days")?;
    let mut time = site.licensing_time()?;
    for setting in ["1 hour ago", "1 year ago", "now + 1 year", "2038-01-20", "now"] {
        site.say(&format!("the clock says at boot: {setting}"));
        site.reboot_at(&server, &clock(setting)?)?;
        site.grants("licensed")?;
        time_is_sane(site, &mut time)?;
    }
    site.reclaim()?;
    site.grants("licensed").map(drop)
}

fn stay_expired(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    subscribe(site, "now + 1 minute")?;
    site.eventually("the end of the license", |site| {
        Ok((site.check()?["reason"] == "expired").then_some(()))
    })?;
    for setting in ["1 hour ago", "1 year ago"] {
        site.say(&format!("the clock says: {setting}"));
        site.machine.run(&format!("date --utc --set {}Z", clock(setting)?))?.ok()?;
        site.denies("expired")?;
    }
    site.say("the clock says at boot: 1 hour ago");
    site.reboot_at(&server, &clock("1 hour ago")?)?;
    site.denies("expired").map(drop)
}

fn off_for_a_month(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    subscribe(site, "now + 10 days")?;
    site.grants("licensed")?;
    site.say("a month later, as far as the machine can know");
    site.reboot_at(&server, &clock("now + 31 days")?)?;
    site.denies("expired")?;
    site.say("the clock was wrong");
    site.reboot(&server)?;
    site.denies("expired")?;
    site.reclaim()?;
    site.grants("licensed").map(drop)
}

/// 1970: what a clock says that lost its power. systemd moves it on to its own age, which is the past all the same.
const DEAD: &str = "1970-01-01T00:00:10";

fn without_battery(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install_at(&server, DEAD)?;
    let mut time = String::new();
    subscribe(site, "now + 30 days")?;
    for boot in 0..3 {
        if boot > 0 {
            site.reboot_at(&server, DEAD)?;
        }
        let year = site.machine.run("date +%Y")?.ok()?;
        site.say(&format!("the machine thinks that it is {}", year.trim()));
        site.grants("licensed")?;
        time_is_sane(site, &mut time)?;
    }
    site.reclaim()
}

fn exchange_all_the_same(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    subscribe(site, "now + 30 days")?;
    let mut time = site.licensing_time()?;
    for setting in ["1 year ago", "2038-01-20"] {
        site.say(&format!("the clock says: {setting}"));
        site.machine.run(&format!("date --utc --set {}Z", clock(setting)?))?.ok()?;
        site.reclaim()?;
        site.grants("licensed")?;
        time_is_sane(site, &mut time)?;
    }
    Ok(())
}

fn confirm_future(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    subscribe(site, "now + 30 days")?;
    site.reboot_at(&server, &clock("now + 1 year")?)?;
    site.grants("licensed")?;
    site.say("the kernel is told what time daemons tell it: the clock is synchronised");
    site.machine.run("adjtimex --status 0 --maxerror 0 --esterror 0")?.ok()?;
    site.eventually("the license to end", |site| Ok((site.check()?["reason"] == "expired").then_some(())))?;
    site.say("it was not right after all");
    site.reboot(&server)?;
    site.reclaim()?;
    site.grants("licensed").map(drop)
}

/// How long it sleeps at least, in seconds: far more than anything else takes here by mistake.
const NAP: u32 = 45;

fn fall_asleep(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    subscribe(site, "now + 30 days")?;
    site.is_whole()?;
    let earliest = clock(&format!("now + {NAP} seconds"))?;
    site.machine.sleep()?;
    site.say("it sleeps");
    site.eventually("the end of the nap", |_| Ok((clock("now")? > earliest).then_some(())))?;
    site.machine.wake()?;
    let time = site.licensing_time()?;
    ensure!(time >= earliest, "licensing time is {time}, and slept with the machine: it is past {earliest}");
    site.grants("licensed")?;
    site.is_whole().map(drop)
}
