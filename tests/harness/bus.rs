//! A private D-Bus of one test, served by the real dbus-daemon.

use super::{Process, wait_for};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// A running bus.
pub struct Bus {
    /// The daemon.
    pub process: Process,
    /// Where it listens.
    pub address: String,
}

impl Bus {
    /// Starts a bus in `directory` that lets everybody on this machine own names and call methods; who may do what
    /// is then the agent's decision.
    pub fn start(directory: &Path) -> Result<Self> {
        let socket = directory.join("bus.sock");
        let config = directory.join("bus.conf");
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"#,
            socket.display()
        );
        std::fs::write(&config, text)?;
        let mut command = Command::new("dbus-daemon");
        command.arg(format!("--config-file={}", config.display())).args(["--nofork", "--nopidfile"]);
        let process =
            Process::start(&mut command, &directory.join("bus.log")).context("is dbus-daemon installed?")?;
        wait_for("the bus to listen", || socket.exists().then_some(()))?;
        Ok(Self { process, address: format!("unix:path={}", socket.display()) })
    }
}
