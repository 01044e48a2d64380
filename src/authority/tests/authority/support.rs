//! A device that does as the protocol says, and a vendor with some licenses.

use landfast_authority::domain::catalog::{
    License, Name, Product, ProductPolicy, ReturnPolicy, Term, TooLittleEvidence,
};
use landfast_authority::signer::Signer;
use landfast_authority::storage::admin::{self, Act, AdminError, NewTerms};
use landfast_authority::storage::memory::{Memory, transact};
use landfast_authority::storage::{ExchangeError, Ledger, Storage};
use landfast_protocol::certificate::Trust;
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::{Feature, Grant, Model, RequestName};
use landfast_protocol::keys::{SecretKey, activation_proof};
use landfast_protocol::operation::{Action, Operation, Outcome};
use landfast_protocol::request::{ClockReport, MAX_LISTED, PlanUsed, Previous, Request, SystemDescription};
use landfast_protocol::response::{Disposition, Response};
use landfast_protocol::{
    ActivationId, DeviceId, Duration, IssuerId, LicenseId, List, Nonce, OperationId, Text, Timestamp,
};

use std::sync::Arc;

pub const ISSUER: IssuerId = IssuerId([0xa5; 16]);
pub const NOW: Timestamp = Timestamp(1_800_000_000);

pub fn root() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

pub fn signer() -> Signer {
    let key = SecretKey::from_seed(&[2; 32]);
    Signer::certify(&root(), key, ISSUER, Timestamp(0), Timestamp(u64::MAX)).unwrap()
}

pub fn trust() -> Trust {
    Trust::new(ISSUER, vec![root().public()])
}

/// The hardware of machine `number`.
pub fn machine(number: u8) -> Evidence {
    repaired_machine(number, number.wrapping_add(200))
}

/// Machine `number` with another network card.
pub fn repaired_machine(number: u8, card: u8) -> Evidence {
    let present = |factor, value| FactorEvidence {
        factor,
        state: State::Present { digest: FactorDigest([value; 16]), primary: factor == Factor::Disk },
    };
    Evidence::from_factors(
        false,
        vec![
            present(Factor::ProductUuid, number),
            present(Factor::Disk, number.wrapping_add(100)),
            present(Factor::NetworkCard, card),
            present(Factor::MachineId, number),
        ],
    )
}

/// A machine of which nothing but the CPU can be read.
pub fn poor_machine() -> Evidence {
    let digest = FactorDigest([3; 16]);
    let cpu = FactorEvidence { factor: Factor::Cpu, state: State::Present { digest, primary: false } };
    Evidence::from_factors(false, vec![cpu])
}

/// One store of one device. A clone is a copied or restored store.
#[derive(Clone)]
pub struct Device {
    pub trust: Trust,
    pub key: SecretKey,
    pub counter: u64,
    pub grant: Option<Grant>,
    pub previous: Option<Previous>,
    pub made: Vec<RequestName>,
    pub pending: Vec<Operation>,
    pub evidence: Evidence,
    /// What it says of a planned change.
    pub used: Option<PlanUsed>,
    /// Two copies draw different nonces and operation ids.
    pub branch: u8,
    pub drawn: u64,
}

impl Device {
    pub fn new(number: u8) -> Self {
        Self {
            trust: trust(),
            key: SecretKey::from_seed(&[number.wrapping_add(10); 32]),
            counter: 0,
            grant: None,
            previous: None,
            made: Vec::new(),
            pending: Vec::new(),
            evidence: machine(number),
            used: None,
            branch: 0,
            drawn: 0,
        }
    }

    pub fn copy(&self, branch: u8) -> Self {
        Self { branch, ..self.clone() }
    }

