//! Says what happens, and shows each command with what it printed.

use anyhow::{Result, ensure};
use landfast_tests::harness::{Ran, run};
use std::process::Command;

/// A heading.
pub fn chapter(title: &str) {
    println!("\n== {title}");
}

/// A sentence.
pub fn say(text: &str) {
    println!("{text}");
}

/// Runs a command as the reader could, shows it and its output, and expects one of these exit codes.
pub fn show(shown: &str, command: &mut Command, codes: &[i32]) -> Result<Ran> {
    println!("\n$ {shown}");
    let ran = run(command, "")?;
    let output = format!("{}{}", ran.stdout, ran.stderr);
    for line in output.lines() {
        println!("    {line}");
    }
    ensure!(ran.code.is_some_and(|code| codes.contains(&code)), "`{shown}` ended with {:?}", ran.code);
    Ok(ran)
}
