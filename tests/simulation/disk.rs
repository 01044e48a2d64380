//! A device's store: it keeps the last record that was committed, and nothing else survives a crash.

use landfast_core::{Record, Store};

/// One issuer's record on one device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub state: Option<Vec<u8>>,
    /// Nothing more fits.
    pub full: bool,
    /// Of the last commit.
    pub refused: bool,
    pub writes: usize,
    /// A planted fault: every so many writes, one is said to be done and is not.
    pub skips_every: Option<usize>,
}

impl Store for Disk {
    type Error = &'static str;

    fn write(&mut self, record: &Record) -> Result<(), Self::Error> {
        self.refused = self.full;
        if self.full {
            return Err("no space left on device");
        }
        self.writes += 1;
        let skipped = self.skips_every.is_some_and(|every| self.writes.is_multiple_of(every));
        if !skipped {
            self.state = Some(record.state.clone());
        }
        Ok(())
    }
}
