//! The answer to a check without any transport, in this process.

use crate::figure::{Bar, Figure};
use crate::stopwatch::{Stopwatch, median};
use anyhow::{Context, Result, ensure};
use landfast_core::effect::Ticket;
use landfast_core::entitlement::{Query, evaluate};
use landfast_core::event::{Carrier, Delivery, Event};
use landfast_core::{BootId, Entropy, Machine, Moment, Record, Settings, Snapshot, Store};
use landfast_protocol::certificate::{Certificate, Purpose, Trust};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::{Feature, Grant, Model, Position, Token};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::reading::HardwareReading;
use landfast_protocol::request::SystemDescription;
use landfast_protocol::response::Response;
use landfast_protocol::{ActivationId, Blob, Duration, IssuerId, LicenseId, List, Text, Timestamp};
use std::hint::black_box;

const LICENSES: usize = 100;
const ROUNDS: usize = 9;
const CALLS: u32 = 200_000;
const ISSUER: IssuerId = IssuerId([5; 16]);
const NOW: Moment = Moment {
    wall: Timestamp(1_800_000_000),
    boot: Duration(50),
    boot_id: BootId([1; 16]),
    synchronized: true,
};

pub fn measure() -> Result<Figure> {
    let snapshot = Snapshot { issuers: vec![licensed()?.view(&NOW)] };
    let query = Query { feature: "feature-50", quantity: 1, version: None, issuer: None };
    ensure!(evaluate(&snapshot, &query, &NOW).granted, "the benchmark needs a granted feature");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let watch = Stopwatch::start();
        for _ in 0..CALLS {
            black_box(evaluate(black_box(&snapshot), black_box(&query), black_box(&NOW)));
        }
        rounds.push(watch.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    Ok(Figure {
        name: "evaluate_ns",
        value: median(rounds),
        unit: "ns",
        floor: None,
        bar: Some(Bar::AtMost(200.0)),
        how: format!("one of {LICENSES} features of {LICENSES} licenses, {ROUNDS} rounds of {CALLS}"),
    })
}

struct Nowhere;
impl Store for Nowhere {
    type Error = &'static str;
    fn write(&mut self, _record: &Record) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A machine that took a grant of so many licenses.
fn licensed() -> Result<Machine> {
    let (root, signer) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
    let settings = Settings {
        name: "acme".to_owned(),
        trust: Trust::new(ISSUER, vec![root.public()]),
        label: None,
        online: true,
        system: SystemDescription::default(),
        sealing: None,
    };
    let mut machine = Machine::create(settings, &NOW, Entropy::new([3; 32]));
    let step = |machine: &mut Machine, event| {
        let _ = machine.handle(event, &NOW, Entropy::new([4; 32])).commit(&mut Nowhere);
    };
    step(&mut machine, Event::Start);
    step(&mut machine, Event::Evidence(HardwareReading::default()));
    let licenses = vec![(ActivationId::from_bytes([1; 16]), None)];
    step(&mut machine, Event::Activate { ticket: Ticket(1), licenses, delivery: Delivery::File });
    let device = machine.view(&NOW).device;
    let certificate = Certificate {
        issuer: ISSUER,
        key: signer.public(),
        purpose: Purpose::Exchange,
        not_before: Timestamp(0),
        not_after: Timestamp(u64::MAX),
    };
    let chain = Sealed::seal(&certificate, &root, &[])?.into_bytes();
    let grant = Grant {
        issuer: ISSUER,
        device,
        position: Position { epoch: 0, sequence: 1 },
        executed: None,
        issued_at: NOW.wall,
        tokens: List::new((0..LICENSES).map(token).collect::<Result<_>>()?)?,
        binding: None,
        policy: Default::default(),
        lease_until: None,
        hold: None,
        planned_change: None,
        max_off: Duration::days(180),
    };
    let response = Response {
        issuer: ISSUER,
        device,
        answers: None,
        issued_at: NOW.wall,
        results: List::default(),
        grant: Blob::new(Sealed::seal(&grant, &signer, &chain)?.into_bytes())?,
        revocations: None,
    };
    let bytes = Sealed::seal(&response, &signer, &chain)?.into_bytes();
    step(&mut machine, Event::Response { ticket: None, bytes, carrier: Carrier::File });
    Ok(machine)
}

fn token(number: usize) -> Result<Token> {
    let byte = u8::try_from(number).context("at most 256 licenses")?;
    let feature = Feature {
        name: Text::new(format!("feature-{number}"))?,
        quantity: 10,
        version_limit: None,
        advisory: false,
    };
    Ok(Token {
        license: LicenseId([byte; 16]),
        product: Text::new("Plant Control")?,
        model: Model::Subscription,
        quantity: 10,
        not_before: Timestamp(0),
        not_after: Some(Timestamp(NOW.wall.0 + 1000)),
        support_until: None,
        features: List::new(vec![feature])?,
    })
}
