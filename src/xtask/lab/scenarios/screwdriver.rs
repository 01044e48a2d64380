//! Parts are exchanged while the machine is off.

use super::{Scenario, Site};
use crate::lab::hardware::{Board, FIELD_SERVER, Hardware, SPARE_BOARD, SPARE_CARDS};
use anyhow::{Result, ensure};

pub const DISK: Scenario = Scenario {
    name: "system_disk_cloned",
    rows: "D1 D3",
    shows: "the system moves to a new disk: bound, and the next exchange knows the new disk",
    short: false,
    play: clone_disk,
};

pub const NUMBERS: Scenario = Scenario {
    name: "board_numbers_replaced",
    rows: "D3 P12",
    shows: "UUID and serial numbers of the board are others: drifted and granted; the next exchange binds anew",
    short: false,
    play: replace_numbers,
};

pub const BOARD: Scenario = Scenario {
    name: "board_swapped",
    rows: "D3 P4 P12",
    shows: "another board with its cards, the disks kept: broken with grace; the old board makes it bound again",
    short: false,
    play: swap_board,
};

pub const EVERYTHING: Scenario = Scenario {
    name: "everything_replaced",
    rows: "D3 D8 P4 B3",
    shows: "board, cards and disks at once: broken with grace; a return works all the same",
    short: true,
    play: replace_everything,
};

pub const BYTE_ORDER: Scenario = Scenario {
    name: "uuid_byte_order",
    rows: "P2",
    shows: "the firmware tells the board's UUID in the other byte order: bound",
    short: false,
    play: turn_bytes,
};

/// The same UUID as older firmware tells it: the first three parts with their bytes turned round.
const TURNED: Board = Board { uuid: "10b8a76b-ad9d-1d4d-80b4-00c04fd430c8", ..FIELD_SERVER };

fn clone_disk(site: &mut Site<'_>) -> Result<()> {
    let server = commission(site)?;
    let server = Hardware { system_disk: "S6PXNM0T118820", ..server };
    site.reboot(&server)?;
    site.is("bound")?;
    site.grants("licensed")?;
    site.reclaim()?;
    site.is_whole().map(drop)
}

fn replace_numbers(site: &mut Site<'_>) -> Result<()> {
    let server = commission(site)?;
    site.reboot(&Hardware { board: SPARE_BOARD, ..server })?;
    site.is("drifted")?;
    site.grants("licensed")?;
    site.reclaim()?;
    site.is_whole().map(drop)
}

fn swap_board(site: &mut Site<'_>) -> Result<()> {
    let server = commission(site)?;
    site.reboot(&Hardware { board: SPARE_BOARD, cards: SPARE_CARDS.to_vec(), ..server.clone() })?;
    is_broken_with_grace(site)?;
    site.say("the old board comes back");
    site.reboot(&server)?;
    site.is_whole()?;
    site.grants("licensed").map(drop)
}

fn replace_everything(site: &mut Site<'_>) -> Result<()> {
    commission(site)?;
    let other = Hardware {
        board: Board { chassis_serial: "CH5530001", ..SPARE_BOARD },
        system_disk: "S6PXNM0T118820",
        data_disk: Some("WX81A0000999"),
        cards: SPARE_CARDS.to_vec(),
        ..Hardware::field_server()
    };
    site.reboot(&other)?;
    is_broken_with_grace(site)?;
    site.say("everything is given back");
    site.give_back()?;
    ensure!(site.vendor.units_in_use()? == 0, "the vendor still counts: {:?}", site.vendor.licenses());
    ensure!(site.check()?["granted"] == false, "it is still granted");
    Ok(())
}

fn turn_bytes(site: &mut Site<'_>) -> Result<()> {
    let server = commission(site)?;
    site.reboot(&Hardware { board: TURNED, ..server })?;
    site.is_whole()?;
    site.grants("licensed").map(drop)
}

/// A field server with a license, bound.
fn commission(site: &mut Site<'_>) -> Result<Hardware> {
    let server = Hardware::field_server();
    site.install(&server)?;
    site.buy_and_activate()?;
    site.is_whole()?;
    Ok(server)
}

fn is_broken_with_grace(site: &mut Site<'_>) -> Result<()> {
    let binding = site.is("broken")?;
    ensure!(binding["grace_until"].is_string(), "there is no grace: {binding}");
    let check = site.grants("grace")?;
    ensure!(check["until"].is_string() && check["advice"].is_string(), "it does not explain itself: {check}");
    Ok(())
}
