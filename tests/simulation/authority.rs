//! One issuer's authority: the real domain on its memory store, and every message that ever left anybody.

use crate::simulation::clerk::{Article, Clerk};
use crate::simulation::fault::Fault;
use crate::simulation::ledger::Faulty;
use crate::simulation::setup::{START, Sold};
use crate::simulation::violation::{Rule, Violation, demand, works};
use landfast_authority::domain::catalog::{License, Product, Term};
use landfast_authority::domain::history::Chain;
use landfast_authority::signer::Signer;
use landfast_authority::storage::ExchangeError;
use landfast_authority::storage::admin::{self, Act, AdminError};
use landfast_authority::storage::exchange::{Incoming, exchange};
use landfast_authority::storage::memory::{Memory, Tables, transact};
use landfast_protocol::certificate::Trust;
use landfast_protocol::grant::{Feature, Grant, Model, Position};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::Outcome;
use landfast_protocol::request::{Opened, Request};
use landfast_protocol::response::Response;
use landfast_protocol::{ActivationId, DeviceId, Digest, IssuerId, LicenseId, List, Text, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What happens to the authority's process while it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityFate {
    /// It answers.
    Answers,
    /// It dies before its transaction commits.
    DiesBefore,
    /// It dies after the commit, before the answer leaves.
    DiesAfter,
}

/// A request that left a device. It exists for ever.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which field server made it.
    pub device: usize,
    pub(crate) bytes: Vec<u8>,
    /// Its content.
    pub opened: Opened,
    pub(crate) answered: Option<usize>,
}

/// A response that was signed. It exists for ever.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For which field server.
    pub device: usize,
    pub(crate) bytes: Vec<u8>,
    /// Its content.
    pub response: Response,
    /// The grant that it carries.
    pub grant: Grant,
    pub(crate) imported: u32,
}

/// What came of giving a request to the authority.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// None when the authority died before anybody heard of its answer.
    pub answer: Option<usize>,
    pub new: bool,
    pub fresh: Vec<Outcome>,
}

/// The database at one instant, with what the simulation knows of it.
#[derive(Clone, Debug)]
struct Backup {
    tables: Tables,
    clerk: Clerk,
    given: BTreeMap<Digest, Vec<u8>>,
    chain: Chain,
    acted: BTreeSet<String>,
    answered: Vec<Option<usize>>,
}

#[derive(Debug)]
pub(crate) struct Authority {
    pub issuer: IssuerId,
    pub name: String,
    pub licenses: Vec<LicenseId>,
    pub letters: Vec<Letter>,
    pub answers: Vec<Answer>,
    pub clerk: Clerk,
    roots: Trust,
    signer: Signer,
    memory: Memory,
    given: BTreeMap<Digest, Vec<u8>>,
    chain: Chain,
    acted: BTreeSet<String>,
    before: Option<Tables>,
    /// Rises when the database is set back.
    pub epoch: u32,
    backup: Option<Box<Backup>>,
    fault: Option<Fault>,
}

impl Authority {
    pub fn new(number: usize, sells: &[Sold], fault: Option<Fault>) -> Result<Self, Violation> {
        let byte = u8::try_from(number + 1).unwrap_or(u8::MAX);
        let issuer = IssuerId([byte; 16]);
        let (root, key) = (SecretKey::from_seed(&[byte; 32]), SecretKey::from_seed(&[byte + 100; 32]));
        let signer = Signer::certify(&root, key, issuer, Timestamp(0), Timestamp(START.0 * 4));
        let signer = works(signer, "no signer")?;
        let memory = Memory::new(signer.clone());
        let mut articles = BTreeMap::new();
        let mut licenses = Vec::new();
        {
            let mut tables = memory.tables();
            let act = act(START);
            let organization = Text::lossy("customer");
            works(
                transact(admin::add_organization(&mut *tables, &act, organization)).map_err(lost)?,
                "no organization",
            )?;
            for (at, sold) in sells.iter().enumerate() {
                let (product, license) = catalog(issuer, at, sold)?;
                works(
                    transact(admin::add_product(&mut *tables, &act, product)).map_err(lost)?,
                    "no product",
                )?;
                let (id, activation) = (license.id, license.activation);
                works(
                    transact(admin::add_license(&mut *tables, &act, license)).map_err(lost)?,
                    "no license",
                )?;
                articles.insert(id, Article { activation, sold: *sold, started: None });
                licenses.push(id);
            }
        }
        Ok(Self {
            issuer,
            name: format!("issuer-{number}"),
            licenses,
            letters: Vec::new(),
            answers: Vec::new(),
            clerk: Clerk::new(issuer, articles),
            roots: Trust::new(issuer, vec![root.public()]),
            signer,
            memory,
            given: BTreeMap::new(),
            chain: Chain::default(),
            acted: BTreeSet::new(),
            before: None,
            epoch: 0,
            backup: None,
            fault,
        })
    }

