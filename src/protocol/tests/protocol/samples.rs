//! One vendor, one field server, and the messages between them.

use landfast_protocol::binding::BindingPolicy;
use landfast_protocol::certificate::{Certificate, Purpose, Revocations, Trust};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::frame::Sealed;
use landfast_protocol::grant::{Feature, Grant, Model, Position, RequestName, Token};
use landfast_protocol::keys::{PublicKey, SecretKey, activation_proof};
use landfast_protocol::operation::{Action, DenialReason, Operation, Outcome};
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};
use landfast_protocol::request::{ClockReport, Need, PlanUsed, Previous, Request, SystemDescription};
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{
    ActivationId, Blob, Digest, Duration, IssuerId, List, Nonce, OperationId, Text, Timestamp,
};

pub const ISSUER: IssuerId = IssuerId([0x11; 16]);
pub const OTHER_ISSUER: IssuerId = IssuerId([0x22; 16]);
pub const NOW: Timestamp = Timestamp(1_790_000_000);

pub fn root() -> SecretKey {
    SecretKey::from_seed(&[0xa1; 32])
}
pub fn signing() -> SecretKey {
    SecretKey::from_seed(&[0xa2; 32])
}
pub fn device() -> SecretKey {
    SecretKey::from_seed(&[0xa3; 32])
}
pub fn retired() -> SecretKey {
    SecretKey::from_seed(&[0xa4; 32])
}

pub fn activation_id() -> ActivationId {
    "3f0c9a52-6d1e-4b7a-9c84-d2e5f7018b36".parse().unwrap()
}

pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub fn list<T, const MAX: usize>(entries: Vec<T>) -> List<T, MAX> {
    List::new(entries).unwrap_or_else(|error| panic!("{error}"))
}

pub fn certificate_for(issuer: IssuerId, key: PublicKey) -> Certificate {
    Certificate {
        issuer,
        key,
        purpose: Purpose::Exchange,
        not_before: Timestamp(NOW.0 - 1_000_000),
        not_after: Timestamp(NOW.0 + 1_000_000),
    }
}

/// The signing key's certificate, as a frame.
pub fn chain() -> Vec<u8> {
    Sealed::seal(&certificate_for(ISSUER, signing().public()), &root(), &[]).unwrap().into_bytes()
}

pub fn trust() -> Trust {
    Trust::new(ISSUER, vec![root().public()])
}

pub fn revocations() -> Revocations {
    Revocations { issuer: Some(ISSUER), number: 3, keys: list(vec![retired().public()]) }
}

fn read(factor: Factor, source: &str, value: &str) -> FactorReading {
    FactorReading {
        factor,
        source: source.to_owned(),
        primary: source == "nvme0n1",
        reading: Reading::Present(Identity::new(value)),
    }
}

/// A server of the usual kind: SMBIOS, two disks, four network cards, no TPM.
pub fn reading() -> HardwareReading {
    let absent =
        |factor| FactorReading { factor, source: String::new(), primary: false, reading: Reading::Absent };
    HardwareReading {
        factors: vec![
            read(Factor::ProductUuid, "product_uuid", "44454c4c-4300-1035-8052-b4c04f4e3633"),
            read(Factor::BoardSerial, "board_serial", ".h5crn63.cnivc0087900a2."),
            read(Factor::ProductSerial, "product_serial", "h5crn63"),
            absent(Factor::TpmKey),
            absent(Factor::SocSerial),
            absent(Factor::VirtualId),
            read(Factor::Disk, "nvme0n1", "samsung mz1lb960hajq-00007/s435na0m601234"),
            read(Factor::Disk, "sda", "st4000nm000a-2hz100/wjg0abcd"),
            read(Factor::NetworkCard, "eno1", "b0:7b:25:aa:00:10"),
            read(Factor::NetworkCard, "eno2", "b0:7b:25:aa:00:11"),
            read(Factor::NetworkCard, "eno3", "b0:7b:25:aa:00:12"),
            read(Factor::NetworkCard, "eno4", "b0:7b:25:aa:00:13"),
            read(Factor::Cpu, "cpuinfo", "genuineintel/6/85/7"),
            read(Factor::ChassisSerial, "chassis_serial", "h5crn63-c"),
            read(Factor::MachineId, "machine-id", "8f2c1d7e5ab94f3c9d0e6a1b2c3d4e5f"),
        ],
        ignored: Vec::new(),
        virtual_machine: false,
    }
}

pub fn evidence() -> Evidence {
    Evidence::digest(&reading(), &ISSUER)
}

pub fn operation_id(number: u8) -> OperationId {
    OperationId([number; 16])
}

