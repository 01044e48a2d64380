//! Commands of administrators, put to the loop for one issuer or for each that is concerned.

use crate::desk::{Answer, Ask, Command, Desk};
use crate::front::{Fault, resolve, shapes};
use landfast_core::Snapshot;
use landfast_core::effect::Refusal;
use landfast_core::event::Selection;
use landfast_core::view::IssuerView;
use landfast_protocol::local::{
    Carriage, CommandReply, CommandRequest, History, HistoryEntry, LicenseChoice, OperationResult, Verb,
};
use landfast_protocol::{Duration, LicenseId, Timestamp};
use std::collections::BTreeSet;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

/// Carries out a command. The caller has checked that an administrator asks.
pub async fn run(desk: &Desk, request: &CommandRequest) -> Result<CommandReply, Fault> {
    let snapshot = desk.snapshot.load_full();
    let by_file = request.delivery == Carriage::File;
    let takes_licenses = matches!(request.command, Verb::Activate | Verb::Return);
    if !takes_licenses && !request.licenses.is_empty() {
        return Err(Fault::BadInput("`licenses` go with activate and return only".to_owned()));
    }
    if request.command != Verb::Return && (request.all || request.dry_run) {
        return Err(Fault::BadInput("`all` and `dry_run` go with return only".to_owned()));
    }
    if request.command != Verb::PlanChange && request.window_seconds.is_some() {
        return Err(Fault::BadInput("`window_seconds` goes with plan_change only".to_owned()));
    }
    let name = request.issuer.as_deref();
    match request.command {
        Verb::Activate => activate(desk, &snapshot, name, &request.licenses, by_file).await,
        Verb::Return => {
            let selections = select(&snapshot, name, request)?;
            if request.dry_run {
                return dry_run(&snapshot, &selections);
            }
            let commands = selections
                .into_iter()
                .map(|(at, selection)| (at, Command::Return { selection, by_file }))
                .collect();
            each(desk, &snapshot, "return", commands, by_file).await
        }
        Verb::Reclaim => {
            let issuers = resolve::issuers(&snapshot, name)?;
            let commands = issuers.into_iter().map(|at| (at, Command::Reclaim { by_file })).collect();
            each(desk, &snapshot, "reclaim", commands, by_file).await
        }
        Verb::PlanChange => {
            let missing = || Fault::BadInput("a planned change needs `window_seconds`".to_owned());
            let window = Duration(request.window_seconds.ok_or_else(missing)?);
            let issuers = concerned(&snapshot, resolve::issuers(&snapshot, name)?);
            let commands = issuers.into_iter().map(|at| (at, Command::PlanChange { window, by_file }));
            each(desk, &snapshot, "plan_change", commands.collect(), by_file).await
        }
        Verb::Rescan => rescan(desk).await,
    }
}

/// Looks at the hardware now.
pub async fn rescan(desk: &Desk) -> Result<CommandReply, Fault> {
    let before = desk.snapshot.load_full();
    resolve::issuers(&before, None)?;
    ask(desk, 0, Command::Rescan).await?;
    let after = desk.snapshot.load_full();
    let verdicts = |snapshot: &Snapshot| -> Vec<_> {
        snapshot.issuers.iter().map(|view| (view.binding.state, view.binding.score_permille)).collect()
    };
    Ok(CommandReply { changed: verdicts(&before) != verdicts(&after), ..CommandReply::default() })
}

/// Applies a response that was carried by hand, raw or in armor.
pub async fn import(desk: &Desk, message: &[u8]) -> Result<CommandReply, Fault> {
    let snapshot = desk.snapshot.load_full();
    let (at, bytes) = resolve::message(&snapshot, message)?;
    done(desk, &snapshot, at, Command::Import(bytes)).await
}