    pub fn id(&self) -> DeviceId {
        self.key.public().device()
    }

    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        let mut drawn = [self.branch; 16];
        drawn[..8].copy_from_slice(&self.drawn.to_le_bytes());
        drawn
    }

    pub fn wants(&mut self, action: Action) -> OperationId {
        let id = OperationId(self.draw());
        self.pending.push(Operation { id, action });
        id
    }

    pub fn activate(&mut self, activation: ActivationId, quantity: Option<u32>) -> OperationId {
        let id = OperationId(self.draw());
        let proof = activation_proof(&activation, &self.trust.issuer, &self.key.public(), &id);
        let action = Action::Activate { license: activation.license(&self.trust.issuer), quantity, proof };
        self.pending.push(Operation { id, action });
        id
    }

    pub fn give_back(&mut self, activation: ActivationId, quantity: Option<u32>) -> OperationId {
        self.wants(Action::Return { license: activation.license(&self.trust.issuer), quantity })
    }

    /// Makes and signs the next request with everything that is pending.
    pub fn request(&mut self) -> Vec<u8> {
        self.counter += 1;
        let from = self.previous.map_or(0, |previous| previous.executed);
        let mut listed: Vec<_> = self.made.iter().filter(|made| made.counter >= from).copied().collect();
        listed.drain(..listed.len().saturating_sub(MAX_LISTED));
        let request = Request {
            issuer: self.trust.issuer,
            counter: self.counter,
            nonce: Nonce(self.draw()),
            previous: self.previous,
            listed: List::new(listed).unwrap(),
            clock: ClockReport { wall: NOW, licensing: NOW, trusted: true },
            system: SystemDescription::default(),
            needs: List::default(),
            label: Some(Text::new("press hall 3").unwrap()),
            evidence: self.evidence.clone(),
            planned_change_used: self.used.clone(),
            operations: List::new(self.pending.clone()).unwrap(),
        };
        let sealed = Sealed::seal(&request, &self.key, &[]).unwrap();
        self.made.push(RequestName { counter: self.counter, digest: sealed.digest() });
        sealed.into_bytes()
    }

    /// Takes a response as section 3 says: results end operations, a newer grant replaces the held one.
    pub fn import(&mut self, bytes: &[u8]) -> Response {
        let response: Response = self.trust.open(bytes).unwrap();
        assert_eq!(response.device, self.id());
        let known = response.answers.is_none_or(|answer| self.made.contains(&answer.request));
        if !known {
            return response;
        }
        let grant: Grant = self.trust.open(&response.grant).unwrap();
        if self.previous.is_some_and(|previous| grant.position.epoch < previous.position.epoch) {
            return response;
        }
        let ended = |id| response.results.iter().any(|result| result.id == id && result.outcome.is_final());
        self.pending.retain(|operation| !ended(operation.id));
        if self.previous.is_none_or(|previous| grant.position > previous.position) {
            let executed = grant.executed.map_or(0, |name| name.counter);
            let digest = landfast_protocol::Digest::of(&response.grant);
            self.previous = Some(Previous { position: grant.position, digest, executed });
            self.counter = self.counter.max(executed);
            self.grant = Some(grant);
        }
        response
    }

    /// What it holds of a license by its newest grant.
    pub fn holds(&self, activation: ActivationId) -> u32 {
        let license = activation.license(&self.trust.issuer);
        let tokens = self.grant.iter().flat_map(|grant| grant.tokens.iter());
        tokens.filter(|token| token.license == license).map(|token| token.quantity).sum()
    }
}

pub fn disposition(response: &Response) -> Disposition {
    response.answers.unwrap().disposition
}

pub fn outcome(response: &Response, operation: OperationId) -> Outcome {
    response.results.iter().find(|result| result.id == operation).unwrap().outcome.clone()
}

