//! `landfast-hwdata`: holds recordings of real machines against each other, and says where the rules of the binding are
//! wrong about them. `cargo xtask hwdata` starts it.

mod arguments;
mod report;

use landfast_hardware::dumps::Survey;
use std::process::ExitCode;

fn main() -> ExitCode {
    match arguments::given().and_then(|(json, directory)| Ok((json, arguments::read(directory)?))) {
        Err(message) => {
            eprintln!("{message}\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
        Ok((json, folder)) => report::print(&folder, &Survey::of(&folder), json),
    }
}
