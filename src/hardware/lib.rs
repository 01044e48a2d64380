//! Reads this machine's identity from the kernel, under an injected root.
//!
//! [`Collector::collect`] looks at everything once and never fails: what cannot be read is reported as unreadable,
//! what does not count is reported with its reason. Groups and rules are those of the binding (`docs/` describes
//! them): board, TPM, virtual machine, SoC, disks, network cards, CPU, chassis, machine id.
//!
//! Everything is read below a [`Root`]: `/` on a real machine, a directory under `--sysroot`. Two things are not in
//! that tree and come from a source that is passed in: permanent MAC addresses ([`MacSource`]) and the news that
//! something changed ([`ChangeSource`]).
//!
//! What else a TPM is good for is in [`tpm`].

mod board;
mod changes;
mod collect;
mod cpu;
mod describe;
mod disk_filter;
mod disks;
mod dmi;
#[cfg(feature = "dumps")]
pub mod dumps;
mod ethtool;
mod external;
#[cfg(feature = "fixture")]
pub mod fixture;
mod kernel_macs;
mod mac;
mod machine_id;
mod mainframe;
mod network;
mod placeholder;
mod root;
mod root_disk;
mod rtnetlink;
mod soc;
pub mod tpm;
mod uevent;
mod uuid;
mod virtual_id;
mod virtualization;

pub use changes::{ChangeError, ChangeSource, Changes, KernelChanges, RescanRequests};
pub use collect::Collector;
pub use describe::{MountedDisk, SystemDescription, mounted_disks};
pub use kernel_macs::KernelMacs;
pub use mac::{FileMacs, MacAddress, MacError, MacSource};
pub use root::Root;
pub use uevent::Uevent;
