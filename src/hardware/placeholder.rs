//! Values that many machines share, kept as data in `placeholders.txt`.

use crate::uuid;
use landfast_protocol::reading::{Identity, Reading};
use std::sync::LazyLock;

/// What kind of value is judged: each has its own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A DMI text.
    Text,
    /// A UUID.
    Uuid,
    /// A disk's serial number; fillers of DMI texts count too.
    Disk,
    /// A MAC address.
    Mac,
    /// A serial number of a SoC; fillers of DMI texts count too.
    Soc,
    /// A machine id.
    MachineId,
}

/// A value of `kind`, already trimmed and in lower case, as a reading.
pub(crate) fn judge(kind: Kind, value: String) -> Reading {
    if is_placeholder(kind, &value) {
        Reading::Placeholder(Identity::new(value))
    } else {
        Reading::Present(Identity::new(value))
    }
}

/// Whether many machines share `value`, which is trimmed and in lower case.
pub(crate) fn is_placeholder(kind: Kind, value: &str) -> bool {
    let listed = |section: &str| {
        LIST.iter().filter(|(of, _)| *of == section).any(|(_, rule)| rule.holds_for(kind, value))
    };
    match kind {
        Kind::Text => listed("text"),
        Kind::Uuid => listed("uuid"),
        Kind::Disk => listed("disk") || listed("text"),
        Kind::Mac => listed("mac"),
        Kind::Soc => listed("soc") || listed("text"),
        Kind::MachineId => listed("machine-id"),
    }
}

static LIST: LazyLock<Vec<(&'static str, Rule)>> = LazyLock::new(|| parse(include_str!("placeholders.txt")));

fn parse(text: &'static str) -> Vec<(&'static str, Rule)> {
    let mut section = "";
    let mut rules = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => rules.push((section, Rule::parse(line))),
        }
    }
    rules
}

