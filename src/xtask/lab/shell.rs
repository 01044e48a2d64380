//! The root shell in a machine, over a channel of its own: see `image/lab-shell.service`.
//!
//! One command at a time. The shell answers with a line `LAB CODE STDOUT-BYTES STDERR-BYTES`, then so many bytes.

use super::process::{Process, Ran};
use super::wait::{BOOT, COMMAND, wait_for};
use crate::stopwatch::Stopwatch;
use anyhow::{Context, Result, bail, ensure};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const READY: &str = "LAB ready";
const GO: &str = "LAB go";
const POLL: Duration = Duration::from_millis(200);

/// The shell of a machine that runs.
pub struct Shell {
    stream: UnixStream,
    received: Vec<u8>,
}

impl Shell {
    /// Waits until the machine has booted.
    pub fn connect(socket: &Path, machine: &mut Process) -> Result<Self> {
        let stream = wait_for("the machine's channel", BOOT, || {
            machine.runs()?;
            Ok(UnixStream::connect(socket).ok())
        })?;
        stream.set_read_timeout(Some(POLL))?;
        let mut shell = Self { stream, received: Vec::new() };
        let stopwatch = Stopwatch::start();
        while shell.line_now() != Some(READY.to_owned()) {
            machine.runs()?;
            ensure!(stopwatch.elapsed() < BOOT, "the machine did not boot within {} s", BOOT.as_secs());
            shell.receive()?;
        }
        Ok(shell)
    }

    /// Runs a command to its end.
    pub fn run(&mut self, command: &str) -> Result<Ran> {
        let seconds = COMMAND.as_secs();
        self.send(&format!(
            "timeout {seconds} sh -c {} </dev/null >out 2>err; echo LAB $? $(stat -c %s out err); cat out err\n",
            quoted(command)
        ))?;
        self.answer().with_context(|| format!("`{command}` in the machine"))
    }

    /// Starts a command and does not wait for it; its output goes to `/run/lab/NAME`.
    pub fn start(&mut self, name: &str, command: &str) -> Result<()> {
        self.send(&format!("sh -c {} </dev/null >{name} 2>&1 &\necho LAB 0 0 0\n", quoted(command)))?;
        self.answer().map(drop)
    }

    /// Copies a file into the machine.
    pub fn upload(&mut self, content: &[u8], to: &str, mode: &str) -> Result<()> {
        let (size, to) = (content.len(), quoted(to));
        // The shell reads ahead: the content may follow only once it has nothing more to read.
        self.send(&format!(
            "install -D -m {mode} /dev/null {to}; echo {GO}; head -c {size} >{to}; echo LAB $? 0 0\n"
        ))?;
        let line = self.line()?;
        ensure!(line == GO, "the machine does not take {to}: {line}");
        self.stream.write_all(content)?;
        self.answer()?.ok().map(drop)
    }

    /// Sends a command that ends the shell, such as one that switches the machine off.
    pub fn farewell(&mut self, command: &str) -> Result<()> {
        self.send(&format!("{command}\n"))
    }

    fn send(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).context("writing to the machine")
    }

    fn answer(&mut self) -> Result<Ran> {
        let line = self.line()?;
        let mut words = line.split_whitespace();
        ensure!(words.next() == Some("LAB"), "the machine's shell says: {line}");
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
        let (Some(code), Some(out), Some(err)) = (number(), number(), number()) else {
            bail!("the machine's shell says: {line}");
        };
        let (stdout, stderr) = (self.take(out)?, self.take(err)?);
        ensure!(code != 124, "it took longer than {} s; it said: {stdout}{stderr}", COMMAND.as_secs());
        Ok(Ran { code: i32::try_from(code)?, stdout, stderr })
    }

    fn line(&mut self) -> Result<String> {
        // Commands are ended by the machine itself; this is for a machine that hangs.
        let (stopwatch, patience) = (Stopwatch::start(), COMMAND * 2);
        loop {
            if let Some(line) = self.line_now() {
                return Ok(line);
            }
            ensure!(stopwatch.elapsed() < patience, "the machine does not answer");
            self.receive()?;
        }
    }

    fn line_now(&mut self) -> Option<String> {
        let end = self.received.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.received.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).trim().to_owned())
    }

    fn take(&mut self, bytes: usize) -> Result<String> {
        let stopwatch = Stopwatch::start();
        while self.received.len() < bytes {
            ensure!(stopwatch.elapsed() < COMMAND, "the machine stopped in the middle of an answer");
            self.receive()?;
        }
        let taken: Vec<u8> = self.received.drain(..bytes).collect();
        Ok(String::from_utf8_lossy(&taken).into_owned())
    }

    fn receive(&mut self) -> Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => bail!("the machine went away"),
            Ok(bytes) => self.received.extend_from_slice(chunk.get(..bytes).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error).context("reading from the machine"),
        }
        Ok(())
    }
}

/// As one word of a shell.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn any_text_is_one_word() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
