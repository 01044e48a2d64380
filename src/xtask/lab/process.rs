//! Child processes that never outlive the lab, however it ends.

use super::wait::wait_for;
use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A program that runs until it is ended or dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program in `directory`, with its output in `log`. The kernel ends it when the lab is killed.
    pub fn start<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
        log: &Path,
    ) -> Result<Self> {
        let file = std::fs::File::options().create(true).append(true).open(log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&program)
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {}", program.as_ref().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// An error that shows its output, if it has ended.
    pub fn runs(&mut self) -> Result<()> {
        let ended = self.ended();
        ensure!(ended.is_none(), "it ended too early ({ended:?}): {}", self.output());
        Ok(())
    }

    /// Waits for it to end by itself.
    pub fn wait(&mut self, deadline: Duration) -> Result<ExitStatus> {
        wait_for("a process to end", deadline, || Ok(self.ended()))
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        // It may have ended by itself a moment ago.
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// What a program answered that ran to its end.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code, or 128 and the number of a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Its output, or an error that shows everything.
    pub fn ok(self) -> Result<String> {
        ensure!(self.code == 0, "it failed with {}: {}{}", self.code, self.stdout, self.stderr);
        Ok(self.stdout)
    }

    /// Its output as JSON, whatever the exit code.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("no JSON: {self:?}"))
    }
}

/// Runs a program of the host to its end.
pub fn run(command: &mut Command) -> Result<Ran> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}
