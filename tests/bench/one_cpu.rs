//! Caller, product and floor on the same CPU.
//!
//! A call and its answer take 13 us on one CPU and 23 us across two, and where the kernel puts each process is luck that
//! lasts as long as the process: it would decide the ratio.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives this thread, and whatever it starts, stays on one CPU.
pub struct OneCpu(CpuSet);

impl OneCpu {
    pub fn keep() -> Result<Self> {
        let all = sched_getaffinity(None).context("asking for the CPUs of this process")?;
        let last = (0..CpuSet::MAX_CPU).rfind(|cpu| all.is_set(*cpu)).context("a CPU to run on")?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).context("staying on one CPU")?;
        Ok(Self(all))
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.0);
    }
}
