//! The one definition of commands and options.

use crate::commands::{
    activate, check, completions, doctor, fingerprint, give_back, history, import, licenses, pending,
    plan_change, reclaim, rescan, runway, status, what_if,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Options that every command takes.
const GLOBAL: &str = "Global options";

/// Administers the licenses of this machine.
///
/// It asks landfastd, the agent of this machine, over its Unix socket. Whoever may connect may
/// read; activate, return, reclaim, plan-change, rescan and import are for root and the agent's
/// own user.
#[derive(Debug, Parser)]
#[command(name = "landfast", version, after_help = crate::exit::HELP, verbatim_doc_comment)]
pub struct Arguments {
    /// The agent's socket.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "LANDFAST_SOCKET",
        default_value = landfast_client::api::SOCKET,
        hide_env_values = true,
        help_heading = GLOBAL
    )]
    pub socket: PathBuf,
    /// Print JSON for programs, errors too, on standard output.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// Only this issuer, by its configured name; to activate, needed where there are several.
    #[arg(long, global = true, value_name = "NAME", help_heading = GLOBAL)]
    pub issuer: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how it stands: what needs you, what ends when, and what to do.
    Status(status::Options),
    /// List the licenses of this machine with their features.
    Licenses(licenses::Options),
    /// Ask whether a feature may be used.
    Check(check::Options),
    /// Show the hardware evidence: what counts, what does not and why, the score and the margin.
    Fingerprint(fingerprint::Options),
    /// Ask what a change of the hardware would do to the licenses, before touching anything.
    WhatIf(what_if::Options),
    /// Show how long each feature stays granted if nothing changes.
    Runway(runway::Options),
    /// Show what happened.
    History(history::Options),
    /// List operations that have no result yet, with their cases.
    Pending(pending::Options),
    /// Take licenses.
    Activate(activate::Options),
    /// Give licenses back, for use on another machine. Final as soon as it is asked for.
    Return(give_back::Options),
    /// Get the latest license information from the authority.
    Reclaim(reclaim::Options),
    /// Announce a swap of hardware: the next change is taken over without a break, once.
    PlanChange(plan_change::Options),
    /// Look at the hardware now.
    Rescan(rescan::Options),
    /// Apply response files (.lfres) that were carried by hand or by a fleet tool.
    Import(import::Options),
    /// Check that everything works, with the next step where it does not.
    Doctor(doctor::Options),
    /// Print the completions for a shell.
    Completions(completions::Options),
}
