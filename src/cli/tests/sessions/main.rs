//! Golden sessions: what an administrator types, and everything that the real programs answer.
//!
//! Each `.session` file is replayed against an authority and an agent of its own. What differs from run to run (ids,
//! times, ports) is written in a form of its own, see `normal.rs`. With `LANDFAST_UPDATE=1` the files are rewritten:
//! read the difference before it is committed.
#![cfg(test)]

mod normal;
mod programs;
mod stage;

use stage::Stage;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions").join(format!("{name}.session"))
}

/// Types every command of the session, and compares what comes back.
fn replay(name: &str) {
    let golden = std::fs::read_to_string(file(name)).unwrap();
    let mut stage = Stage::new();
    let mut played = String::new();
    for line in golden.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let (output, code) = stage.types(command);
            played.push_str(&format!("{line}\n{output}[{code}]\n"));
        } else if let Some(happens) = line.strip_prefix("! ") {
            stage.happens(happens);
            played.push_str(&format!("{line}\n"));
        } else if line.starts_with('#') {
            played.push_str(&format!("\n{line}\n\n"));
        }
        // Anything else was answered the last time.
    }
    let played = played.trim_start();
    if std::env::var_os("LANDFAST_UPDATE").is_some() {
        std::fs::write(file(name), played).unwrap();
    } else {
        compare(name, &without_blank(&golden), &without_blank(played));
    }
}

/// Blank lines part answers as well as commands.
fn without_blank(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

fn compare(name: &str, expected: &[&str], played: &[&str]) {
    let Some(at) = (0..expected.len().max(played.len())).find(|at| expected.get(*at) != played.get(*at))
    else {
        return;
    };
    let typed = expected[..at.min(expected.len())].iter().rev().find(|line| line.starts_with("$ "));
    panic!(
        "{name}.session, after `{}`\nexpected: {}\nplayed:   {}\neverything played:\n{}",
        typed.unwrap_or(&""),
        expected.get(at).unwrap_or(&"the end"),
        played.get(at).unwrap_or(&"the end"),
        played.join("\n")
    );
}

#[test]
fn d8_e1_e8_the_life_of_a_license() {
    replay("life");
}

#[test]
fn d3_b13_the_hardware_changes() {
    replay("hardware");
}

#[test]
fn b8_a_swap_of_hardware_is_planned() {
    replay("planned");
}

#[test]
fn b13_what_goes_wrong_says_what_to_do() {
    replay("wrong");
}

#[test]
fn e4_p7_the_authority_is_away() {
    replay("away");
}
