//! What z/Architecture says about its guests: `/proc/sysinfo` of s390 (`arch/s390/kernel/sysinfo.c`).
//!
//! It names each layer of virtualisation, from the machine over the partition (LPAR) to the guests: `VM00` is the innermost.

use crate::root::{OrMissing, ReadError, Root};

pub(crate) const FILE: &str = "proc/sysinfo";

/// The machine itself and its partition stand first, and then a few lines for each layer.
const LIMIT: usize = 32 * 1024;

/// Guests in guests: the architecture reports eight.
const LAYERS: usize = 8;

/// The lines of the file; none where this is no mainframe.
pub(crate) struct Mainframe {
    lines: Vec<(String, String)>,
}

impl Mainframe {
    pub(crate) fn read(root: &Root) -> Result<Option<Self>, ReadError> {
        let Some(bytes) = root.read_at_most(FILE, LIMIT).or_missing()? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let lines = lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_lowercase()));
        Ok(Some(Self { lines: lines.filter(|(_, value)| !value.is_empty()).collect() }))
    }

    /// A value in lower case.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.lines.iter().find(|(key, _)| key == field).map(|(_, value)| value.as_str())
    }

    /// What tells a guest that has no UUID from all others (z/VM gives none): the machine's own number, its partition,
    /// and the name of each guest down to this one. No part of it is enough: all guests share the number, and on another
    /// machine another guest may have the name. A guest that moves to another machine becomes another one by this.
    pub(crate) fn path_to_guest(&self) -> Option<String> {
        let machine = ["Type", "Plant", "Sequence Code", "LPAR Number"].map(|field| self.get(field));
        let [_, _, Some(_), _] = machine else { return None };
        self.get("VM00 Name")?;
        let names: Vec<String> = (0..LAYERS).rev().map(|layer| format!("VM{layer:02} Name")).collect();
        let guests = names.iter().filter_map(|name| self.get(name));
        Some(machine.into_iter().flatten().chain(guests).collect::<Vec<_>>().join("/"))
    }
}