/// The history of one issuer or of all, oldest first, at most the newest `limit` lines.
pub async fn history(
    desk: &Desk,
    issuer: Option<&str>,
    since: Option<Timestamp>,
    limit: usize,
) -> Result<History, Fault> {
    let snapshot = desk.snapshot.load_full();
    let mut entries: Vec<HistoryEntry> = Vec::new();
    for at in resolve::issuers(&snapshot, issuer)? {
        if let Answer::History(lines) = ask(desk, at, Command::History { since, limit }).await? {
            entries.extend(lines.into_iter().map(|line| shapes::history(name(&snapshot, at), line)));
        }
    }
    entries.sort_by_key(|entry| entry.at);
    let surplus = entries.len().saturating_sub(limit);
    entries.drain(..surplus);
    Ok(History { entries })
}

async fn activate(
    desk: &Desk,
    snapshot: &Snapshot,
    issuer: Option<&str>,
    choices: &[LicenseChoice],
    by_file: bool,
) -> Result<CommandReply, Fault> {
    if choices.is_empty() {
        return Err(Fault::BadInput("name at least one activation id".to_owned()));
    }
    let at = resolve::one_issuer(snapshot, issuer)?;
    let licenses = choices
        .iter()
        .map(|choice| Ok((resolve::activation_id(&choice.id)?, choice.quantity)))
        .collect::<Result<_, Fault>>()?;
    done(desk, snapshot, at, Command::Activate { licenses, by_file }).await
}

/// Licenses with the units to give back.
type Chosen = Vec<(LicenseId, Option<u32>)>;

/// What a return means at each issuer that is concerned.
fn select(
    snapshot: &Snapshot,
    issuer: Option<&str>,
    request: &CommandRequest,
) -> Result<Vec<(usize, Selection)>, Fault> {
    let among = resolve::issuers(snapshot, issuer)?;
    if request.all {
        if !request.licenses.is_empty() {
            return Err(Fault::BadInput("give `licenses` or `all`, not both".to_owned()));
        }
        return Ok(concerned(snapshot, among).into_iter().map(|at| (at, Selection::All)).collect());
    }
    if request.licenses.is_empty() {
        return Err(Fault::BadInput("name at least one license, or set `all`".to_owned()));
    }
    let mut selections: Vec<(usize, Chosen)> = Vec::new();
    for choice in &request.licenses {
        let (at, license) = resolve::license(snapshot, &among, choice)?;
        match selections.iter_mut().find(|(other, _)| *other == at) {
            Some((_, licenses)) => licenses.push((license, choice.quantity)),
            None => selections.push((at, vec![(license, choice.quantity)])),
        }
    }
    Ok(selections.into_iter().map(|(at, licenses)| (at, Selection::Licenses(licenses))).collect())
}

/// The issuers of whom something is held or being activated. With nothing anywhere it is the first one, whose machine
/// says so from its own state.
fn concerned(snapshot: &Snapshot, among: Vec<usize>) -> Vec<usize> {
    let concerned = |at: &usize| snapshot.issuers.get(*at).is_some_and(|view| !expand_all(view).is_empty());
    let found: Vec<usize> = among.iter().copied().filter(concerned).collect();
    if found.is_empty() { among.into_iter().take(1).collect() } else { found }
}

/// Everything held or still being activated.
fn expand_all(view: &IssuerView) -> BTreeSet<LicenseId> {
    let activating = view.pending.iter().filter(|pending| pending.action == "activate");
    let held = view.licenses.iter().map(|license| license.license);
    held.chain(activating.filter_map(|pending| pending.license)).collect()
}

/// What would be returned. It refuses what a return would refuse.
fn dry_run(snapshot: &Snapshot, selections: &[(usize, Selection)]) -> Result<CommandReply, Fault> {
    let mut results = Vec::new();
    for (at, selection) in selections {
        let Some(view) = snapshot.issuers.get(*at) else { continue };
        if view.alerts.iter().any(|alert| alert.code == "store_lost") {
            return Err(Refusal::StoreLost.into());
        }
        let chosen = match selection {
            Selection::All => expand_all(view).into_iter().map(|license| (license, None)).collect(),
            Selection::Licenses(licenses) => licenses.clone(),
        };
        if chosen.is_empty() {
            return Err(Refusal::NothingHeld.into());
        }
        for (at, (license, asked)) in chosen.iter().enumerate() {
            if asked.is_some_and(|units| units == 0) {
                return Err(Refusal::BadCommand("zero units were asked for").into());
            }
            if chosen[..at].iter().any(|(other, _)| other == license) {
                return Err(Refusal::BadCommand("a license is named twice").into());
            }
            results.push(possible(view, *license, *asked)?);
        }
    }
    Ok(CommandReply { results, changed: false, request: None })
}

