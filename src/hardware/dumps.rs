//! What other people recorded of their machines, read as the product reads a machine: for tests and for
//! `cargo xtask hwdata`. No program that is shipped has this feature.
//!
//! Each recording becomes a fake root below a temporary directory (`sys`, `proc`), and [`Collector`](crate::Collector)
//! looks at it: what a recording does not hold is unreadable or absent there, as it would be on a machine. What a file
//! is, its content says, never its name or place. Everything is bounded, and nothing that a recording says can lead out
//! of its directory.
//!
//! [`Folder::read`] loads every recording below a directory, [`Survey::of`] holds all of them against each other.

mod archive;
mod dmidecode;
mod facts;
mod fake_root;
mod folder;
mod format;
mod pairs;
mod same;
mod smbios;
mod survey;
mod text;
mod ttar;
mod udev;

pub use folder::{Folder, Machine, Note};
pub use pairs::PairRow;
pub use survey::{FalseAccept, JudgedPair, Survey};
