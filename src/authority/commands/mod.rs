//! The command line of `landfast-authority`, one file per command.

mod aside;
mod case;
mod device;
mod epoch;
mod error;
mod history;
mod init;
mod key;
mod license;
mod organization;
mod output;
mod product;
mod serve;
mod tls;

use crate::adapters::{Clock, SystemClock, SystemEntropy};
use crate::home::Home;
use crate::storage::admin::Act;
use crate::storage::sqlite;
use clap::{Parser, Subcommand};
use error::CommandError;
use landfast_protocol::Text;
use output::Report;
use sqlx::SqliteConnection;
use std::path::PathBuf;
use std::process::ExitCode;

/// The vendor's side of Landfast: sells licenses, answers devices, keeps the history.
#[derive(Debug, Parser)]
#[command(
    name = "landfast-authority",
    version,
    after_help = "Exit codes: 0 done; 1 refused by rule; 2 usage; 3 database not reachable; 4 bad input; 5 not permitted.\n\
                  Commands act on the database directly and may be used while `serve` runs."
)]
pub struct Cli {
    /// The directory with the keys and the database.
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/landfast-authority")]
    data: PathBuf,
    /// Print JSON for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up an authority: keys, certificates, database, and the issuer file that devices pin.
    Init(init::Init),
    /// Answer devices over HTTPS.
    Serve(serve::Serve),
    /// Customers.
    #[command(subcommand)]
    Organization(organization::Organization),
    /// What is licensed.
    #[command(subcommand)]
    Product(product::Product),
    /// What is sold, and who holds it.
    #[command(subcommand)]
    License(license::License),
    /// The machines that hold licenses.
    #[command(subcommand)]
    Device(device::Device),
    /// Everything that happened, in order; each entry carries the hash of the one before it.
    History(history::History),
    /// Forked histories: two copies of one device were seen, and nothing is executed until a person decides.
    #[command(subcommand)]
    Case(case::Case),
    /// What to do after the database was restored from a backup.
    #[command(subcommand)]
    Epoch(epoch::Epoch),
    /// The key that signs answers.
    #[command(subcommand)]
    Key(key::Key),
    /// The certificate that `serve` shows.
    #[command(subcommand)]
    Tls(tls::Tls),
}

/// What commands work with.
struct Context {
    data: PathBuf,
    json: bool,
    clock: SystemClock,
    entropy: SystemEntropy,
}

impl Context {
    fn home(&self) -> Result<Home, CommandError> {
        Ok(Home::open(&self.data)?)
    }

    async fn connect(&self) -> Result<SqliteConnection, CommandError> {
        Ok(sqlite::connect(&self.home()?.database()).await?)
    }

    /// Who acts, for the history.
    fn act(&self) -> Act {
        let name = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let name = name.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
        Act { actor: Text::lossy(&format!("operator {name}")), now: self.clock.now() }
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { data, json, command } = Cli::parse();
    let context = Context { data, json, clock: SystemClock, entropy: SystemEntropy };
    let done = tokio::runtime::Runtime::new()
        .map_err(CommandError::Runtime)
        .and_then(|runtime| runtime.block_on(run(command, &context)));
    match done {
        Ok(report) => report.print(json),
        Err(error) => error.print(json),
    }
}

async fn run(command: Command, context: &Context) -> Result<Report, CommandError> {
    match command {
        Command::Init(args) => args.run(context).await,
        Command::Serve(args) => args.run(context).await,
        Command::Organization(args) => args.run(context).await,
        Command::Product(args) => args.run(context).await,
        Command::License(args) => args.run(context).await,
        Command::Device(args) => args.run(context).await,
        Command::History(args) => args.run(context).await,
        Command::Case(args) => args.run(context).await,
        Command::Epoch(args) => args.run(context).await,
        Command::Key(args) => args.run(context).await,
        Command::Tls(args) => args.run(context),
    }
}