    /// What it signs with.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// From here on a forked history is to be found, where before it would have been a false alarm.
    pub fn expect_forks(&mut self) {
        self.clerk.honest = false;
    }

    pub fn trust(&self) -> Trust {
        self.roots.clone()
    }

    pub fn activation(&self, license: usize) -> Option<ActivationId> {
        self.clerk.articles.get(self.licenses.get(license)?).map(|article| article.activation)
    }

    /// A request left a device. Gives its number, an old one if the bytes are known.
    pub fn post(&mut self, device: usize, bytes: &[u8]) -> Result<usize, Violation> {
        if let Some(known) = self.letters.iter().position(|letter| letter.bytes == bytes) {
            return Ok(known);
        }
        let opened = works(Request::open(bytes), "a request does not open")?;
        self.letters.push(Letter { device, bytes: bytes.to_vec(), opened, answered: None });
        Ok(self.letters.len() - 1)
    }

    /// The request with this number reaches the authority.
    pub fn take(
        &mut self,
        letter: usize,
        now: Timestamp,
        fresh: [u8; 8],
        fate: AuthorityFate,
    ) -> Result<Taken, Violation> {
        let Some(Letter { device, bytes, opened, .. }) = self.letters.get(letter).cloned() else {
            return Err(Violation::of(Rule::Harness, "there is no such request"));
        };
        if fate == AuthorityFate::DiesBefore {
            // A transaction that is never committed leaves nothing behind: it runs on a copy.
            let mut copy = self.memory.tables().clone();
            let incoming = works(Incoming::open(bytes, self.issuer), "a request is not accepted")?;
            let _ = transact(exchange(&mut copy, &self.signer, incoming, now, fresh));
            return Ok(Taken::default());
        }
        let answer = works(self.exchange(bytes, now, fresh), "a request is not answered")?;
        let (response, grant) = self.open(&answer)?;
        let mut taken = Taken::default();
        if let Some(before) = self.given.get(&opened.name.digest) {
            demand(*before == answer, Rule::SameAnswer, || {
                format!("request {} got another answer than before", opened.name.counter)
            })?;
        } else {
            taken.new = true;
            taken.fresh = self.clerk.answered(&opened, &response, &grant, now)?;
            self.given.insert(opened.name.digest, answer.clone());
        }
        self.clerk.one_grant(opened.key.device(), &grant, &response.grant)?;
        if fate == AuthorityFate::DiesAfter {
            self.restart();
            return Ok(taken);
        }
        let known = self.letters.get(letter).and_then(|letter| letter.answered);
        taken.answer = Some(known.unwrap_or(self.answers.len()));
        if known.is_none() {
            self.letters[letter].answered = taken.answer;
            self.answers.push(Answer { device, bytes: answer, response, grant, imported: 0 });
        }
        Ok(taken)
    }

    /// A request that nobody made must not be answered.
    pub fn refuses(&self, bytes: Vec<u8>, now: Timestamp) -> bool {
        self.memory.exchange_now(bytes, now, [0; 8]).is_err()
    }

    /// The process ends and starts again on the same database.
    pub fn restart(&mut self) {
        let tables = self.memory.tables().clone();
        let memory = Memory::new(self.signer.clone());
        *memory.tables() = tables;
        self.memory = memory;
    }

