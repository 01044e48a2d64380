//! Group F: what kind of CPU this is, by `/proc/cpuinfo`.
//!
//! Each architecture names its processor in its own way (`show_cpuinfo` in `arch/*/kernel`); what changes with the
//! clock, the microcode, the kernel or the number of processors is left out.

use crate::root::{ReadError, Root};
use landfast_protocol::reading::{Identity, Reading};
use std::collections::BTreeSet;

const FILE: &str = "proc/cpuinfo";

/// Enough for 40 processors on x86 and 160 on ARM; larger machines repeat themselves.
const LIMIT: usize = 64 * 1024;

/// A field that tells an architecture, and the fields that name its processors.
const ARCHITECTURES: [(&str, &[&str]); 8] = [
    ("stepping", &["vendor_id", "cpu family", "model", "stepping"]), // x86
    ("cpu implementer", &["cpu implementer", "cpu variant", "cpu part", "cpu revision"]), // arm, arm64
    ("mvendorid", &["mvendorid", "marchid", "mimpid"]),              // riscv since Linux 5.19
    ("uarch", &["uarch"]),                                           // riscv before
    ("cpu family", &["cpu family", "model name", "cpu revision"]),   // loongarch
    ("# processors", &["vendor_id", "machine"]),                     // s390
    ("cpu model", &["cpu model"]),                                   // mips
    ("cpu", &["cpu", "revision"]),                                   // powerpc, sparc
];

/// `/proc/cpuinfo`, taken apart.
pub(crate) struct CpuInfo {
    lines: Result<Vec<(String, String)>, ReadError>,
}

impl CpuInfo {
    pub(crate) fn read(root: &Root) -> Self {
        let endless = || ReadError::unusable(FILE, format!("its first line is longer than {LIMIT} bytes"));
        let lines = root.read_at_most(FILE, LIMIT).and_then(|mut bytes| {
            if bytes.len() == LIMIT {
                // The last line is cut; where there is no other, this is no list of processors.
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').ok_or_else(endless)?;
                bytes.truncate(whole);
            }
            Ok(parse(&String::from_utf8_lossy(&bytes)))
        });
        Self { lines }
    }

    /// The kind of processor. The cores of one ARM chip differ, so each field gives all of its values.
    pub(crate) fn reading(&self) -> Reading {
        let lines = match &self.lines {
            Ok(lines) => lines,
            // Every kernel has it; a unit can hide it from its service (`ProcSubset=pid`).
            Err(error) => return error.reading(),
        };
        let Some((_, fields)) = ARCHITECTURES.iter().find(|(tells, _)| self.first(tells).is_some()) else {
            return Reading::Absent;
        };
        let kinds: Vec<String> = fields
            .iter()
            .map(|field| {
                let values =
                    lines.iter().filter(|(key, _)| key == field).map(|(_, value)| value.to_lowercase());
                values.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("+")
            })
            .collect();
        Reading::Present(Identity::new(kinds.join("/")))
    }

    /// The first value of a field, its name in lower case.
    pub(crate) fn first(&self, field: &str) -> Option<&str> {
        let lines = self.lines.as_ref().ok()?;
        lines.iter().find(|(key, _)| key == field).map(|(_, value)| value.as_str())
    }

    /// Whether the processor says that a hypervisor runs it; `None` where this architecture does not say.
    pub(crate) fn hypervisor(&self) -> Option<bool> {
        self.first("stepping")?;
        Some(self.first("flags")?.split_whitespace().any(|flag| flag == "hypervisor"))
    }

    /// Why the list cannot be read, where it cannot.
    pub(crate) fn trouble(&self) -> Option<&ReadError> {
        self.lines.as_ref().err()
    }

    /// How many processors are listed in the part that was read.
    pub(crate) fn count(&self) -> usize {
        let Ok(lines) = &self.lines else { return 0 };
        lines.iter().filter(|(key, value)| key == "processor" && value.parse::<u32>().is_ok()).count()
    }
}

fn parse(text: &str) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for line in text.lines() {
        // s390 has one line for each: "processor 0: version = FF,  identification = 29AA14,  machine = 2817".
        if let Some((_, rest)) = line.split_once(": version = ") {
            lines.push(("processor".to_owned(), "0".to_owned()));
            let fields = rest.split(',').filter_map(|field| field.split_once('='));
            lines.extend(fields.map(|(key, value)| (lower(key), value.trim().to_owned())));
        } else if let Some((key, value)) = line.split_once(':') {
            lines.push((lower(key), value.trim().to_owned()));
        }
    }
    lines
}

fn lower(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cpuinfo: &str) -> Reading {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("proc")).unwrap();
        std::fs::write(directory.path().join("proc/cpuinfo"), cpuinfo).unwrap();
        CpuInfo::read(&Root::new(directory.path())).reading()
    }

    fn present(value: &str) -> Reading {
        Reading::Present(Identity::new(value))
    }

    fn x86(processor: usize, megahertz: &str) -> String {
        format!(
            "processor\t: {processor}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 167\n\
             model name\t: Intel(R) Xeon(R)\nstepping\t: 8\nmicrocode\t: 0x1\ncpu MHz\t\t: {megahertz}\n\n"
        )
    }

    #[test]
    fn p3_fewer_processors_another_clock_change_nothing() {
        let one = reading(&x86(0, "800.000"));
        assert_eq!(one, present("genuineintel/6/167/8"));
        let many: String = (0..500).map(|processor| x86(processor, "3900.123")).collect();
        assert!(many.len() > LIMIT, "not all of it is read");
        assert_eq!(reading(&many), one);
    }

    #[test]
    fn cores_of_two_kinds_are_both_named_in_any_order() {
        let core = |part: &str| {
            format!(
                "processor : 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x1\nCPU part\t: {part}\nCPU revision\t: 1\n\n"
            )
        };
        let both = present("0x41/0x1/0xd46+0xd47/1");
        assert_eq!(reading(&(core("0xd46") + &core("0xd47"))), both);
        assert_eq!(reading(&(core("0xd47") + &core("0xd46"))), both);
    }

    #[test]
    fn what_names_no_processor_is_absent() {
        assert_eq!(reading(""), Reading::Absent);
        assert_eq!(reading("nonsense without any field\n:\n"), Reading::Absent);
        let endless = reading(&"7".repeat(1 << 20));
        assert!(
            matches!(endless, Reading::Unreadable(why) if why.starts_with("/proc/cpuinfo: its first line"))
        );
        let nowhere = tempfile::tempdir().unwrap();
        assert!(matches!(CpuInfo::read(&Root::new(nowhere.path())).reading(), Reading::Unreadable(_)));
    }
}
