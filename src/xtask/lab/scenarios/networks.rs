//! Everything that containers, VPNs and administrators do to networks.

use super::{Scenario, Site};
use crate::lab::hardware::Hardware;
use anyhow::{Result, ensure};

pub const ADDED: Scenario = Scenario {
    name: "networks_added",
    rows: "P1",
    shows: "bridges, containers, VPNs, a bond, renamed cards and foreign addresses change nothing",
    short: true,
    play: add_networks,
};

pub const THOUSANDS: Scenario = Scenario {
    name: "thousands_of_interfaces",
    rows: "P1 P12",
    shows: "two thousand interfaces come and go: bound, and checks are answered all the while",
    short: false,
    play: add_thousands,
};

/// What is done, one after the other, with `$cards` the machine's own cards. Nothing is taken back in between.
const STEPS: [(&str, &str); 8] = [
    ("a bridge", "ip link add br0 type bridge && ip link set br0 up"),
    (
        "a container's network",
        "ip netns add box && ip link add veth0 type veth peer name veth1 && ip link set veth1 netns box && \
         ip link set veth0 master br0 up",
    ),
    ("a container manager's bridge", "ip link add docker0 address 02:42:ac:11:00:01 type bridge"),
    ("a VPN", "ip link add wg0 type wireguard && modprobe tun && ip tuntap add vpn0 mode tun"),
    ("a VLAN", "set -- $cards; ip link add link $1 name office.7 type vlan id 7"),
    ("a foreign address", "set -- $cards; ip link set $2 down; ip link set $2 address 00:00:5e:00:53:ee"),
    (
        "a bond of all cards",
        "ip link add bond0 type bond mode active-backup && for card in $cards; do \
         ip link set $card down && ip link set $card master bond0 || exit; done; ip link set bond0 master br0 up",
    ),
    (
        "other names",
        "for card in $cards; do ip link set $card down; ip link set $card name wan_$card || exit; done",
    ),
];

const CARDS: &str = "cards=$(ls -d /sys/class/net/*/device | cut -d/ -f5);";

fn add_networks(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    site.buy_and_activate()?;
    site.is_whole()?;
    for (what, command) in STEPS {
        site.say(what);
        site.machine.run(&format!("{CARDS} {command}"))?.ok()?;
        site.is_whole()?;
    }
    site.grants("licensed").map(drop)
}

fn add_thousands(site: &mut Site<'_>) -> Result<()> {
    site.install(&Hardware::field_server())?;
    site.buy_and_activate()?;
    site.say("two thousand interfaces");
    // The agent hears the kernel itself; what udev makes of it takes minutes where instructions are emulated.
    site.machine.run("udevadm control --stop-exec-queue")?.ok()?;
    site.machine.start(
        "storm",
        "seq 2000 | sed 's/.*/link add lab& type dummy/' >batch; ip -batch batch; echo end",
    )?;
    let mut checks = 0;
    site.eventually("the interfaces", |site| {
        site.grants("licensed")?;
        checks += 1;
        Ok(site.machine.run("cat /run/lab/storm")?.stdout.ends_with("end\n").then_some(()))
    })?;
    site.say(&format!("{checks} checks meanwhile"));
    let known = site.machine.run("ls /sys/class/net | grep -c '^lab'")?.stdout;
    ensure!(known.trim() == "2000", "there are {known} interfaces");
    site.is_whole()?;
    site.say("they go again");
    site.machine.run("modprobe -r dummy")?.ok()?;
    site.is_whole().map(drop)
}
