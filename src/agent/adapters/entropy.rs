//! Randomness of the operating system.

use landfast_core::Entropy;
use std::io;

/// Randomness for one event.
#[expect(clippy::disallowed_methods, reason = "this is the adapter that draws randomness")]
pub fn draw() -> io::Result<Entropy> {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Entropy::new(*seed))
}
