//! QEMU's machine protocol (QMP): the hand with the screwdriver while the machine runs.

use super::wait::CONDITION;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A connection to the monitor of one machine.
pub struct Monitor {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
    /// Devices that have gone.
    gone: Vec<String>,
    asleep: bool,
}

impl Monitor {
    /// Greets the monitor.
    pub fn connect(socket: &Path) -> Result<Self> {
        let writer = UnixStream::connect(socket).context("connecting to the machine's monitor")?;
        writer.set_read_timeout(Some(CONDITION))?;
        let mut monitor =
            Self { reader: BufReader::new(writer.try_clone()?), writer, gone: Vec::new(), asleep: false };
        monitor.message()?;
        monitor.execute("qmp_capabilities", json!({}))?;
        Ok(monitor)
    }

    /// Plugs a device in.
    pub fn plug(&mut self, device: Value) -> Result<()> {
        self.execute("device_add", device)
    }

    /// Unplugs a device, and waits until the machine has let go of it.
    pub fn unplug(&mut self, id: &str) -> Result<()> {
        self.gone.clear();
        self.execute("device_del", json!({ "id": id }))?;
        while !self.gone.iter().any(|gone| gone == id) {
            let message = self.message().with_context(|| format!("waiting for {id} to be let go"))?;
            self.note(&message);
        }
        Ok(())
    }

    /// Waits until the machine has gone to sleep.
    pub fn sleeps(&mut self) -> Result<()> {
        while !self.asleep {
            let message = self.message().context("waiting for the machine to go to sleep")?;
            self.note(&message);
        }
        Ok(())
    }

    /// Wakes the machine up.
    pub fn wake(&mut self) -> Result<()> {
        self.asleep = false;
        self.execute("system_wakeup", json!({}))
    }

    fn execute(&mut self, command: &str, arguments: Value) -> Result<()> {
        let line = json!({ "execute": command, "arguments": arguments });
        self.writer.write_all(format!("{line}\n").as_bytes())?;
        loop {
            let message = self.message()?;
            self.note(&message);
            if message.get("return").is_some() {
                return Ok(());
            }
            if let Some(error) = message.get("error") {
                bail!("{line}: {error}");
            }
        }
    }

    fn note(&mut self, message: &Value) {
        self.asleep |= message["event"] == "SUSPEND";
        if message["event"] == "DEVICE_DELETED"
            && let Some(id) = message["data"]["device"].as_str()
        {
            self.gone.push(id.to_owned());
        }
    }

    fn message(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.reader.read_line(&mut line).context("reading from the machine's monitor")?;
        serde_json::from_str(&line).with_context(|| format!("the machine's monitor says: {line}"))
    }
}
