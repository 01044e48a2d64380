//! `landfast completions SHELL`

use crate::exit::Exit;
use crate::report::Report;
use clap_complete::Shell;

/// Options of `landfast completions`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which shell, for example: landfast completions bash > /etc/bash_completion.d/landfast
    shell: Shell,
}

pub(crate) fn run(options: &Options) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut crate::command(), "landfast", &mut script);
    let text = String::from_utf8_lossy(&script).into_owned();
    let json = serde_json::json!({ "script": text }).to_string();
    Report { text, notes: Vec::new(), json, exit: Exit::Done }
}
