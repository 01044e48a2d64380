//! The only places that read the clock, draw randomness and write log lines.

mod clock;
mod entropy;
mod log;

pub use clock::{Clock, SystemClock};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use log::log_to_stderr;
