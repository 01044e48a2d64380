//! A vendor: `landfast-authority` on a directory of its own.

use super::{Process, Ran, binary, run, wait_for};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A vendor's authority.
pub struct Authority {
    /// Its data directory.
    pub directory: PathBuf,
    /// Its name, which is the issuer's.
    pub name: String,
    /// Where it is reached.
    pub port: u16,
    process: Option<Process>,
}

/// What is sold with [`Authority::sell`].
pub struct Sale<'a> {
    /// The product.
    pub product: &'a str,
    /// Units.
    pub quantity: u32,
    /// Devices that may hold it at a time.
    pub devices: u32,
    /// Further options of `license add`.
    pub more: &'a [&'a str],
}

impl<'a> Sale<'a> {
    /// A perpetual license of one product.
    #[must_use]
    pub fn perpetual(product: &'a str, quantity: u32) -> Self {
        Self { product, quantity, devices: 1, more: &["--model", "perpetual"] }
    }
}

impl Authority {
    /// Makes keys, database and issuer file of a new vendor.
    pub fn init(parent: &Path, name: &str) -> Result<Self> {
        let port = free_port()?;
        let directory = parent.join(format!("authority-{name}"));
        let authority = Self { directory, name: name.to_owned(), port, process: None };
        let address = format!("https://localhost:{port}");
        authority.command(&["init", "--name", name, "--address", &address])?.ok()?;
        Ok(authority)
    }

    /// The same with a customer `plant` and a product `control` that has the feature `points`, and serving.
    pub fn start(parent: &Path, name: &str) -> Result<Self> {
        let mut authority = Self::init(parent, name)?;
        authority.command(&["organization", "add", "plant"])?.ok()?;
        authority.command(&["product", "add", "control", "--feature", "points"])?.ok()?;
        authority.serve()?;
        Ok(authority)
    }

    /// Starts to answer, or does nothing when it does already.
    pub fn serve(&mut self) -> Result<()> {
        self.serve_with(&[])
    }

    /// The same with further options of `serve`.
    pub fn serve_with(&mut self, more: &[&str]) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut command = Command::new(binary("landfast-authority")?);
        let listen = format!("127.0.0.1:{}", self.port);
        command.arg("--data").arg(&self.directory).args(["serve", "--listen", &listen]).args(more);
        let mut process = Process::start(&mut command, &self.directory.join("serve.log"))?;
        let port = self.port;
        wait_for("the authority to listen", || {
            let up = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
            (up || process.ended().is_some()).then_some(())
        })?;
        anyhow::ensure!(process.ended().is_none(), "the authority ended: {}", process.output());
        self.process = Some(process);
        Ok(())
    }

    /// The id of its process, while it serves.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Stops answering; everything is kept.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.stop()?;
        }
        Ok(())
    }

    /// Stops it as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// Runs one of its commands.
    pub fn command(&self, arguments: &[&str]) -> Result<Ran> {
        let mut command = Command::new(binary("landfast-authority")?);
        run(command.arg("--data").arg(&self.directory).args(arguments), "")
    }

    /// Sells a license to the customer `plant` and gives its activation id.
    pub fn sell(&self, sale: &Sale<'_>) -> Result<String> {
        let (quantity, devices) = (sale.quantity.to_string(), sale.devices.to_string());
        let mut arguments =
            vec!["license", "add", "--json", "--organization", "plant", "--product", sale.product];
        arguments.extend(["--quantity", &quantity, "--devices", &devices]);
        arguments.extend(sale.more);
        let ran = self.command(&arguments)?;
        let shown = ran.json()?;
        let id = shown["activation_id"].as_str().with_context(|| format!("no activation id: {ran:?}"))?;
        Ok(id.to_owned())
    }

    /// The file that devices pin.
    #[must_use]
    pub fn issuer_file(&self) -> PathBuf {
        self.directory.join("issuers").join(format!("{}.toml", self.name))
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
