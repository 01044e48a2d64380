//! Group E: permanent MAC addresses of the network cards that are part of the machine.
//!
//! Names and addresses in use prove nothing: interfaces are renamed, bridged, enslaved and given other addresses. What
//! counts is where the kernel says that the interface comes from.

use crate::external;
use crate::mac::{MacAddress, MacError, MacSource};
use crate::placeholder::{self, Kind};
use crate::root::{OrMissing, ReadError, Root, shown};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{FactorReading, Identity, Ignored, Reading};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "sys/class/net";

/// How many interfaces with hardware behind them are looked at.
const LIMIT: usize = 4096;

/// `ARPHRD_ETHER` of `include/uapi/linux/if_arp.h`.
const ETHERNET: &str = "1";

/// The network cards of one machine.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) factors: Vec<FactorReading>,
    pub(crate) ignored: Vec<Ignored>,
    /// Some interface has hardware behind it, whether or not it counts.
    pub(crate) has_hardware: bool,
}

impl Network {
    pub(crate) fn read(root: &Root, macs: &dyn MacSource, virtual_machine: bool) -> Self {
        let mut network = Self::default();
        let names = match root.list(DIRECTORY) {
            Ok(names) => names,
            // The kernel has this directory even where it is empty.
            Err(error) => {
                network.factors.push(card("network", error.reading()));
                return network;
            }
        };
        let cards = network.accept(root, &names);
        let mut answers = macs.permanent(&cards);
        let mut taken = BTreeMap::new();
        for name in cards {
            let answer = answers.remove(&name).unwrap_or(Err(MacError::Vanished));
            match verdict(answer, virtual_machine) {
                Ok(reading) => network.add(name, reading, &mut taken),
                Err(reason) => network.ignore(&name, reason),
            }
        }
        if network.factors.is_empty() {
            network.factors.push(card("network", Reading::Absent));
        }
        network
    }

    /// Names of the interfaces that are built-in cards.
    fn accept(&mut self, root: &Root, names: &[impl AsRef<OsStr>]) -> Vec<String> {
        let mut cards = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            match self.judge(root, Path::new(DIRECTORY).join(name)) {
                Err(error) => self.factors.push(card(&shown(name), error.reading())),
                Ok(Judged::NoInterface) => {}
                Ok(Judged::Ignored(reason)) => self.ignore(&shown(name), reason),
                Ok(Judged::Card) if cards.len() < LIMIT => cards.push(shown(name)),
                Ok(Judged::Card) => self.ignore(&shown(name), format!("only {LIMIT} cards are looked at")),
            }
        }
        cards
    }

    fn judge(&mut self, root: &Root, path: PathBuf) -> Result<Judged, ReadError> {
        // `bonding_masters` is a file; what vanished in the meantime is no news.
        let Some(place) = root.canonical(path).or_missing()? else { return Ok(Judged::NoInterface) };
        let is_virtual = place.starts_with("sys/devices/virtual");
        if !is_virtual && !root.is_directory(&place) {
            return Ok(Judged::NoInterface);
        }
        self.has_hardware |= !is_virtual;
        Ok(rejection(root, &place, is_virtual)?.map_or(Judged::Card, Judged::Ignored))
    }

    fn add(&mut self, name: String, reading: Reading, taken: &mut BTreeMap<Identity, String>) {
        if let Reading::Present(identity) = &reading {
            // Ports of one switch, and the fast path beside a virtual card, share an address.
            if let Some(first) = taken.get(identity) {
                let reason = format!("it has the address of {first}");
                return self.ignore(&name, reason);
            }
            taken.insert(identity.clone(), name.clone());
        }
        self.factors.push(card(&name, reading));
    }

    fn ignore(&mut self, name: &str, reason: impl Into<String>) {
        self.ignored.push(Ignored { source: name.to_owned(), reason: reason.into() });
    }
}

/// What one name stands for.
enum Judged {
    NoInterface,
    /// An interface that does not count, and why.
    Ignored(String),
    Card,
}

fn card(name: &str, reading: Reading) -> FactorReading {
    FactorReading { factor: Factor::NetworkCard, source: name.to_owned(), primary: false, reading }
}

/// Why an interface is not a built-in card. An error where that cannot be found out: it may be one.
fn rejection(root: &Root, place: &Path, is_virtual: bool) -> Result<Option<String>, ReadError> {
    let because = |reason: &str| Ok(Some(reason.to_owned()));
    if is_virtual {
        let kind = root.read(place.join("uevent")).ok().and_then(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(|kind| shown(kind.as_ref()))
        });
        return Ok(Some(match kind {
            Some(kind) => format!("it is a virtual interface ({kind})"),
            None => "it is a virtual interface".to_owned(),
        }));
    }
    if !root.exists(place.join("device")) {
        return because("there is no hardware behind it");
    }
    match root.text(place.join("type")).or_missing()? {
        Some(kind) if kind == ETHERNET => {}
        Some(kind) => return Ok(Some(format!("it is not Ethernet (type {})", shown(kind.as_ref())))),
        None => return because("its type is not known"),
    }
    if root.exists(place.join("device/physfn")) {
        return because("it is a virtual function of another card");
    }
    if external::is_usb(place) && !external::is_built_in_usb(root, place)? {
        return because("it hangs on USB and is not marked as built in");
    }
    if external::is_plugged_in(root, place)? {
        return because("it was plugged in from outside");
    }
    Ok(None)
}

/// What a permanent address is worth, or why it does not count.
fn verdict(
    answer: Result<Option<MacAddress>, MacError>,
    virtual_machine: bool,
) -> Result<Reading, &'static str> {
    let mac = match answer {
        Ok(Some(mac)) => mac,
        Ok(None) => return Err("it has no permanent address"),
        Err(error) => {
            return Ok(Reading::Unreadable(format!(
                "{error}, so this card counts neither for nor against this machine"
            )));
        }
    };
    let reading = placeholder::judge(Kind::Mac, mac.to_string());
    if matches!(reading, Reading::Placeholder(_)) {
        Ok(reading)
    } else if mac.is_multicast() {
        Err("its permanent address is a multicast address")
    } else if mac.is_locally_administered() && !virtual_machine {
        // Hypervisors assign such addresses for good; on a board they are made up anew at each boot.
        Err("its permanent address is locally administered, and so not the manufacturer's")
    } else {
        Ok(reading)
    }
}
