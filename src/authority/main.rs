//! The `landfast-authority` command.

fn main() -> std::process::ExitCode {
    landfast_authority::commands::main()
}
