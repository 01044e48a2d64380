//! Parts are exchanged while the machine runs.

use super::{Scenario, Site};
use crate::lab::hardware::{Hardware, SPARE_CARDS};
use crate::stopwatch::Stopwatch;
use anyhow::Result;

pub const SCENARIO: Scenario = Scenario {
    name: "hot_swap",
    rows: "D1 D3 P1 B6",
    shows: "cards are exchanged while it runs: bound; a disk as well: drifted, signalled; the next exchange binds anew",
    short: true,
    play,
};

fn play(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    site.buy_and_activate()?;
    site.is_whole()?;
    site.listens()?;

    site.say("one network card of two is exchanged");
    site.machine.swap_card(1, SPARE_CARDS[1])?;
    site.notices("network", "partial")?;
    site.is("bound")?;
    site.say("the other one too");
    site.machine.swap_card(0, SPARE_CARDS[0])?;
    site.notices("network", "changed")?;
    site.is("bound")?;

    site.say("and a disk");
    let begun = Stopwatch::start();
    site.machine.swap_data_disk("WX81A0000999")?;
    site.hears("drifted", &begun)?;
    site.is("drifted")?;
    site.grants("licensed")?;

    site.say("the next exchange, over the new card, binds to the new parts");
    let begun = Stopwatch::start();
    site.reclaim()?;
    site.hears("bound", &begun)?;
    site.is_whole().map(drop)
}
