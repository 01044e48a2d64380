//! The project's own tasks. `cargo xtask` lists them; each has a file of its own.

mod bench;
mod demo;
mod deny;
mod hwdata;
mod lab;
mod man;
mod output;
mod steps;
mod stopwatch;
mod tasks;
mod test;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    tasks::start(&arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
