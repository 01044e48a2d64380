//! A field server: `landfastd` on directories of its own, and `landfast` to speak to it.

use super::{Authority, Bus, Process, Ran, binary, run, wait_for};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A field server.
pub struct Agent {
    /// Holds configuration, state and socket.
    pub directory: PathBuf,
    options: AgentOptions,
    process: Option<Process>,
}

/// How an agent is started.
#[derive(Clone, Debug, Default)]
pub struct AgentOptions {
    /// The bus to appear on; none for no bus.
    pub bus: Option<String>,
    /// A recorded machine in place of this one.
    pub sysroot: Option<PathBuf>,
    /// Further environment.
    pub environment: Vec<(String, String)>,
    /// Text of `agent.toml`.
    pub config: String,
    /// Another program than the built `landfastd`.
    pub program: Option<PathBuf>,
}

impl AgentOptions {
    /// On a bus.
    #[must_use]
    pub fn on(mut self, bus: &Bus) -> Self {
        self.bus = Some(bus.address.clone());
        self
    }
}

impl Agent {
    /// Makes the directories of a field server that trusts these vendors, without starting it.
    pub fn install(parent: &Path, name: &str, vendors: &[&Authority], options: AgentOptions) -> Result<Self> {
        let directory = parent.join(name);
        let issuers = directory.join("config/issuers.d");
        std::fs::create_dir_all(&issuers)?;
        std::fs::write(directory.join("config/agent.toml"), &options.config)?;
        for vendor in vendors {
            std::fs::copy(vendor.issuer_file(), issuers.join(format!("{}.toml", vendor.name)))?;
        }
        let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        for path in [directory.clone(), directory.join("config"), issuers] {
            std::fs::set_permissions(path, private.clone())?;
        }
        Ok(Self { directory, options, process: None })
    }

    /// Installs and starts.
    pub fn start(parent: &Path, name: &str, vendors: &[&Authority], options: AgentOptions) -> Result<Self> {
        let mut agent = Self::install(parent, name, vendors, options)?;
        agent.run()?;
        Ok(agent)
    }

    /// The local HTTP socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("agent.sock")
    }

    /// The command line that starts it.
    pub fn daemon(&self) -> Result<Command> {
        let program = match &self.options.program {
            Some(program) => program.clone(),
            None => binary("landfastd")?,
        };
        let mut command = Command::new(program);
        command.arg("--config").arg(self.directory.join("config"));
        command.arg("--state").arg(self.directory.join("state"));
        command.arg("--socket").arg(self.socket());
        command.arg("--bus").arg(self.options.bus.as_deref().unwrap_or("none"));
        if let Some(root) = &self.options.sysroot {
            command.arg("--sysroot").arg(root);
        }
        command.envs(self.options.environment.clone());
        Ok(command)
    }

    /// Starts it and waits until it answers.
    pub fn run(&mut self) -> Result<()> {
        let mut process = Process::start(&mut self.daemon()?, &self.directory.join("agent.log"))?;
        let socket = self.socket();
        wait_for("the agent to answer", || {
            let up = std::os::unix::net::UnixStream::connect(&socket).is_ok();
            (up || process.ended().is_some()).then_some(())
        })?;
        ensure!(process.ended().is_none(), "the agent ended: {}", process.output());
        self.process = Some(process);
        Ok(())
    }

    /// The running daemon.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().ok_or_else(|| anyhow::anyhow!("the agent is not running"))
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("agent.log")).unwrap_or_default()
    }

    /// Ends it in good order.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.stop()?;
        }
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Changes how it is started the next time.
    pub fn options(&mut self) -> &mut AgentOptions {
        &mut self.options
    }

    /// Runs `landfast` against it.
    pub fn landfast(&self, arguments: &[&str]) -> Result<Ran> {
        let mut command = Command::new(binary("landfast")?);
        run(command.arg("--socket").arg(self.socket()).args(arguments), "")
    }

    /// Activates and expects it to be done.
    pub fn activate(&self, id: &str) -> Result<()> {
        self.landfast(&["activate", id])?.ok().map(drop)
    }

    /// The answer to a check, as `landfast check --json` gives it.
    pub fn check(&self, feature: &str) -> Result<serde_json::Value> {
        self.landfast(&["check", feature, "--json"])?.json()
    }

    /// Whether a feature is granted.
    pub fn granted(&self, feature: &str) -> Result<bool> {
        Ok(self.check(feature)?["granted"].as_bool().unwrap_or(false))
    }
}