fn possible(view: &IssuerView, license: LicenseId, asked: Option<u32>) -> Result<OperationResult, Fault> {
    let on_its_way = |action| view.pending.iter().any(|p| p.action == action && p.license == Some(license));
    let (quantity, detail) = match view.licenses.iter().find(|held| held.license == license) {
        Some(held) => {
            let units = asked.unwrap_or(held.quantity);
            if units > held.quantity {
                return Err(Refusal::TooMany { license, held: held.quantity, asked: units }.into());
            }
            (Some(units), format!("{units} of {} units of {} would be returned", held.quantity, held.product))
        }
        None if on_its_way("activate") => (asked, "its activation would be cancelled".to_owned()),
        None if on_its_way("return") => (asked, "its return is on its way already".to_owned()),
        None => return Err(Refusal::NotHeld(license).into()),
    };
    Ok(OperationResult {
        issuer: view.name.clone(),
        action: "return".to_owned(),
        license: Some(license),
        quantity,
        outcome: "possible".to_owned(),
        detail: Some(detail),
        ..OperationResult::default()
    })
}

/// Puts one command to each issuer concerned. With one, its refusal is the answer; with several, a refusal stands
/// among the results, unless all refuse.
async fn each(
    desk: &Desk,
    snapshot: &Snapshot,
    action: &str,
    commands: Vec<(usize, Command)>,
    by_file: bool,
) -> Result<CommandReply, Fault> {
    if by_file && commands.len() > 1 {
        // One file goes to one authority.
        resolve::one_issuer(snapshot, None)?;
    }
    let several = commands.len() > 1;
    let mut total = CommandReply::default();
    let (mut succeeded, mut first) = (false, None);
    // Each has an authority of its own: a slow one holds up nobody else's.
    let asked = commands.into_iter().map(async |(at, command)| (at, done(desk, snapshot, at, command).await));
    for (at, answer) in futures_util::future::join_all(asked).await {
        match answer {
            Ok(reply) => {
                succeeded = true;
                total.results.extend(reply.results);
                total.changed |= reply.changed;
                total.request = total.request.or(reply.request);
            }
            Err(fault) if several => {
                total.results.push(refused(name(snapshot, at), action, &fault));
                first = first.or(Some(fault));
            }
            Err(fault) => return Err(fault),
        }
    }
    match first {
        Some(fault) if !succeeded => Err(fault),
        _ => Ok(total),
    }
}

fn refused(issuer: &str, action: &str, fault: &Fault) -> OperationResult {
    OperationResult {
        issuer: issuer.to_owned(),
        action: action.to_owned(),
        outcome: "refused".to_owned(),
        reason: Some(fault.code().to_owned()),
        detail: Some(fault.to_string()),
        advice: Some(fault.advice()),
        ..OperationResult::default()
    }
}

fn name(snapshot: &Snapshot, at: usize) -> &str {
    snapshot.issuers.get(at).map_or("", |view| view.name.as_str())
}

async fn done(desk: &Desk, snapshot: &Snapshot, at: usize, command: Command) -> Result<CommandReply, Fault> {
    match ask(desk, at, command).await? {
        Answer::Done(reply) => Ok(shapes::reply(name(snapshot, at), reply)),
        Answer::Rescanned | Answer::History(_) => Ok(CommandReply::default()),
    }
}

async fn ask(desk: &Desk, issuer: usize, command: Command) -> Result<Answer, Fault> {
    let (answer, reply) = oneshot::channel();
    desk.commands.try_send(Ask { command, issuer, answer }).map_err(|error| match error {
        TrySendError::Full(_) => Fault::Busy,
        TrySendError::Closed(_) => Fault::Stopping,
    })?;
    Ok(reply.await.map_err(|_| Fault::Stopping)??)
}
