//! The vendor: the real authority, on this host's loopback, reached over the splice only.

use super::Lab;
use super::machine::VENDOR;
use super::process::{Process, Ran, run};
use super::wait::{CONDITION, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The vendor's name, which is the issuer's.
pub const NAME: &str = "acme";
/// What its product grants.
pub const FEATURE: &str = "points";

/// A vendor that serves.
pub struct Vendor {
    /// Where it listens.
    pub address: SocketAddr,
    program: PathBuf,
    data: PathBuf,
    _serve: Process,
}

impl Vendor {
    /// Sets a vendor up, with a customer and a product, and lets it serve.
    pub fn start(lab: &Lab, directory: &Path) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (program, data) = (lab.programs.authority.clone(), directory.join("vendor"));
        let authority = |arguments: &[&str]| command(&program, &data, arguments)?.ok();
        authority(&["init", "--name", NAME, "--address", &format!("https://{VENDOR}")])?;
        authority(&["organization", "add", "plant"])?;
        authority(&["product", "add", "control", "--feature", FEATURE])?;
        let listen = address.to_string();
        let mut line = vec!["--data".to_owned(), data.display().to_string()];
        line.extend(["serve", "--listen", &listen].map(str::to_owned));
        let mut serve = Process::start(&program, line, directory, &directory.join("vendor.log"))?;
        wait_for("the authority to listen", CONDITION, || {
            serve.runs()?;
            Ok(TcpStream::connect(address).ok())
        })?;
        Ok(Self { address, program, data, _serve: serve })
    }

    /// Sells a license for one device; `more` are options of `license add`. Gives its activation id.
    pub fn sell(&self, more: &[&str]) -> Result<String> {
        let mut line = vec!["license", "add", "--json", "--organization", "plant", "--product", "control"];
        line.extend(["--quantity", "10", "--devices", "1"]);
        line.extend(more);
        let sold = self.authority(&line)?.json()?;
        Ok(sold["activation_id"].as_str().context("no activation id")?.to_owned())
    }

    /// Every license: how it is sold, and how much of it is in use.
    pub fn licenses(&self) -> Result<Vec<Value>> {
        let shown = self.authority(&["license", "list", "--json"])?.json()?;
        Ok(shown.as_array().context("no list of licenses")?.clone())
    }

    /// Units of all licenses that devices hold.
    pub fn units_in_use(&self) -> Result<u64> {
        Ok(self.licenses()?.iter().filter_map(|license| license["units_in_use"].as_u64()).sum())
    }

    /// How often something happened, by its name in the history: `activated`, `returned`.
    pub fn happened(&self, event: &str) -> Result<usize> {
        let shown = self.authority(&["history", "--last", "1000", "--json"])?.json()?;
        let entries = shown.as_array().context("no history")?;
        Ok(entries.iter().filter(|entry| entry["event"] == event).count())
    }

    /// Fails if the history was changed, or somebody has to decide something.
    pub fn is_at_peace(&self) -> Result<()> {
        self.authority(&["history", "verify"])?.ok()?;
        let cases = self.authority(&["case", "list", "--json"])?.json()?;
        ensure!(cases.as_array().is_some_and(Vec::is_empty), "the vendor has cases: {cases}");
        Ok(())
    }

    /// The file that field servers pin.
    pub fn issuer_file(&self) -> PathBuf {
        self.data.join("issuers").join(format!("{NAME}.toml"))
    }

    /// How a person runs its commands.
    pub fn shown(&self) -> String {
        format!("{} --data {}", self.program.display(), self.data.display())
    }

    fn authority(&self, arguments: &[&str]) -> Result<Ran> {
        command(&self.program, &self.data, arguments)
    }
}

fn command(program: &Path, data: &Path, arguments: &[&str]) -> Result<Ran> {
    run(Command::new(program).arg("--data").arg(data).args(arguments))
}
