//! A key that the authority does not know, and that shows nothing which makes it worth knowing.
//!
//! Anyone can make keys. One is known once it proves that it has the activation id of a license that exists, whatever
//! comes of that. Each request from before is answered by itself: every operation has its final result, and the grant
//! says that nothing is held. Nobody remembers anything of it, so the answer must be the same whenever it is asked for:
//!
//! - No result depends on what is stored. An activation is not proven: denied. There is nothing to give back: done. All
//!   others need something that is held: denied. The first request that is kept runs what it carries of them before
//!   anything is held, and so gives the same results.
//! - The grant stands at sequence 0, below every grant of a known device, and names no request as executed. So it never
//!   takes the place of another, and the first request that is kept lists all those before it.
//! - It stays so when the device is known. A request from before that is then answered as *superseded* would carry what
//!   is held, and give it also to a copy of the store that was made before, and whose fork nobody has seen yet.
//!
//! Only the time of issue differs; the store keeps some answers for a while, so that mostly it does not either.

use crate::domain::device::DeviceRecord;
use crate::domain::exchange::Facts;
use crate::domain::fork::{Known, previous_position};
use crate::domain::operations::{Desk, proven};
use crate::domain::tokens;
use landfast_protocol::grant::{Grant, Position};
use landfast_protocol::operation::Action;
use landfast_protocol::request::Opened;
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{Blob, BoundError, List, Timestamp};
use std::collections::BTreeMap;

/// What a stranger is told.
#[derive(Clone, Debug)]
pub struct Reply {
    /// That nothing is held.
    pub grant: Grant,
    /// The answer, its grant still missing.
    pub response: Response,
    /// The grant that an unknown device says it had from here.
    pub claimed: Option<Position>,
}

/// Answers a request if a stranger made it; all others are [`crate::domain::exchange::decide`]d.
pub fn reply(facts: &Facts, opened: &Opened, now: Timestamp) -> Result<Option<Reply>, BoundError> {
    let before = facts.known_from.is_some_and(|first| opened.name.counter < first);
    if (facts.device.is_some() && !before) || shows_a_license(facts, opened) {
        return Ok(None);
    }
    let record = DeviceRecord::new(opened.key, facts.epoch, now);
    let nothing = Facts {
        issuer: facts.issuer,
        epoch: facts.epoch,
        device: None,
        known_from: None,
        known: Known::default(),
        results: BTreeMap::new(),
        licenses: BTreeMap::new(),
    };
    let mut desk = Desk::new(&nothing, opened, &record, now);
    let operations = opened.request.operations.iter();
    let results = operations
        .map(|operation| OperationResult { id: operation.id, outcome: desk.run(operation) })
        .collect();
    let claimed = Some(previous_position(&opened.request)).filter(|_| facts.device.is_none());
    Ok(Some(Reply {
        grant: tokens::grant(facts.issuer, &record, &[], now)?,
        response: Response {
            issuer: facts.issuer,
            device: record.id(),
            answers: Some(Answer { request: opened.name, disposition: Disposition::Executed }),
            issued_at: now,
            results: List::new(results)?,
            grant: Blob::default(),
            revocations: None,
        },
        claimed: claimed.filter(|claimed| *claimed > record.position),
    }))
}

fn shows_a_license(facts: &Facts, opened: &Opened) -> bool {
    opened.request.operations.iter().any(|operation| match &operation.action {
        Action::Activate { license, proof, .. } => {
            proven(facts, opened, facts.licenses.get(license), operation.id, proof)
        }
        _ => false,
    })
}
