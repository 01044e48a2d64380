//! Recordings that are text.

/// How much of a file decides whether it is text.
const SAMPLE: usize = 16 * 1024;

/// A telling field of `/proc/cpuinfo` for each architecture (see the CPU's group), and one that goes with it.
const PROCESSORS: [&str; 9] = [
    "vendor_id",
    "cpu implementer",
    "mvendorid",
    "uarch",
    "cpu family",
    "# processors",
    "cpu model",
    "cpu",
    "processor",
];

/// Text in any encoding that keeps ASCII: no NUL, and few control characters. A recording may hold a serial number
/// with bytes that are no UTF-8.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let odd = sample.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count();
    let high = sample.iter().filter(|byte| !byte.is_ascii()).count();
    let encoded = String::from_utf8_lossy(sample).matches('\u{fffd}').count() * 20 < sample.len();
    !sample.contains(&0) && odd * 50 < sample.len() && (encoded || high * 10 < sample.len())
}

/// `key : value` line by line, among them two that name processors.
pub(super) fn is_cpuinfo(text: &str) -> bool {
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(100);
    let keys = || lines().filter_map(|line| line.split_once(':')).map(|(key, _)| key.trim().to_lowercase());
    let known = |key: &String| {
        PROCESSORS.contains(&key.as_str()) || key.starts_with("processor ") || key == "hart" || key == "isa"
    };
    let (all, keyed) = (lines().count(), keys().count());
    keys().filter(known).count() >= 2 && keyed * 10 >= all * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_processors_are_told_from_the_rest() {
        assert!(
            is_text(b"plain\n")
                && is_text("Größe\n".as_bytes())
                && is_text(b"serial \xff\xfe of a kind, and more text around it\n")
        );
        assert!(!is_text(b"\x7fELF\x02\x01\0\0") && !is_text(&[0xff; 100]) && !is_text(&[1; 100]));
        assert!(is_cpuinfo("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel : 1\n"));
        assert!(is_cpuinfo("vendor_id       : IBM/S390\n# processors    : 2\nprocessor 0: version = FF\n"));
        assert!(is_cpuinfo("processor\t: 0\nhart\t: 1\nisa\t: rv64imafdc\nuarch\t: sifive\n"));
        assert!(!is_cpuinfo("processor: what computes\n\nThis text explains words.\n"));
        assert!(!is_cpuinfo(""));
    }
}
