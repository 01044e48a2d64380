//! What a recording says about its machine beside what the fingerprint takes: names of models, and serial numbers of
//! memory modules. They tell whether two recordings can be of one machine.

use super::smbios::DIRECTORY;
use crate::placeholder::{Kind, is_placeholder};
use crate::root::Root;
use std::collections::{BTreeMap, BTreeSet};

/// Names of the board's model. They say more than those of the system, which firmware for another brand changes on the
/// same board; and the BIOS is left out, because it is updated.
const BOARD: [&str; 3] = ["board_vendor", "board_name", "board_version"];
/// Names of the system's model.
const SYSTEM: [&str; 4] = ["sys_vendor", "product_name", "product_version", "product_family"];

/// What is said beside the fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Only letters and digits, in lower case: programs spell blanks and marks in different ways.
    names: BTreeMap<&'static str, String>,
    modules: BTreeSet<String>,
}

impl Facts {
    pub(super) fn read(root: &Root, modules: &[String]) -> Self {
        let stated = |text: &str| {
            let text = text.trim().to_lowercase();
            let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            (!is_placeholder(Kind::Text, &text) && !plain.is_empty()).then_some(plain)
        };
        let name = |field: &&'static str| {
            let text = root.text(format!("{DIRECTORY}/{field}")).ok()?;
            Some((*field, stated(&text)?))
        };
        // "SerNum0", "A1_SerNum0": the slot's number where the module's should be.
        let modules = modules.iter().filter_map(|text| stated(text)).filter(|text| !text.contains("sernum"));
        Self { names: BOARD.iter().chain(&SYSTEM).filter_map(name).collect(), modules: modules.collect() }
    }

    /// Both say something about the same thing, and not the same.
    pub(super) fn contradict(&self, other: &Self) -> bool {
        let exchanged =
            !self.modules.is_empty() && !other.modules.is_empty() && self.modules.is_disjoint(&other.modules);
        let both = |field: &&&str| self.names.contains_key(**field) && other.names.contains_key(**field);
        let fields: &[&str] = if BOARD.iter().filter(both).count() > 1 { &BOARD } else { &SYSTEM };
        exchanged || fields.iter().filter(both).any(|field| self.names.get(field) != other.names.get(field))
    }
}