    /// A person answers the open case of a device. False when there is none.
    pub fn resolve(&mut self, id: DeviceId, now: Timestamp) -> Result<bool, Violation> {
        let record = {
            let mut tables = self.memory.tables();
            let open = tables.devices().find(|device| device.id() == id).and_then(|device| device.case);
            let Some(open) = open else { return Ok(false) };
            let resolved = transact(admin::resolve(&mut *tables, &act(now), &open.id)).map_err(lost)?;
            works(resolved, "a case is not resolved")?;
            tables.devices().find(|device| device.id() == id).cloned()
        };
        if let Some(record) = record {
            self.clerk.resolved(id, record.seen_counter(), record.position, record.cut);
        }
        Ok(true)
    }

    /// Whether a fork of this device was ever found.
    pub fn had_case(&self, id: &DeviceId) -> bool {
        self.memory.tables().cases().any(|case| case.device == *id)
    }

    /// Keeps a copy of the database.
    pub fn back_up(&mut self) {
        self.backup = Some(Box::new(Backup {
            tables: self.memory.tables().clone(),
            clerk: self.clerk.clone(),
            given: self.given.clone(),
            chain: self.chain,
            acted: self.acted.clone(),
            answered: self.letters.iter().map(|letter| letter.answered).collect(),
        }));
    }

    /// The database is lost and its copy put back; as the manual says, a new epoch begins. What was answered
    /// since exists as files, and is known here no more. False when there is no copy.
    pub fn set_back(&mut self, now: Timestamp) -> Result<bool, Violation> {
        let Some(backup) = self.backup.clone() else { return Ok(false) };
        *self.memory.tables() = backup.tables;
        self.clerk.forget_since(backup.clerk);
        (self.given, self.chain, self.acted) = (backup.given, backup.chain, backup.acted);
        for (at, letter) in self.letters.iter_mut().enumerate() {
            letter.answered = backup.answered.get(at).copied().flatten();
        }
        self.epoch += 1;
        let raised = transact(admin::raise_epoch(&mut *self.memory.tables(), &act(now), Some(self.epoch)));
        works(raised.map_err(lost)?, "no new epoch")?;
        Ok(true)
    }

    /// Frees what a device holds, without its proof. None when it holds nothing.
    pub fn reset(
        &mut self,
        id: DeviceId,
        license: LicenseId,
        now: Timestamp,
    ) -> Result<Option<Position>, Violation> {
        let position = {
            let mut tables = self.memory.tables();
            let done = transact(admin::reset(&mut *tables, &act(now), &id, &license)).map_err(lost)?;
            match done {
                Ok(_) => tables.devices().find(|device| device.id() == id).map(|device| device.position),
                Err(AdminError::Nothing(_) | AdminError::Missing { .. }) => None,
                Err(error) => return Err(Violation::of(Rule::Harness, error.to_string())),
            }
        };
        if let Some(position) = position {
            self.clerk.reset(id, license, position);
        }
        Ok(position)
    }

