//! What the command was asked.

use landfast_hardware::dumps::Folder;
use std::path::PathBuf;

pub const USAGE: &str =
    "usage: cargo xtask hwdata [--json] [DIR]     DIR is $LANDFAST_HWDATA if it is not given";
const VARIABLE: &str = "LANDFAST_HWDATA";

/// Whether JSON is wanted, and of which directory.
pub fn given() -> Result<(bool, PathBuf), String> {
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

/// Every recording in it.
pub fn read(directory: PathBuf) -> Result<Folder, String> {
    Folder::read(&directory)
        .map_err(|error| format!("{}: {}", directory.display(), error.to_string().to_lowercase()))
}
