//! Tables of recordings that belong together, with the verdict that is expected: `PAIRS.tsv`.

use landfast_protocol::evidence::Group;
use std::path::{Component, Path};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRow {
    /// What happened between the two, in the words of the table.
    pub kind: String,
    /// The recording that enrolls.
    pub a: String,
    /// The recording that is compared with it.
    pub b: String,
    /// What must come out, in the words of the table.
    pub expected: String,
}

/// What a row expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Bound,
    Drifted,
    /// Neither bound nor drifted.
    Refused,
    Indeterminate,
    /// So many members of a group are kept, of so many.
    Kept(Group, usize, usize),
    /// In words that are not known here.
    Unknown,
}

impl PairRow {
    /// The table says that both are recordings of one machine.
    pub(super) fn is_one_machine(&self) -> bool {
        matches!(self.expects(), Expected::Bound | Expected::Drifted | Expected::Kept(..))
    }

    /// The first word counts, or the fraction: `disk group: 2 of 3 kept`.
    pub(super) fn expects(&self) -> Expected {
        let text = self.expected.to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<usize>().ok());
        let of = words.iter().position(|word| *word == "of").filter(|at| *at > 0);
        if let Some((kept, all)) = of.and_then(|of| Some((number(of - 1)?, number(of + 1)?))) {
            return group(&words).map_or(Expected::Unknown, |group| Expected::Kept(group, kept, all));
        }
        match words.first().copied() {
            Some("bound") => Expected::Bound,
            Some("drifted") => Expected::Drifted,
            Some("broken") => Expected::Refused,
            Some("indeterminate") => Expected::Indeterminate,
            _ => Expected::Unknown,
        }
    }
}

fn group(words: &[&str]) -> Option<Group> {
    words.iter().find_map(|word| match *word {
        "disk" | "disks" => Some(Group::Disks),
        "nic" | "nics" | "network" | "mac" | "macs" | "card" | "cards" => Some(Group::Network),
        "board" => Some(Group::Board),
        _ => None,
    })
}

/// Whether a text is such a table: columns with these names.
pub(super) fn is_table(text: &str) -> bool {
    columns(text).is_some()
}

/// Every row; names are below `directory`, which is where the table stands.
pub(super) fn parse(text: &str, directory: &Path) -> Vec<PairRow> {
    let Some((kind, a, b, expected)) = columns(text) else { return Vec::new() };
    let name = |path: &str| {
        let mut place = directory.to_owned();
        for component in Path::new(path.trim()).components() {
            match component {
                Component::Normal(step) => place.push(step),
                Component::ParentDir => drop(place.pop()),
                _ => {}
            }
        }
        crate::root::shown(place.as_os_str())
    };
    let rows = text.lines().skip(1).filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default().trim();
        let kind = kind.map(cell).unwrap_or_default().to_owned();
        PairRow { kind, a: name(cell(a)), b: name(cell(b)), expected: cell(expected).to_owned() }
    })
    .collect()
}

/// Where kind, a, b and the expectation stand.
fn columns(text: &str) -> Option<(Option<usize>, usize, usize, usize)> {
    let head: Vec<String> = text.lines().next()?.split('\t').map(|name| name.trim().to_lowercase()).collect();
    let at = |name: &str| head.iter().position(|column| column == name);
    Some((at("kind"), at("a")?, at("b")?, at("expected")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_by_their_first_word_or_fraction() {
        let expects = |text: &str| {
            let text = format!("kind\ta\tb\texpected\nsome\tone\tx/../two\t{text}\n");
            assert!(is_table(&text));
            let rows = parse(&text, Path::new("below"));
            assert_eq!((rows.len(), rows[0].a.as_str(), rows[0].b.as_str()), (1, "below/one", "below/two"));
            rows[0].expects()
        };
        assert_eq!(expects("bound"), Expected::Bound);
        assert_eq!(expects("bound (must compare both byte orders)"), Expected::Bound);
        assert_eq!(expects("Broken"), Expected::Refused);
        assert_eq!(expects("disk group: 2 of 3 kept"), Expected::Kept(Group::Disks, 2, 3));
        assert_eq!(expects("drifted"), Expected::Drifted);
        assert_eq!(expects("indeterminate"), Expected::Indeterminate);
        assert_eq!(expects("who knows"), Expected::Unknown);
        assert_eq!(expects(""), Expected::Unknown);
        assert!(!is_table("a\tb\n1\t2\n"));
    }
}
