//! How instructions of a machine are carried out: by the processor (KVM), or emulated (TCG).

use super::process::Process;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

const KVM: &str = "kvm";
const EMULATED: &str = "tcg,thread=multi";

/// A kernel without a disk gives up within two seconds on a processor that virtualises. A nested one that needs longer
/// than this, or hangs in early boot, is no better than emulation.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tries KVM with a kernel that has nothing to do but to give up.
pub fn probe(kernel: &Path, directory: &Path) -> Result<&'static str> {
    let device = std::fs::File::options().read(true).write(true).open("/dev/kvm");
    if device.is_err() {
        return Ok(EMULATED);
    }
    let kernel = kernel.display().to_string();
    let arguments = [
        ["-accel", KVM],
        ["-cpu", "max"],
        ["-m", "256"],
        ["-display", "none"],
        ["-kernel", &kernel],
        ["-append", "panic=-1"],
    ];
    let arguments = arguments.concat().into_iter().chain(["-nodefaults", "-no-reboot"]);
    let log = directory.join("kvm.log");
    let mut machine = Process::start("qemu-system-x86_64", arguments, directory, &log)?;
    let works = machine.wait(DEADLINE).is_ok_and(|status| status.success());
    machine.kill()?;
    Ok(if works { KVM } else { EMULATED })
}