    /// Signs an update for a device that is known. Gives its number among the answers.
    pub fn update(
        &mut self,
        device: usize,
        id: DeviceId,
        now: Timestamp,
    ) -> Result<Option<usize>, Violation> {
        let done = {
            let mut tables = self.memory.tables();
            transact(admin::update(&mut *tables, &act(now), &self.signer, &id)).map_err(lost)?
        };
        let bytes = match done {
            Ok(bytes) => bytes,
            Err(AdminError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(Violation::of(Rule::Harness, error.to_string())),
        };
        let (response, grant) = self.open(&bytes)?;
        let book = self.clerk.books.entry(id).or_default();
        demand(grant.position > book.position, Rule::AsTheRulesSay, || {
            "an update does not stand above".to_owned()
        })?;
        book.position = grant.position;
        self.clerk.states(&id, &grant)?;
        self.clerk.one_grant(id, &grant, &response.grant)?;
        self.answers.push(Answer { device, bytes, response, grant, imported: 0 });
        Ok(Some(self.answers.len() - 1))
    }

    /// What the tables must be like at any time.
    pub fn audit(&mut self) -> Result<(), Violation> {
        let tables = self.memory.tables();
        let case = tables.cases().next();
        demand(case.is_none() || !self.clerk.honest, Rule::NoFalseFork, || {
            format!("{:?}", case.map(|case| case.fork))
        })?;
        let mut held: BTreeMap<LicenseId, (u32, u32)> = BTreeMap::new();
        for holding in tables.holdings() {
            let all = held.entry(holding.license).or_default();
            *all = (all.0 + holding.units, all.1 + 1);
            let must = self.clerk.units(&holding.device, &holding.license);
            demand(holding.units == must, Rule::NothingLost, || {
                format!("{} is held by {} units, must be {must}", holding.license.short(), holding.units)
            })?;
        }
        for (license, article) in &self.clerk.articles {
            let (units, devices) = held.get(license).copied().unwrap_or_default();
            let must: u32 = self.clerk.books.values().filter_map(|book| book.units.get(license)).sum();
            demand(units == must, Rule::NothingLost, || {
                format!("{units} units of {} are held, must be {must}", license.short())
            })?;
            let sold = article.sold;
            demand(units <= sold.quantity && devices <= sold.devices, Rule::NeverMoreThanSold, || {
                format!("{units} units of {} are on {devices} devices, sold are {sold:?}", license.short())
            })?;
        }
        let read = usize::try_from(self.chain.length).unwrap_or(usize::MAX);
        for link in tables.history().iter().skip(read) {
            works(self.chain.follow(link), "the history is broken")?;
            let entry: serde_json::Value = works(serde_json::from_str(&link.text), "an entry is not read")?;
            let acts = matches!(entry["event"].as_str(), Some("activated" | "returned"));
            if let Some(operation) = entry["operation"].as_str().filter(|_| acts) {
                demand(self.acted.insert(operation.to_owned()), Rule::ActsOnce, || {
                    format!("operation {operation} acted twice")
                })?;
            }
        }
        Ok(())
    }

    fn exchange(&mut self, bytes: Vec<u8>, now: Timestamp, fresh: [u8; 8]) -> Result<Vec<u8>, ExchangeError> {
        let Some(fault) = self.fault else { return self.memory.exchange_now(bytes, now, fresh) };
        let incoming = Incoming::open(bytes, self.issuer)?;
        let mut tables = self.memory.tables();
        let stale = (fault == Fault::NotSerialized).then(|| tables.clone());
        let before = self.before.as_mut().filter(|_| fault == Fault::NotSerialized);
        let mut ledger = Faulty { now: &mut tables, before, fault };
        let answer = transact(exchange(&mut ledger, &self.signer, incoming, now, fresh))?;
        drop(tables);
        self.before = stale;
        answer
    }

    fn open(&self, bytes: &[u8]) -> Result<(Response, Grant), Violation> {
        let response: Response = works(self.roots.open(bytes), "an answer does not open")?;
        let grant: Grant = works(self.roots.open(&response.grant), "a grant does not open")?;
        Ok((response, grant))
    }
}

fn act(now: Timestamp) -> Act {
    Act { actor: Text::lossy("operator"), now }
}

fn lost(error: impl std::fmt::Display) -> Violation {
    Violation::of(Rule::Harness, error.to_string())
}

/// A product and the one license of it. Its feature has the license's number.
pub(crate) fn catalog(issuer: IssuerId, at: usize, sold: &Sold) -> Result<(Product, License), Violation> {
    let mut secret = [issuer.0[0]; 16];
    secret[15] = u8::try_from(at).unwrap_or(u8::MAX);
    let activation = ActivationId::from_bytes(secret);
    let feature =
        Feature { name: Text::lossy(&feature(at)), quantity: 1, version_limit: None, advisory: false };
    let product = Product {
        name: Text::lossy(&format!("product {at}")),
        features: works(List::new(vec![feature]), "no feature")?,
        policy: sold.policy,
        added_at: START,
    };
    let license = License {
        id: activation.license(&issuer),
        activation,
        organization: Text::lossy("customer"),
        product: product.name.clone(),
        model: match sold.term {
            Term::Endless => Model::Perpetual,
            Term::Until(_) => Model::Subscription,
            Term::Counted { .. } => Model::Trial,
        },
        not_before: Timestamp(0),
        term: sold.term,
        support_until: None,
        quantity: sold.quantity,
        devices: sold.devices,
        withdrawn_at: None,
        added_at: START,
    };
    Ok((product, license))
}

/// What an application asks for.
pub(crate) fn feature(license: usize) -> String {
    format!("feature-{license}")
}
