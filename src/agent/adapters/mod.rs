//! The only places that read clocks and draw randomness.

mod adjtimex;
mod alarm;
mod clock;
mod entropy;
mod readable;

pub use alarm::{Alarm, ClockSteps};
pub use clock::{Clock, ClockError};
pub use entropy::draw;
pub use readable::Readable;
