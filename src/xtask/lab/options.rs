//! The command line of `cargo xtask lab`.

use super::scenarios::{SCENARIOS, Scenario};
use anyhow::{Result, bail, ensure};

/// What to do.
pub enum Action {
    /// Name every scenario.
    List,
    /// Run some.
    Run {
        scenarios: Vec<&'static Scenario>,
        /// Leave the machine of the one scenario on, to look inside.
        keep: bool,
    },
    /// Be the pipe between QEMU and the wire at this address.
    Pipe(String),
}

impl Action {
    /// Reads the command line: all scenarios where none is named.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let (mut list, mut keep, mut short, mut named) = (false, false, false, Vec::new());
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => list = true,
                "--keep" => keep = true,
                "--short" => short = true,
                "--pipe" => return Ok(Self::Pipe(arguments.next().cloned().unwrap_or_default())),
                option if option.starts_with('-') => {
                    bail!("unknown option {option}; there are --list, --short and --keep")
                }
                name => match SCENARIOS.iter().find(|scenario| scenario.name == name) {
                    Some(scenario) => named.push(scenario),
                    None => bail!("there is no scenario {name}; `cargo xtask lab --list` names them"),
                },
            }
        }
        if list {
            return Ok(Self::List);
        }
        if named.is_empty() {
            named = SCENARIOS.iter().filter(|scenario| scenario.short || !short).collect();
        }
        ensure!(!keep || named.len() == 1, "--keep needs the name of one scenario");
        Ok(Self::Run { scenarios: named, keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &[&str]) -> Vec<&'static str> {
        let line: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        match Action::parse(&line).unwrap() {
            Action::Run { scenarios, .. } => scenarios.iter().map(|scenario| scenario.name).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn one_some_or_all_scenarios() {
        assert_eq!(names(&[]).len(), SCENARIOS.len());
        let short = names(&["--short"]);
        assert!(!short.is_empty() && short.len() < SCENARIOS.len());
        assert_eq!(names(&["hot_swap", "--keep"]), ["hot_swap"]);
        for line in [&["--keep"][..], &["--kepe"], &["hot_swop"]] {
            let line: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
            assert!(Action::parse(&line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn each_scenario_has_a_name_of_its_own() {
        let mut names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SCENARIOS.len());
    }
}
