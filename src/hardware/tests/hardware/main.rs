//! The crate from outside, in one binary.

#[cfg(test)]
mod command;
#[cfg(test)]
mod common;
#[cfg(test)]
mod dumps;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod p1;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod placeholders;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tpm;
#[cfg(test)]
mod verdicts;