/// The code of a denial.
pub fn denial(response: &Response, operation: OperationId) -> String {
    match outcome(response, operation) {
        Outcome::Denied { reason, .. } => reason.code().to_owned(),
        other => panic!("not denied but {other:?}"),
    }
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn act() -> Act {
    Act { actor: Text::new("operator test").unwrap(), now: NOW }
}

pub fn product(text: &str) -> Product {
    let feature = Feature { name: name("points"), quantity: 500, version_limit: None, advisory: false };
    Product {
        name: name(text),
        features: List::new(vec![feature]).unwrap(),
        policy: ProductPolicy::default(),
        added_at: NOW,
    }
}

pub fn strict_product(text: &str) -> Product {
    let mut product = product(text);
    product.policy.too_little_evidence = TooLittleEvidence::Refuse;
    product.policy.returns = ReturnPolicy::Deny;
    product.policy.grace = Duration::days(3);
    product.policy.lease = Duration::days(5);
    product
}

pub fn activation(number: u8) -> ActivationId {
    ActivationId::from_bytes([number; 16])
}

/// License `number` of product `of`.
pub fn license(number: u8, of: &str, quantity: u32, devices: u32) -> License {
    License {
        id: activation(number).license(&ISSUER),
        activation: activation(number),
        organization: name("Acme"),
        product: name(of),
        model: Model::Perpetual,
        not_before: NOW,
        term: Term::Endless,
        support_until: None,
        quantity,
        devices,
        withdrawn_at: None,
        added_at: NOW,
    }
}

/// Transactions that it takes to set up a customer, two products and these licenses.
pub fn stock_steps(licenses: &[License]) -> usize {
    3 + licenses.len()
}

/// One of them.
pub async fn stock_step<L: Ledger>(
    ledger: &mut L,
    licenses: &[License],
    step: usize,
) -> Result<(), AdminError> {
    match step {
        0 => admin::add_organization(ledger, &act(), name("Acme")).await,
        1 => admin::add_product(ledger, &act(), product("Historian")).await,
        2 => admin::add_product(ledger, &act(), strict_product("Safety")).await,
        _ => admin::add_license(ledger, &act(), licenses[step - 3].clone()).await,
    }
}

/// An authority in memory, with the time that tests turn.
pub struct Vendor {
    pub memory: Arc<Memory>,
    pub now: Timestamp,
    cases: u64,
}

impl Vendor {
    pub fn new(licenses: &[License]) -> Self {
        let memory = Arc::new(Memory::new(signer()));
        for step in 0..stock_steps(licenses) {
            transact(stock_step(&mut *memory.tables(), licenses, step)).unwrap().unwrap();
        }
        Self { memory, now: NOW, cases: 0 }
    }

    /// With products of its own.
    pub fn with(products: &[Product], licenses: &[License]) -> Self {
        let vendor = Self::new(&[]);
        for product in products {
            transact(admin::add_product(&mut *vendor.memory.tables(), &act(), product.clone()))
                .unwrap()
                .unwrap();
        }
        for license in licenses {
            transact(admin::add_license(&mut *vendor.memory.tables(), &act(), license.clone()))
                .unwrap()
                .unwrap();
        }
        vendor
    }

    /// Whose key may sign until then.
    pub fn signing_until(not_after: Timestamp) -> Self {
        let key = SecretKey::from_seed(&[2; 32]);
        let signer = Signer::certify(&root(), key, ISSUER, Timestamp(0), not_after).unwrap();
        Self { memory: Arc::new(Memory::new(signer)), now: NOW, cases: 0 }
    }

    pub fn take(&mut self, request: Vec<u8>) -> Result<Vec<u8>, ExchangeError> {
        self.cases += 1;
        self.memory.exchange_now(request, self.now, self.cases.to_be_bytes())
    }

    /// A whole exchange.
    pub fn exchange(&mut self, device: &mut Device) -> Response {
        let request = device.request();
        let response = self.take(request).unwrap();
        device.import(&response)
    }

    pub fn reset(&self, device: &Device, number: u8) -> u32 {
        let id = activation(number).license(&ISSUER);
        transact(admin::reset(&mut *self.memory.tables(), &act(), &device.id(), &id)).unwrap().unwrap()
    }

    pub fn change(&self, number: u8, terms: NewTerms) -> Result<License, AdminError> {
        let id = activation(number).license(&ISSUER);
        transact(admin::change_license(&mut *self.memory.tables(), &act(), &id, terms)).unwrap()
    }

    pub fn resolve(&self, device: &Device) {
        let case = self.memory.tables().devices().find(|d| d.id() == device.id()).unwrap().case.unwrap().id;
        transact(admin::resolve(&mut *self.memory.tables(), &act(), &case)).unwrap().unwrap();
    }

    pub fn update(&self, device: &Device) -> Vec<u8> {
        let signer = self.memory.signer();
        transact(admin::update(&mut *self.memory.tables(), &act(), signer, &device.id())).unwrap().unwrap()
    }

    /// Units of a license that all devices hold.
    pub fn given_out(&self, license: LicenseId) -> u32 {
        self.memory.tables().holdings().filter(|h| h.license == license).map(|h| h.units).sum()
    }
}