/// Shorter ones may be somebody's numbers.
const SHORTEST_REPEAT: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Exactly(&'static str),
    Only(&'static str),
    Repeat(&'static str),
    Starts(&'static str, Option<usize>),
    Contains(&'static str),
    Uniform,
}

impl Rule {
    fn parse(line: &'static str) -> Self {
        if let Some(characters) = line.strip_prefix("~only ") {
            Self::Only(characters)
        } else if let Some(text) = line.strip_prefix("~repeat ") {
            Self::Repeat(text)
        } else if let Some(rest) = line.strip_prefix("~starts ") {
            match rest.split_once(" ~length ") {
                Some((text, length)) => Self::Starts(text, length.parse().ok()),
                None => Self::Starts(rest, None),
            }
        } else if let Some(text) = line.strip_prefix("~contains ") {
            Self::Contains(text)
        } else if line == "~uniform" {
            Self::Uniform
        } else {
            Self::Exactly(line)
        }
    }

    fn holds_for(&self, kind: Kind, value: &str) -> bool {
        if kind == Kind::Uuid {
            return uuid::parse(value).is_some_and(|bytes| self.holds_for_uuid(bytes));
        }
        match self {
            Self::Exactly(text) => value == *text,
            Self::Only(characters) => !value.is_empty() && value.chars().all(|c| characters.contains(c)),
            Self::Repeat(text) => {
                value.len() >= SHORTEST_REPEAT && value.bytes().eq(text.bytes().cycle().take(value.len()))
            }
            Self::Starts(text, length) => {
                value.starts_with(text) && length.is_none_or(|length| value.len() == length)
            }
            Self::Contains(text) => value.contains(text),
            Self::Uniform => {
                let mut plain = value.chars().filter(|c| c.is_alphanumeric());
                let first = plain.next();
                !value.is_empty() && plain.all(|c| Some(c) == first)
            }
        }
    }

    fn holds_for_uuid(&self, bytes: [u8; 16]) -> bool {
        match self {
            Self::Uniform => bytes.iter().all(|byte| *byte == bytes[0]),
            Self::Exactly(text) => {
                uuid::parse(text).is_some_and(|own| own == bytes || own == uuid::twin(bytes))
            }
            Self::Starts(text, _) => [bytes, uuid::twin(bytes)].iter().any(|bytes| {
                bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().starts_with(text)
            }),
            Self::Only(_) | Self::Repeat(_) | Self::Contains(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(section: &str) -> Vec<Rule> {
        LIST.iter().filter(|(of, _)| *of == section).map(|(_, rule)| rule.clone()).collect()
    }

    const SECTIONS: [&str; 6] = ["text", "uuid", "disk", "mac", "soc", "machine-id"];

    #[test]
    fn every_line_of_the_list_is_understood() {
        for (section, rule) in LIST.iter() {
            assert!(SECTIONS.contains(section), "{section}");
            let text = match rule {
                Rule::Exactly(text) | Rule::Only(text) | Rule::Repeat(text) | Rule::Contains(text) => text,
                Rule::Starts(text, length) => {
                    assert!(length.is_none_or(|length| length > text.len()), "{rule:?}");
                    text
                }
                Rule::Uniform => continue,
            };
            assert!(!text.contains('~') && !text.is_empty(), "{text} is no rule that is known");
            assert_eq!(*text, text.to_lowercase().trim(), "{text} must be trimmed and in lower case");
            if matches!(rule, Rule::Exactly(_)) {
                assert_eq!(*section == "uuid", uuid::parse(text).is_some(), "{text}");
            }
        }
        for section in SECTIONS {
            assert!(!rules(section).is_empty());
        }
    }

    #[test]
    fn no_line_stands_twice() {
        for (at, line) in LIST.iter().enumerate() {
            assert!(!LIST[..at].contains(line), "{line:?}");
        }
    }

    #[test]
    fn real_values_are_kept() {
        for text in
            ["7n62ai2", "parallels-1b 2c 3d", "vmware-56 4d 1f 2e", "4c4c4544", "x1", "10000001a", "12345679"]
        {
            assert!(!is_placeholder(Kind::Text, text), "{text}");
        }
        for disk in ["qm12345", "qm000012345", "50026b728203601d", "wd-wmam9xe78956", "vol01ab"] {
            assert!(!is_placeholder(Kind::Disk, disk), "{disk}");
        }
        for uuid in ["4c4c4544-0044-3310-8039-b7c04f4e3632", "83340ca8-cb49-4474-8c29-d2088ca84dd9"] {
            assert!(!is_placeholder(Kind::Uuid, uuid), "{uuid}");
        }
        for mac in ["b8:27:eb:b5:55:e2", "00:e0:4c:69:00:01", "00:00:00:00:00:01"] {
            assert!(!is_placeholder(Kind::Mac, mac), "{mac}");
        }
    }

    #[test]
    fn patterns_hold() {
        for text in
            ["0", "0000", "0101", "xxxx", "....", "***", "fff", "nn", "12345678901234567890", "1234567890123"]
        {
            assert!(is_placeholder(Kind::Text, text), "{text}");
        }
        for disk in ["qm00001", "000000000000", "00000000000000000001", "persistent-disk-0", "default string"]
        {
            assert!(is_placeholder(Kind::Disk, disk), "{disk}");
        }
        for uuid in [
            "11111111-1111-1111-1111-111111111111",
            "00020003-0004-0005-0006-000700080009",
            "deadbeef-0000-1111-2222-333344445555",
            "efbeadde-0000-1111-2222-333344445555",
            "44454c4c-2000-1020-8020-a0c04f202020",
        ] {
            assert!(is_placeholder(Kind::Uuid, uuid), "{uuid}");
        }
        assert!(
            is_placeholder(Kind::Mac, "02:42:ac:11:00:02") && is_placeholder(Kind::Soc, "c3d9b8674f4b94f6")
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            for kind in [Kind::Text, Kind::Uuid, Kind::Disk, Kind::Mac, Kind::Soc, Kind::MachineId] {
                let _ = is_placeholder(kind, &text);
            }
        }
    }
}
