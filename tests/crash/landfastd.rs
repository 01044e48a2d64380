//! `landfastd` as it is, built so that crash tests can kill it at a boundary.

fn main() -> std::process::ExitCode {
    landfast_agent::main()
}
