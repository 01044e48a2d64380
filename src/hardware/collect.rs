//! One look at everything.

use crate::board::{board, chassis, factor, ignored_where_lent};
use crate::cpu::CpuInfo;
use crate::describe::SystemDescription;
use crate::disks::Disks;
use crate::dmi::Dmi;
use crate::kernel_macs::KernelMacs;
use crate::mac::{FileMacs, MacSource};
use crate::machine_id;
use crate::network::Network;
use crate::root::Root;
use crate::soc;
use crate::tpm::{self, TpmDevice};
use crate::virtual_id;
use crate::virtualization::Virtualization;
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{FactorReading, HardwareReading, Ignored, Reading};
use std::path::PathBuf;

/// How many ignored devices are listed: a host of containers has thousands.
const IGNORED_LIMIT: usize = 256;

/// Reads the hardware of one machine.
#[derive(Debug)]
pub struct Collector {
    root: Root,
    credentials: Option<Root>,
    macs: Box<dyn MacSource>,
    tpm: TpmDevice,
}

impl Collector {
    /// Of the machine that this runs on: the kernel tells permanent addresses.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::new(Root::machine(), Box::new(KernelMacs))
    }

    /// Of a recorded root: files tell permanent addresses (see [`FileMacs`]).
    #[must_use]
    pub fn of_recording(root: Root) -> Self {
        let macs = Box::new(FileMacs::new(root.clone()));
        Self::new(root, macs)
    }

    /// Of any root, with any source of addresses.
    #[must_use]
    pub fn new(root: Root, macs: Box<dyn MacSource>) -> Self {
        let tpm = TpmDevice::new(root.clone());
        Self { root, credentials: None, macs, tpm }
    }

    /// Takes values that only root may read from systemd's credentials directory: files named `product_uuid`,
    /// `board_serial`, `product_serial` and `chassis_serial`.
    #[must_use]
    pub fn with_credentials(mut self, directory: impl Into<PathBuf>) -> Self {
        self.credentials = Some(Root::new(directory));
        self
    }

    /// Asks this TPM for its key, in place of the one below the root.
    #[must_use]
    pub fn with_tpm(mut self, tpm: TpmDevice) -> Self {
        self.tpm = tpm;
        self
    }

    /// Where it reads.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Looks at everything. What cannot be read is unreadable, what does not count is ignored, each with its reason.
    #[must_use]
    pub fn collect(&self) -> HardwareReading {
        let dmi = self.dmi();
        let cpu = CpuInfo::read(&self.root);
        let virtualization = Virtualization::detect(&self.root, &dmi, &cpu);
        let virtual_machine = virtualization.machine.is_some();
        let instance = virtual_id::of_instance(&dmi);
        let mut factors = Vec::new();
        let mut ignored = Vec::new();
        let mut own_serials = true;
        if virtual_machine || instance.is_some() {
            let (source, reading) = instance.unwrap_or_else(|| virtual_id::of_guest(&self.root, &dmi));
            // The hypervisor chooses the serial numbers of a guest's disks. One that gives its guests no identity of
            // their own (Firecracker and its like) names their disks alike too, so these count as placeholders. An
            // identity that only cannot be read is no reason to doubt.
            own_serials = matches!(reading, Reading::Present(_) | Reading::Unreadable(_));
            factors.push(factor(Factor::VirtualId, source, reading));
            ignored.extend(ignored_where_lent(&dmi));
        } else {
            factors.extend(board(&dmi));
            // Also where the board cannot be read: what was enrolled in its place must still be there.
            if !factors.iter().any(|read| matches!(read.reading, Reading::Present(_))) {
                let (source, reading) = soc::read(&self.root, &cpu);
                factors.push(factor(Factor::SocSerial, &source, reading));
            }
            factors.push(chassis(&dmi));
            let doubt = virtualization.doubt.as_ref();
            factors.extend(doubt.map(|why| factor(Factor::VirtualId, "hypervisor", why.reading())));
        }
        factors.push(factor(Factor::TpmKey, "tpmrm0", tpm::read(&self.tpm)));
        let disks = Disks::read(&self.root, own_serials);
        factors.extend(disks.factors);
        ignored.extend(disks.ignored);
        let network = Network::read(&self.root, self.macs.as_ref(), virtual_machine);
        if virtualization.container.is_some() && !network.has_hardware {
            disown(&mut factors);
        }
        factors.extend(network.factors);
        ignored.extend(network.ignored);
        factors.push(factor(Factor::Cpu, "cpuinfo", cpu.reading()));
        factors.push(factor(Factor::MachineId, "machine-id", machine_id::read(&self.root)));
        HardwareReading { factors, ignored: shorten(ignored), virtual_machine }
    }

    /// What this machine is and runs, for requests and reports.
    #[must_use]
    pub fn describe(&self) -> SystemDescription {
        let cpu = CpuInfo::read(&self.root);
        let virtualization = Virtualization::detect(&self.root, &self.dmi(), &cpu);
        SystemDescription::read(&self.root, &cpu, &virtualization)
    }

    fn dmi(&self) -> Dmi<'_> {
        Dmi::new(&self.root, self.credentials.as_ref())
    }
}

/// A container with a network of its own sees the board and the disks of its host, as each of its neighbours does.
/// They are not its own, but neither have they changed.
fn disown(factors: &mut [FactorReading]) {
    for read in factors {
        if !matches!(read.reading, Reading::Absent) {
            read.primary = false;
            read.reading = Reading::Unreadable(
                "this container has a network of its own, and shares all else with its neighbours: \
                 run it with the host's network"
                    .to_owned(),
            );
        }
    }
}

fn shorten(mut ignored: Vec<Ignored>) -> Vec<Ignored> {
    if ignored.len() > IGNORED_LIMIT {
        let rest = ignored.len() - IGNORED_LIMIT;
        ignored.truncate(IGNORED_LIMIT);
        ignored.push(Ignored { source: "…".to_owned(), reason: format!("and {rest} more") });
    }
    ignored
}
