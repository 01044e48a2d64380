//! `landfast-hwdata`: holds recordings of real machines against each other, and says where the rules of the binding are
//! wrong about them. `cargo xtask hwdata` starts it.

mod report;

use landfast_hardware::dumps::{Folder, Survey};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask hwdata [--json] [DIR]     DIR is $LANDFAST_HWDATA if it is not given";
const VARIABLE: &str = "LANDFAST_HWDATA";

fn main() -> ExitCode {
    match arguments().and_then(|(json, directory)| Ok((json, read(directory)?))) {
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::from(2)
        }
        Ok((json, folder)) => report::print(&folder, &Survey::of(&folder), json),
    }
}

fn arguments() -> Result<(bool, PathBuf), String> {
    let (mut json, mut directory) = (false, None);
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--json") => json = true,
            Some(option) if option.starts_with('-') => return Err(format!("there is no option {option}")),
            _ if directory.is_some() => return Err("one directory is enough".to_owned()),
            _ => directory = Some(PathBuf::from(argument)),
        }
    }
    let directory =
        directory.or_else(|| std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from));
    directory
        .map(|directory| (json, directory))
        .ok_or_else(|| format!("no directory is named, and {VARIABLE} is not set"))
}

fn read(directory: PathBuf) -> Result<Folder, String> {
    Folder::read(&directory)
        .map_err(|error| format!("{}: {}", directory.display(), error.to_string().to_lowercase()))
}
