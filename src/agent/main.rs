//! The daemon `landfastd`.

fn main() -> std::process::ExitCode {
    landfast_agent::main()
}
