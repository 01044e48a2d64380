//! landfast: the administrator's command.

use std::process::ExitCode;

fn main() -> ExitCode {
    landfast_cli::main()
}
