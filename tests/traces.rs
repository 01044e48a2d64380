//! The traces of the model's ablations, each as a script over the real core and the real domain.
//!
//! The model of the exchange takes one repair of the design away at a time and shows, as a shortest trace, what
//! the repair is for. Here the same steps happen to the design as it stands: every invariant is checked after
//! every step, and each test says what the ablation got wrong. Tests are named after the model's runs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "traces/answers.rs"]
mod answers;
#[path = "traces/crashes.rs"]
mod crashes;
#[path = "traces/forks.rs"]
mod forks;
#[path = "traces/instances.rs"]
mod instances;
#[path = "traces/operations.rs"]
mod operations;
#[path = "traces/script.rs"]
mod script;
#[path = "traces/tombstones.rs"]
mod tombstones;
