//! A vendor and a field server for one session, and a shell to type into.

use crate::normal;
use crate::programs::{Daemon, directory};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A recorded machine: what identifies it, and nothing that depends on where this runs.
const MACHINE: [(&str, &str); 6] = [
    ("sys/class/dmi/id/product_uuid", "7b1e04c2-9a5d-4f38-b602-0030d6000101\n"),
    ("sys/class/dmi/id/board_serial", "WI24B00001\n"),
    ("sys/class/dmi/id/product_serial", "To be filled by O.E.M.\n"),
    ("sys/class/dmi/id/chassis_serial", "WI24C00001\n"),
    ("etc/machine-id", "5f0c94e1b37a4d2e8a61c0d7e9b20001\n"),
    (
        "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 150\nstepping\t: 1\nflags\t\t: fpu\n",
    ),
];

pub struct Stage {
    agent: Option<Daemon>,
    authority: Option<Daemon>,
    port: u16,
    /// Activation ids: what `$PERPETUAL` and `$YEARLY` stand for.
    secrets: Vec<(&'static str, String)>,
    directory: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut stage = Self {
            agent: None,
            authority: None,
            port,
            secrets: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
        };
        stage.vendor();
        stage.happens("the authority comes back");
        for (at, content) in MACHINE {
            stage.write(&format!("root/{at}"), content);
        }
        for empty in ["root/sys/block", "root/sys/class/net"] {
            std::fs::create_dir_all(stage.path(empty)).unwrap();
        }
        stage.write("config/agent.toml", "");
        let pinned = std::fs::read_to_string(stage.path("authority/issuers/acme.toml")).unwrap();
        stage.write("config/issuers.d/acme.toml", &pinned);
        for path in ["config", "config/issuers.d"] {
            std::fs::set_permissions(stage.path(path), PermissionsExt::from_mode(0o755)).unwrap();
        }
        stage.happens("the agent starts");
        stage
    }

    /// An authority with a customer, a product and two licenses.
    fn vendor(&mut self) {
        let address = format!("https://localhost:{}", self.port);
        self.sells(&["init", "--name", "acme", "--address", &address]);
        self.sells(&["organization", "add", "plant"]);
        self.sells(&["product", "add", "control", "--feature", "points"]);
        // Licenses are listed in the order of their ids, which are drawn: sold until the first comes first.
        loop {
            let perpetual = self.sold(&["--model", "perpetual", "--quantity", "10"]);
            let yearly = self.sold(&["--model", "subscription", "--term", "365d", "--quantity", "5"]);
            if perpetual.1 < yearly.1 {
                self.secrets = vec![("PERPETUAL", perpetual.0), ("YEARLY", yearly.0)];
                return;
            }
        }
    }

    /// A license that was sold on these terms: its activation id and its license id.
    fn sold(&self, terms: &[&str]) -> (String, String) {
        let license = ["license", "add", "--json", "--organization", "plant", "--product", "control"];
        let sold = self.sells(&[&license[..], &["--devices", "1"], terms].concat());
        let sold: serde_json::Value = serde_json::from_str(&sold).unwrap();
        let member =
            |name: &str| sold[name].as_str().unwrap_or_else(|| panic!("{name} in {sold}")).to_owned();
        (member("activation_id"), member("license"))
    }

    fn sells(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(directory().join("landfast-authority"));
        let done = command.arg("--data").arg(self.path("authority")).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Something that is not typed.
    pub fn happens(&mut self, what: &str) {
        match what {
            "the authority goes away" => self.authority = None,
            "the authority comes back" => {
                let (data, listen) = (self.path("authority"), format!("127.0.0.1:{}", self.port));
                let arguments = ["--data", text(&data), "serve", "--listen", &listen];
                let port = self.port;
                let ready = || TcpStream::connect(("127.0.0.1", port)).is_ok();
                let log = self.path("authority.log");
                self.authority = Some(Daemon::start("landfast-authority", &arguments, &log, ready));
            }
            "the agent is killed" => self.agent = None,
            "the agent starts" => {
                let paths = ["config", "state", "agent.sock", "root"].map(|name| self.path(name));
                let [config, state, socket, root] = paths.each_ref().map(|path| text(path));
                let arguments = ["--config", config, "--state", state, "--socket", socket];
                let arguments = [&arguments[..], &["--sysroot", root, "--bus", "none"]].concat();
                let ready = || UnixStream::connect(socket).is_ok();
                self.agent = Some(Daemon::start("landfastd", &arguments, &self.path("agent.log"), ready));
            }
            "the chassis is replaced" => self.write("root/sys/class/dmi/id/chassis_serial", "WI24C00002\n"),
            "the disk is reinstalled" => {
                self.write("root/etc/machine-id", "11112222333344445555666677778888\n");
            }
            "the board is replaced" => {
                self.write("root/sys/class/dmi/id/product_uuid", "7b1e04c2-9a5d-4f38-b602-0030d6000202\n");
                self.write("root/sys/class/dmi/id/board_serial", "WI24B00002\n");
            }
            other => panic!("nobody knows how to play `{other}`"),
        }
    }

    /// One line in a shell: what is printed, and the exit code.
    pub fn types(&self, line: &str) -> (String, i32) {
        let path = format!("{}:{}", directory().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1; {line}")]).current_dir(self.directory.path());
        shell.env("PATH", path).env("LC_ALL", "C").env("LANDFAST_SOCKET", self.path("agent.sock"));
        shell.env("PORT", self.port.to_string()).envs(self.secrets.iter().cloned());
        let done = shell.stdin(Stdio::null()).output().unwrap();
        let output = String::from_utf8(done.stdout).unwrap();
        for (name, id) in &self.secrets {
            assert!(!output.contains(id), "`{line}` shows the activation id ${name}: {output}");
        }
        let directory = self.directory.path().to_str().unwrap();
        let output = output.replace(directory, "DIR").replace(&self.port.to_string(), "PORT");
        (normal::form(&output), done.status.code().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
