//! `cargo xtask man`: manual pages and shell completions, from the one definition of the command's arguments.

use crate::steps::top;
use anyhow::{Context, Result, ensure};
use clap_complete::Shell;
use std::process::ExitCode;

const NAME: &str = "landfast";
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// Writes `target/man/*.1` and `target/completions/*`.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    ensure!(arguments.is_empty(), "`cargo xtask man` takes no arguments");
    let target = top().join("target");
    let (man, completions) = (target.join("man"), target.join("completions"));
    for directory in [&man, &completions] {
        std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    }
    clap_mangen::generate_to(landfast_cli::command(), &man)
        .with_context(|| format!("writing to {}", man.display()))?;
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut landfast_cli::command(), NAME, &completions)
            .with_context(|| format!("writing to {}", completions.display()))?;
    }
    println!("{}\n{}", man.display(), completions.display());
    Ok(ExitCode::SUCCESS)
}
