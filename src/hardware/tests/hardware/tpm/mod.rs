//! The TPM, against a real one in software and against things that only pretend to be one.

mod counter;
mod factor;
mod hostile;
mod possession;
mod sealing;

use landfast_hardware::Root;
use landfast_hardware::fixture::{Recording, Swtpm};
use landfast_hardware::tpm::{Tpm, TpmDevice, TpmError, Transport};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A root with a TPM and nothing else.
struct Machine {
    directory: TempDir,
    tpm: Option<Swtpm>,
}

impl Machine {
    /// Nothing where swtpm is not installed: then the test has been skipped, and says so.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut machine = Self { directory, tpm: None };
        machine.power_on();
        if machine.tpm.is_none() {
            eprintln!("SKIPPED: swtpm is not installed (apt-get install swtpm)");
        }
        machine.tpm.is_some().then_some(machine)
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn power_on(&mut self) {
        let state = self.directory.path().join("state");
        self.tpm = Recording::open(self.root()).plug_tpm(state).unwrap();
    }

    fn power_cut(&mut self) {
        self.tpm = None;
    }

    fn chip(&self) -> &Swtpm {
        self.tpm.as_ref().unwrap()
    }

    fn device(&self) -> TpmDevice {
        TpmDevice::new(Root::new(self.root()))
    }

    fn open(&self) -> Tpm {
        self.device().open().unwrap()
    }

    /// A conversation in which the TPM says that it has no curves.
    fn open_without_curves(&self) -> Tpm {
        let real = Swtpm::link(self.chip()).unwrap();
        Tpm::new(Box::new(WithoutCurves(real)))
    }

    /// Nothing may stay behind: no loaded or persistent key, no session.
    fn assert_empty(&self) {
        for first in [0x8000_0000_u32, 0x8100_0000, 0x0200_0000, 0x0300_0000] {
            let mut ask = vec![0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0, 0, 0, 1];
            ask.extend(first.to_be_bytes());
            ask.extend(8_u32.to_be_bytes());
            let answer = self.chip().send(&ask).unwrap();
            assert_eq!(answer[6..10], [0; 4], "{answer:02x?}");
            assert_eq!(answer[15..], [0; 4], "left at {first:08x}: {answer:02x?}");
        }
    }
}

/// Changes what one command is answered.
#[derive(Debug)]
struct WithoutCurves(std::os::unix::net::UnixStream);

impl Transport for WithoutCurves {
    fn exchange(&mut self, command: &[u8], _: Duration) -> Result<Zeroizing<Vec<u8>>, TpmError> {
        if command[6..10] == [0, 0, 1, 0x7a] {
            // TPM_RC_VALUE, about the first parameter.
            return Ok(Zeroizing::new(vec![0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0xc4]));
        }
        Ok(Zeroizing::new(Swtpm::exchange(&mut self.0, command).unwrap()))
    }
}
