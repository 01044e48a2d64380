//! The whole life of a license, told while it happens, with the real programs. `cargo xtask demo` builds everything
//! and calls this; `--keep` leaves it running.

mod narrator;
mod story;

use anyhow::Result;

fn main() -> Result<()> {
    let keep = std::env::args().skip(1).any(|argument| argument == "--keep");
    let directory = tempfile::Builder::new().prefix("landfast-demo-").tempdir()?;
    let stage = story::tell(directory.path())?;
    if keep { stage.keep(directory) } else { stage.clear(directory) }
}
