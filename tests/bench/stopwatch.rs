//! The one place of the benchmark that reads a clock.

use std::time::{Duration, Instant};

/// Started when made.
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs `once` so many times and gives the median time of one run, in microseconds.
pub fn p50_micros<E>(runs: usize, mut once: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let watch = Stopwatch::start();
        once()?;
        times.push(watch.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