pub fn activation(number: u8) -> Operation {
    let id = operation_id(number);
    let proof = activation_proof(&activation_id(), &ISSUER, &device().public(), &id);
    Operation {
        id,
        action: Action::Activate { license: activation_id().license(&ISSUER), quantity: None, proof },
    }
}

/// A first request: nothing applied, nothing listed.
pub fn first_request() -> Request {
    Request {
        issuer: ISSUER,
        counter: 1,
        nonce: Nonce([0x5a; 16]),
        previous: None,
        listed: List::default(),
        clock: ClockReport { wall: NOW, licensing: NOW, trusted: true },
        system: SystemDescription {
            agent: text("landfastd 0.1.0"),
            os: text("Debian GNU/Linux 12 (bookworm)"),
            kernel: text("6.1.0-26-amd64"),
            architecture: text("x86_64"),
            cpus: 16,
            memory_mib: 64_212,
        },
        needs: List::default(),
        label: None,
        evidence: evidence(),
        planned_change_used: None,
        operations: list(vec![activation(1)]),
    }
}

/// A later request: a grant applied, two requests listed, everything filled in, every kind of operation.
pub fn later_request() -> Request {
    let give = Action::Return { license: activation_id().license(&ISSUER), quantity: Some(2) };
    let newer = Action::Unknown { kind: 900, body: Blob::new(vec![0xc0, 0xff, 0xee]).unwrap() };
    Request {
        counter: 300,
        nonce: Nonce([0x5b; 16]),
        previous: Some(Previous {
            position: Position { epoch: 0, sequence: 41 },
            digest: Digest::of(grant_frame().as_bytes()),
            executed: 1,
        }),
        listed: list(vec![
            RequestName { counter: 1, digest: Digest::of(request_frame().as_bytes()) },
            RequestName { counter: 299, digest: Digest([0x77; 32]) },
        ]),
        clock: ClockReport { wall: Timestamp(NOW.0 + 90), licensing: Timestamp(NOW.0 + 60), trusted: false },
        needs: list(vec![Need { feature: text("cameras"), quantity: 48 }]),
        label: Some(text("Gate house, rack 2")),
        planned_change_used: Some(PlanUsed { operation: operation_id(9), evidence: evidence() }),
        operations: list(vec![
            activation(2),
            Operation { id: operation_id(3), action: give },
            Operation { id: operation_id(4), action: newer },
            Operation { id: operation_id(5), action: Action::PlanChange { window: Duration::days(7) } },
        ]),
        ..first_request()
    }
}

pub fn request_frame() -> Sealed {
    Sealed::seal(&first_request(), &device(), &[]).unwrap()
}

pub fn token() -> Token {
    Token {
        license: activation_id().license(&ISSUER),
        product: text("Example Video Server"),
        model: Model::Subscription,
        quantity: 1,
        not_before: NOW,
        not_after: Some(NOW.after(Duration::days(365))),
        support_until: Some(NOW.after(Duration::days(730))),
        features: list(vec![
            Feature {
                name: text("cameras"),
                quantity: 64,
                version_limit: Some("5.2".parse().unwrap()),
                advisory: false,
            },
            Feature { name: text("recording"), quantity: 1, version_limit: None, advisory: true },
        ]),
    }
}

pub fn grant() -> Grant {
    Grant {
        issuer: ISSUER,
        device: device().public().device(),
        position: Position { epoch: 0, sequence: 41 },
        executed: Some(RequestName { counter: 1, digest: Digest::of(request_frame().as_bytes()) }),
        issued_at: NOW,
        tokens: list(vec![token()]),
        binding: Some(evidence()),
        policy: BindingPolicy::default(),
        lease_until: None,
        hold: None,
        planned_change: None,
        max_off: Duration::days(180),
    }
}

pub fn grant_frame() -> Sealed {
    Sealed::seal(&grant(), &signing(), &chain()).unwrap()
}

pub fn response() -> Response {
    let request = RequestName { counter: 1, digest: Digest::of(request_frame().as_bytes()) };
    Response {
        issuer: ISSUER,
        device: device().public().device(),
        answers: Some(Answer { request, disposition: Disposition::Executed }),
        issued_at: NOW,
        results: list(vec![
            OperationResult { id: operation_id(1), outcome: Outcome::Done },
            OperationResult {
                id: operation_id(2),
                outcome: Outcome::Denied {
                    reason: DenialReason::NoUnitsLeft,
                    detail: text("2 of 2 units are held by other devices"),
                },
            },
        ]),
        grant: Blob::new(grant_frame().into_bytes()).unwrap(),
        revocations: Some(
            Blob::new(Sealed::seal(&revocations(), &root(), &[]).unwrap().into_bytes()).unwrap(),
        ),
    }
}

pub fn response_frame() -> Sealed {
    Sealed::seal(&response(), &signing(), &chain()).unwrap()
}
