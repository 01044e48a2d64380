//! What the scenario tests, the demo and the benchmark share: the real programs, started on temporary directories
//! and ended again, and waiting for conditions with a deadline.

pub mod harness;
#[path = "simulation/mod.rs"]
pub mod simulation;
