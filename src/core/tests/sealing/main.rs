//! Secrets sealed to a machine, and what becomes of the machine.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod hostile;
mod machine;
mod properties;
mod rows;
mod words;
