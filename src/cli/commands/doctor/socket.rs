//! What can be seen of the agent's socket without asking the agent.

use super::findings::{Finding, State};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

pub(super) fn examine(socket: &Path) -> Vec<Finding> {
    let shown = socket.display();
    let found = match std::fs::metadata(socket) {
        Ok(found) => found,
        Err(error) => {
            let advice = "is landfastd running? systemctl status landfastd; or name its socket with --socket";
            return vec![Finding::new(State::Fail, "socket", format!("{shown}: {error}"), advice)];
        }
    };
    if !found.file_type().is_socket() {
        let message = format!("{shown} is not a socket");
        return vec![Finding::new(State::Fail, "socket", message, "name the agent's socket with --socket")];
    }
    let place =
        Finding::ok("socket", format!("{shown}, mode {:03o}, of uid {}", found.mode() & 0o777, found.uid()));
    let user = rustix::process::geteuid().as_raw();
    let rights = if user == 0 || user == found.uid() {
        Finding::ok("rights", "you may activate, return, reclaim, rescan and import")
    } else {
        Finding::ok(
            "rights",
            format!("as uid {user} you may read; activate and the like need root, for example sudo"),
        )
    };
    vec![place, rights]
}
