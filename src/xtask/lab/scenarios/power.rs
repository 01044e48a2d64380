//! The power fails at the worst moments of an exchange.

use super::{Scenario, Site};
use crate::lab::hardware::Hardware;
use crate::lab::wire::Wire;
use anyhow::{Result, ensure};

pub const ANSWERS_LOST: Scenario = Scenario {
    name: "power_cut_before_the_answer",
    rows: "P6 P7 P8 B15",
    shows: "the vendor has carried out an activation, then a return; the power fails before the answer comes",
    short: true,
    play: |site| play(site, Moment::AnswerOut),
};

pub const REQUESTS_LOST: Scenario = Scenario {
    name: "power_cut_after_the_request",
    rows: "P6 P7 P8 B2 B15",
    shows: "a request for an activation, then for a return, gets lost together with the power",
    short: false,
    play: |site| play(site, Moment::RequestOut),
};

pub const ANYWHERE: Scenario = Scenario {
    name: "power_cut_anywhere",
    rows: "P7 P8 B15 B16",
    shows: "the power fails at moments of no choice, in activations and returns that take turns",
    short: false,
    play: cut_anywhere,
};

/// When the power fails.
#[derive(Clone, Copy)]
enum Moment {
    /// The request has left the field server, and gets lost.
    RequestOut,
    /// The vendor has carried it out, and its answer gets lost.
    AnswerOut,
}

fn play(site: &mut Site<'_>, moment: Moment) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    let id = site.vendor.sell(&["--model", "perpetual"])?;
    site.is_online()?;

    site.say("the power fails during an activation");
    cut_during(site, &format!("landfast activate {id}"), moment, 10)?;
    site.boot(&server)?;
    settles(site)?;
    site.grants("licensed")?;
    site.is_whole()?;
    site.books_agree()?;
    ensure!(site.vendor.units_in_use()? == 10, "not activated: {:?}", site.vendor.licenses());
    ensure!(site.vendor.happened("activated")? == 1, "activated more than once");

    site.say("the power fails during a return");
    cut_during(site, "landfast return --all --yes", moment, 0)?;
    site.boot(&server)?;
    site.say("what is given back is gone at once, answer or not");
    ensure!(site.check()?["granted"] == false, "a return was forgotten");
    settles(site)?;
    ensure!(site.vendor.units_in_use()? == 0, "not returned: {:?}", site.vendor.licenses());
    ensure!(site.vendor.happened("returned")? == 1, "returned more than once");

    site.say("the license can be used again");
    site.activate(&id)?;
    site.grants("licensed").map(drop)
}

/// Cuts the power at that moment of a command; `units` are in use once the vendor has carried it out.
fn cut_during(site: &mut Site<'_>, command: &str, moment: Moment, units: u64) -> Result<()> {
    site.wire.becomes(match moment {
        Moment::RequestOut => Wire::LosesRequests,
        Moment::AnswerOut => Wire::LosesAnswers,
    });
    site.machine.start("command", command)?;
    site.eventually("the moment", |site| {
        let come = match moment {
            Moment::RequestOut => site.wire.lost_request(),
            Moment::AnswerOut => site.vendor.units_in_use()? == units,
        };
        Ok(come.then_some(()))
    })?;
    site.machine.power_cut()?;
    site.wire.becomes(Wire::Whole);
    Ok(())
}

/// Waits until nothing is on its way any more, without anybody's help.
fn settles(site: &mut Site<'_>) -> Result<()> {
    site.eventually("everything to be settled", |site| {
        let pending = site.landfast("pending")?.json()?;
        Ok(pending["pending"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })
}

/// Moments of a cut, in parts of a hundred of the time that the vendor needs to see the command through.
const MOMENTS: [u32; 8] = [60, 75, 85, 92, 97, 100, 105, 120];

fn cut_anywhere(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware::field_server();
    site.install(&server)?;
    let id = site.vendor.sell(&["--model", "perpetual"])?;
    let commands = [format!("landfast activate {id}"), "landfast return --all --yes".to_owned()];
    // Time is counted in looks at the vendor's books, so that it runs as fast as this host does.
    let mut needed = [0; 2];
    for (command, needed) in commands.iter().zip(&mut needed) {
        *needed = site.looks_until_done(command)?;
    }
    for moment in MOMENTS {
        site.is_online()?;
        let held = site.vendor.units_in_use()? > 0;
        let (word, command, needed) =
            if held { ("return", &commands[1], needed[1]) } else { ("activation", &commands[0], needed[0]) };
        site.machine.start("command", command)?;
        let mut looks = 0;
        site.eventually("the moment", |site| {
            looks += 1;
            site.vendor.units_in_use()?;
            Ok((looks > needed * moment / 100).then_some(()))
        })?;
        site.machine.power_cut()?;
        let before = if site.vendor.units_in_use()? > 0 { "in use" } else { "free" };
        site.boot(&server)?;
        settles(site)?;
        site.books_agree()?;
        let now = site.vendor.units_in_use()? > 0;
        let became = if now == held { "never began" } else { "was completed" };
        site.say(&format!("cut at {moment} %, {before} at the vendor: the {word} {became}"));
        ensure!(site.check()?["granted"] == now, "vendor and field server disagree");
    }
    Ok(())
}

impl Site<'_> {
    /// Runs a command that changes what is in use, and counts looks at the vendor's books until they show it.
    fn looks_until_done(&mut self, command: &str) -> Result<u32> {
        self.is_online()?;
        let before = self.vendor.units_in_use()?;
        let mut looks = 0;
        self.machine.start("command", command)?;
        self.eventually("the command", |site| {
            looks += 1;
            Ok((site.vendor.units_in_use()? != before).then_some(()))
        })?;
        settles(self)?;
        Ok(looks)
    }
}
