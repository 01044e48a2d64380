//! The real command, as a process.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The directory of one authority, and the command on it.
pub struct Installed {
    pub data: PathBuf,
    _directory: tempfile::TempDir,
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfast-authority"));
    command.arg("--data").arg(data).env("USER", "alice").env_remove("SUDO_USER").env_remove("JOURNAL_STREAM");
    command
}

impl Installed {
    /// Nothing in it yet.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { data: directory.path().join("authority"), _directory: directory }
    }

    /// After `init`.
    pub fn new() -> Self {
        let installed = Self::empty();
        installed.json(&["init", "--name", "acme", "--address", "https://localhost:8443"]);
        installed
    }

    /// With a customer, a product and a license; gives the activation id, too.
    pub fn stocked(quantity: &str) -> (Self, String) {
        let installed = Self::new();
        installed.json(&["organization", "add", "Acme Works"]);
        installed.json(&["product", "add", "Historian", "--feature", "points=500:version=2.5:advisory"]);
        let add = ["license", "add", "--organization", "Acme Works", "--product", "Historian"];
        let added = installed.json(&[&add[..], &["--quantity", quantity, "--devices", quantity]].concat());
        let activation = added["activation_id"].as_str().unwrap().to_owned();
        (installed, activation)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        command(&self.data).args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that must succeed, for people.
    pub fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail; gives its exit code and what it said.
    pub fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    pub fn ca(&self) -> String {
        std::fs::read_to_string(self.data.join("tls/ca.pem")).unwrap()
    }

    /// Starts `serve` on a free port and waits until it listens.
    pub fn serve(&self) -> Served {
        Served::start(command(&self.data).args(["serve", "--listen", "127.0.0.1:0"]))
    }

    /// The same, for tests that ask faster than devices do.
    pub fn serve_unbounded(&self) -> Served {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--max-requests-each", "0"];
        Served::start(command(&self.data).args(arguments))
    }

    /// The same, for a process whose files may be kept from growing: the kernel's signal about that is ignored.
    pub fn serve_bounded(&self) -> Served {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_landfast-authority")]);
        Served::start(shell.arg("--data").arg(&self.data).args(["serve", "--listen", "127.0.0.1:0"]))
    }
}

/// A running `serve`.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
}

impl Served {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening on https://").map(|address| address.parse().unwrap());
        let Some(address) = address else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("serve did not start: {line}{said}");
        };
        Self { child, address }
    }

    /// No file of the process grows beyond this from now on, as on a full disk; none takes that back.
    pub fn bound_files(&self, bytes: Option<u64>) {
        let id = rustix::process::Pid::from_child(&self.child);
        let limit = rustix::process::Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(Some(id), rustix::process::Resource::Fsize, limit).unwrap();
    }

    /// SIGTERM; gives the exit code and the log.
    pub fn stop(mut self) -> (Option<i32>, String) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
