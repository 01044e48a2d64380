mod interpreting;
mod looping;
mod working;

use super::worker::{Done, Job, Worker};
use crate::adapters::Clock;
use crate::store::{FileMedium, Medium, Store};
use landfast_core::effect::{Effect, Refusal, Ticket};
use landfast_core::event::{Delivery, Event};
use landfast_core::machine::Settings;
use landfast_core::view::IssuerView;
use landfast_protocol::IssuerId;
use landfast_protocol::certificate::Trust;
use landfast_protocol::keys::SecretKey;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::SystemDescription;
use std::path::Path;
use std::sync::Arc;

/// What the administrator configured for issuer number `number`.
fn settings(number: u8) -> Settings {
    let root = SecretKey::from_seed(&[number; 32]).public();
    Settings {
        name: format!("issuer-{number}"),
        trust: Trust::new(id(number), vec![root]),
        label: None,
        online: true,
        system: SystemDescription::default(),
        sealing: None,
    }
}

fn id(number: u8) -> IssuerId {
    IssuerId([number; 16])
}

fn clock() -> Arc<Clock> {
    Arc::new(Clock::new().unwrap())
}

fn store(directory: &Path) -> Store {
    Store::open(directory, &[id(1), id(2)]).unwrap()
}

/// A worker for two issuers.
fn worker<M: Medium>(store: Store<M>) -> Worker<M> {
    Worker::new(store, vec![settings(1), settings(2)], clock()).unwrap()
}

/// The same, started as the agent does it.
fn started(directory: &Path) -> Worker<FileMedium> {
    let mut worker = worker(store(directory));
    for issuer in 0..2 {
        worker.run(Job::Event { issuer, event: Event::Start }).unwrap();
    }
    worker.run(Job::Evidence(HardwareReading::default())).unwrap();
    worker
}

fn reclaim(issuer: usize, ticket: u64) -> Job {
    let event = Event::Reclaim { ticket: Ticket(ticket), delivery: Delivery::File };
    Job::Event { issuer, event }
}

fn published(done: &Done, issuer: usize) -> Option<Arc<IssuerView>> {
    done.effects.iter().rev().find_map(|effect| match effect {
        (of, Effect::Publish(view)) if *of == issuer => Some(Arc::clone(view)),
        _ => None,
    })
}

fn refusal(done: &Done) -> Option<&Refusal> {
    done.effects.iter().find_map(|effect| match effect {
        (_, Effect::Reply(_, Err(refusal))) => Some(refusal),
        _ => None,
    })
}
