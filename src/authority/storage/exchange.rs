//! One exchange as one transaction: archive, facts, rules, signature, save.

use crate::domain::device::DeviceRecord;
use crate::domain::exchange::{Decision, Facts, GrantContent, decide};
use crate::domain::history::{Entry, Event};
use crate::domain::stranger::{self, Reply};
use crate::signer::Signer;
use crate::storage::{Archived, Case, Changes, ExchangeError, Ledger, Passing, Reads, StorageError};
use landfast_protocol::request::{Opened, Request};
use landfast_protocol::{IssuerId, Text, Timestamp};

/// A request whose signature was verified, with its bytes.
#[derive(Clone, Debug)]
pub struct Incoming {
    bytes: Vec<u8>,
    opened: Opened,
}

/// Counters and sequences are stored as signed 64-bit numbers.
const LARGEST: u64 = i64::MAX as u64;

impl Incoming {
    /// Verifies a request frame and that it is for `issuer`. Needs no store, so that many can be verified at once.
    pub fn open(bytes: Vec<u8>, issuer: IssuerId) -> Result<Self, ExchangeError> {
        let opened = Request::open(&bytes)?;
        if opened.request.issuer != issuer {
            return Err(ExchangeError::ForeignIssuer { found: opened.request.issuer, own: issuer });
        }
        let previous = opened.request.previous;
        let numbers = [
            opened.name.counter,
            previous.map_or(0, |p| p.executed),
            previous.map_or(0, |p| p.position.sequence),
        ];
        if numbers.iter().any(|number| *number > LARGEST) {
            return Err(ExchangeError::OutOfRange);
        }
        Ok(Self { bytes, opened })
    }
}

/// Answers a request inside the transaction that `ledger` stands for.
pub async fn exchange<L: Ledger>(
    ledger: &mut L,
    signer: &Signer,
    incoming: Incoming,
    now: Timestamp,
    fresh: [u8; 8],
) -> Result<Vec<u8>, ExchangeError> {
    let Incoming { bytes, opened } = incoming;
    let reads = ledger.reads(&opened).await?;
    if let Some(response) = reads.archived {
        return Ok(response);
    }
    let facts = facts(signer.issuer(), reads);
    if let Some(reply) = stranger::reply(&facts, &opened, now)? {
        return pass(ledger, signer, reply, &opened).await;
    }
    let decision = decide(&facts, &opened, now, fresh)?;
    let current = match decision.grant {
        GrantContent::Current => Some(current_grant(ledger, &decision.device).await?),
        GrantContent::New(_) => None,
    };
    let (changes, response) = sign(signer, decision, current, bytes, now)?;
    changes.history.iter().for_each(|entry| announce(&entry.event));
    ledger.save(changes).await?;
    Ok(response)
}

/// Answers a stranger, and keeps nothing but the answer, for a while.
async fn pass<L: Ledger>(
    ledger: &mut L,
    signer: &Signer,
    reply: Reply,
    opened: &Opened,
) -> Result<Vec<u8>, ExchangeError> {
    let device = opened.key.device();
    tracing::info!(
        device = device.short(),
        operations = opened.request.operations.len(),
        "a request that shows no license was answered, and is not kept"
    );
    if let Some(reported) = reply.claimed {
        announce(&Event::UnknownGrantReported { device, reported, held: reply.grant.position });
    }
    let grant = signer.grant(&reply.grant)?;
    let response = signer.response(reply.response, grant)?;
    let passing = Passing { digest: opened.name.digest, response: response.clone() };
    ledger.save(Changes { passing: Some(passing), ..Changes::default() }).await?;
    Ok(response)
}

fn facts(issuer: IssuerId, reads: Reads) -> Facts {
    let Reads { archived: _, epoch, device, known, known_from, results, licenses } = reads;
    Facts { issuer, epoch, device, known_from, known, results, licenses }
}

async fn current_grant<L: Ledger>(ledger: &mut L, device: &DeviceRecord) -> Result<Vec<u8>, StorageError> {
    let missing = StorageError::Corrupt { what: "grant", reason: "it is missing".to_owned() };
    ledger.grant(&device.id()).await?.ok_or(missing)
}

/// Signs what was decided: the only step between the rules and the store that makes bytes.
fn sign(
    signer: &Signer,
    decision: Decision,
    current: Option<Vec<u8>>,
    request: Vec<u8>,
    now: Timestamp,
) -> Result<(Changes, Vec<u8>), ExchangeError> {
    let fresh = match &decision.grant {
        GrantContent::New(grant) => Some(signer.grant(grant)?),
        GrantContent::Current => None,
    };
    let carried = fresh.clone().or(current).unwrap_or_default();
    let response = signer.response(decision.response, carried)?;
    let device = decision.device.id();
    let actor: Text<80> = Text::lossy("device");
    let changes = Changes {
        grant: fresh,
        holdings: decision.holdings,
        results: decision.results,
        started: decision.started,
        archived: Some(Archived {
            device,
            known: decision.archived,
            request,
            response: response.clone(),
            at: now,
        }),
        case: decision.case.map(|case| Case {
            id: case.open.id,
            device,
            fork: case.fork,
            counter: case.counter,
            opened_at: now,
            until: case.open.until,
            resolved_at: None,
        }),
        history: decision
            .events
            .into_iter()
            .map(|event| Entry { at: now, actor: actor.clone(), event })
            .collect(),
        device: Some(decision.device),
        ..Changes::default()
    };
    Ok((changes, response))
}

/// What a person should look at soon is logged, too.
fn announce(event: &Event) {
    match event {
        Event::ForkFound { device, case, .. } => tracing::warn!(
            %case,
            device = device.short(),
            "a device's history is forked; see `landfast-authority case list`"
        ),
        Event::UnknownGrantReported { device, reported, held } => tracing::warn!(
            device = device.short(),
            reported_epoch = reported.epoch,
            held_epoch = held.epoch,
            "a device reports a grant that this database does not hold; if the database was restored from a backup, run \
             `landfast-authority epoch raise`"
        ),
        _ => {}
    }
}
