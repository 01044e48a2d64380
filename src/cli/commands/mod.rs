//! One file per command: its options, what it asks the agent, and how the answer reads.

pub(crate) mod activate;
pub(crate) mod check;
pub(crate) mod completions;
mod delivery;
pub(crate) mod doctor;
pub(crate) mod fingerprint;
pub(crate) mod give_back;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod licenses;
mod outcome;
pub(crate) mod pending;
pub(crate) mod plan_change;
pub(crate) mod reclaim;
pub(crate) mod rescan;
pub(crate) mod runway;
pub(crate) mod status;
pub(crate) mod what_if;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::report::Report;
use crate::screen::Screen;
use landfast_client::Agent;
use landfast_client::api::{IssuerStatus, Status};

/// What every command has.
pub(crate) struct Context<'a> {
    pub(crate) agent: Agent,
    pub(crate) screen: &'a Screen,
    pub(crate) issuer: Option<String>,
}

/// Carries out what the arguments say.
pub async fn run(arguments: Arguments, screen: &Screen) -> Result<Report, Failure> {
    let Arguments { socket, issuer, command, .. } = arguments;
    let context = Context { agent: Agent::at(socket), screen, issuer };
    match command {
        Command::Status(_) => status::run(&context).await,
        Command::Licenses(_) => licenses::run(&context).await,
        Command::Check(options) => check::run(&context, &options).await,
        Command::Fingerprint(_) => fingerprint::run(&context).await,
        Command::WhatIf(options) => what_if::run(&context, &options).await,
        Command::Runway(_) => runway::run(&context).await,
        Command::History(options) => history::run(&context, &options).await,
        Command::Pending(_) => pending::run(&context).await,
        Command::Activate(options) => activate::run(&context, &options).await,
        Command::Return(options) => give_back::run(&context, &options).await,
        Command::Reclaim(options) => reclaim::run(&context, &options).await,
        Command::PlanChange(options) => plan_change::run(&context, &options).await,
        Command::Rescan(_) => rescan::run(&context).await,
        Command::Import(options) => import::run(&context, &options).await,
        Command::Doctor(_) => doctor::run(&context).await,
        Command::Completions(options) => Ok(completions::run(&options)),
    }
}

impl Context<'_> {
    /// How it stands, with the issuer that was asked for, or all.
    pub(crate) async fn status(&self, thing: &str) -> Result<Status, Failure> {
        let mut status = self.agent.status().await.map_err(|error| Failure::of(thing, &error))?;
        let known: Vec<String> = status.issuers.iter().map(|issuer| issuer.name.clone()).collect();
        self.known(thing, &known)?;
        status.issuers.retain(|issuer: &IssuerStatus| self.wants(&issuer.name));
        Ok(status)
    }

    /// Refuses an issuer that is not configured, which would otherwise look like one without licenses.
    pub(crate) fn known(&self, thing: &str, names: &[String]) -> Result<(), Failure> {
        let Some(wanted) = self.issuer.as_ref().filter(|wanted| !names.contains(wanted)) else {
            return Ok(());
        };
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let message = format!("no issuer is named `{wanted}`; configured: {known}");
        Err(Failure::new(thing, "unknown_issuer", message, "name a configured issuer with --issuer"))
    }

    /// Whether this issuer was asked for.
    pub(crate) fn wants(&self, issuer: &str) -> bool {
        self.issuer.as_deref().is_none_or(|wanted| wanted == issuer)
    }
}
