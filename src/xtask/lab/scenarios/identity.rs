//! Machines whose identity comes from elsewhere: hypervisors, TPMs, and rights that get lost.

use super::{Scenario, Site};
use crate::lab::hardware::{Board, GUEST, Hardware};
use anyhow::{Result, ensure};

pub const CLONED: Scenario = Scenario {
    name: "guest_cloned",
    rows: "P2 P10",
    shows: "a guest's hypervisor turns the bytes of its UUID: bound; a clone with a new UUID and card: broken",
    short: false,
    play: clone_guest,
};

pub const UNREADABLE: Scenario = Scenario {
    name: "board_unreadable",
    rows: "B6 P12",
    shows: "the agent loses the right to read the board's numbers: bound by the rest",
    short: false,
    play: lose_rights,
};

pub const TPM: Scenario = Scenario {
    name: "tpm_present",
    rows: "B6",
    shows: "a machine with a TPM 2.0 keeps it and its binding across a reboot",
    short: false,
    play: keep_tpm,
};

fn clone_guest(site: &mut Site<'_>) -> Result<()> {
    let guest = Hardware::guest();
    site.install(&guest)?;
    site.buy_and_activate()?;
    site.is_whole()?;
    let turned = Board { uuid: "bb3c813d-fb47-ba42-91df-831e1593ac29", ..GUEST };
    site.reboot(&Hardware { board: turned, ..guest.clone() })?;
    site.is_whole()?;
    site.say("a clone");
    let cloned = Board { uuid: "0f6ad5b2-92be-4d0e-8d6a-51c0f2b9e3a7", ..GUEST };
    site.reboot(&Hardware { board: cloned, cards: vec!["52:54:00:5e:53:99"], ..guest })?;
    site.is("broken")?;
    site.grants("grace").map(drop)
}

fn lose_rights(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    site.buy_and_activate()?;
    site.is_whole()?;
    let unit = "/etc/systemd/system/landfastd.service.d";
    let lines = r"[Service]\nLoadCredential=\nSetCredential=\n";
    site.machine.run(&format!("mkdir -p {unit} && printf '{lines}' >{unit}/blind.conf"))?.ok()?;
    site.machine.run("systemctl daemon-reload && systemctl restart landfastd")?.ok()?;
    let binding = site.is("bound")?;
    let groups = binding["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let board = groups.iter().find(|group| group["group"] == "board");
    ensure!(board.is_some_and(|board| board["state"] == "unreadable"), "it can read the board: {binding}");
    site.grants("licensed").map(drop)
}

fn keep_tpm(site: &mut Site<'_>) -> Result<()> {
    let server = Hardware { tpm: true, ..Hardware::field_server() };
    site.install(&server)?;
    site.machine.run("test -c /dev/tpm0 && test -c /dev/tpmrm0")?.ok()?;
    site.buy_and_activate()?;
    site.is_whole()?;
    site.reboot(&server)?;
    site.is_whole().map(drop)
}
