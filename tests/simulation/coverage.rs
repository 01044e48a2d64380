//! How often each kind of thing happened. A simulation that never exercised something says nothing about it.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// Counts by what and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, &'static str), u64>,
}

impl Coverage {
    pub(crate) fn note(&mut self, what: &'static str, how: &'static str) {
        self.add(what, how, 1);
    }

    pub(crate) fn add(&mut self, what: &'static str, how: &'static str, times: u64) {
        if times > 0 {
            *self.counts.entry((what, how)).or_default() += times;
        }
    }

    /// Takes another's counts in.
    pub fn merge(&mut self, other: &Self) {
        for ((what, how), times) in &other.counts {
            self.add(what, how, *times);
        }
    }

    /// How often.
    #[must_use]
    pub fn of(&self, what: &'static str, how: &'static str) -> u64 {
        self.counts.get(&(what, how)).copied().unwrap_or(0)
    }

    /// How often, whatever the way.
    #[must_use]
    pub fn all(&self, what: &'static str) -> u64 {
        self.counts.iter().filter(|((of, _), _)| *of == what).map(|(_, times)| times).sum()
    }

    /// Which of `REQUIRED` never happened.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let happened = |what: &str, how: &str| self.counts.iter().any(|((w, h), _)| *w == what && *h == how);
        let rows = REQUIRED.iter().flat_map(|(what, ways)| ways.iter().map(move |how| (*what, *how)));
        rows.filter(|(what, how)| !happened(what, how)).map(|(what, how)| format!("{what}: {how}")).collect()
    }
}

impl Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for ((what, how), times) in &self.counts {
            if *what != group {
                write!(f, "{}  {what}: ", if group.is_empty() { "" } else { "\n" })?;
                group = what;
            } else {
                write!(f, ", ")?;
            }
            write!(f, "{how} {times}")?;
        }
        Ok(())
    }
}

const KILLED: &str = "killed before commit";
const COMMAND: &[&str] =
    &[KILLED, "killed before publish", "killed before send", "killed after send", "killed before reply"];

/// What a run has to exercise.
#[rustfmt::skip]
const REQUIRED: &[(&str, &[&str])] = &[
    ("activate", COMMAND),
    ("return", COMMAND),
    ("reclaim", COMMAND),
    ("plan change", &[KILLED, "killed before publish", "killed after send"]),
    ("planned change", &["open", "used", "told to the authority"]),
    ("import", &[KILLED, "killed before publish", "killed before reply", "killed after reply"]),
    ("start", &[KILLED, "killed before publish", "killed before send", "killed after send"]),
    ("evidence", &["killed before publish"]),
    ("command", &["activate", "activate all", "unknown id", "return", "return part", "return all", "cancel",
        "reclaim", "plan change", "overtaken"]),
    ("delivery", &["online", "file"]),
    ("authority", &["new", "repeated", "died before", "died after", "restarted", "reset", "update", "set back"]),
    ("answer", &["executed", "superseded", "on hold"]),
    ("request", &["overtaken", "delayed past a later one's answer", "lists as many as it can"]),
    ("result", &["done", "stale", "unknown_license", "no_units_left", "too_many_devices", "policy",
        "license_expired", "binding_broken", "too_little_evidence", "nothing_held"]),
    ("response", &["newer grant", "older grant", "older grant with results", "masked by a tombstone",
        "unsolicited", "again", "carried by hand", "with a caller"]),
    ("refused", &["another device's", "another issuer's", "damaged", "damaged request", "store full", "no address",
        "of a history that the authority lost", "of a history that the device lost"]),
    ("device", &["crashed", "lost power", "stopped", "restarted", "clock set", "disk full", "send failed", "woken",
        "restored from an image"]),
    ("binding", &["bound", "drifted", "broken", "indeterminate"]),
    ("moved", &["to another device"]),
    ("fork", &["none", "held", "resolved"]),
    ("settled", &["usable", "usable again after activation"]),
];
