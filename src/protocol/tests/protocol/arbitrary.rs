//! Any valid content of every kind of message.

use landfast_protocol::binding::{BindingPolicy, Weights};
use landfast_protocol::certificate::{Certificate, Purpose, Revocations};
use landfast_protocol::evidence::{Evidence, Factor, FactorDigest, FactorEvidence, State};
use landfast_protocol::grant::{
    Feature, Grant, Hold, Model, PlannedChange, Position, RequestName, Token, Version,
};
use landfast_protocol::keys::{PublicKey, SecretKey};
use landfast_protocol::operation::{Action, DenialReason, Operation, Outcome};
use landfast_protocol::request::{ClockReport, Need, PlanUsed, Previous, Request, SystemDescription};
use landfast_protocol::response::{Answer, Disposition, OperationResult, Response};
use landfast_protocol::{
    Blob, CaseId, DeviceId, Digest, Duration, IssuerId, LicenseId, List, Nonce, OperationId, Text, Timestamp,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn text<const MAX: usize>() -> impl Strategy<Value = Text<MAX>> {
    any::<String>().prop_map(|text| Text::lossy(&text))
}

pub fn list<T: std::fmt::Debug, const MAX: usize>(
    entry: impl Strategy<Value = T>,
    most: usize,
) -> impl Strategy<Value = List<T, MAX>> {
    vec(entry, 0..=most).prop_map(|entries| List::new(entries).unwrap_or_default())
}

fn blob<const MAX: usize>(most: usize) -> impl Strategy<Value = Blob<MAX>> {
    vec(any::<u8>(), 0..=most).prop_map(|bytes| Blob::new(bytes).unwrap())
}

pub fn public_key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(|seed| SecretKey::from_seed(&seed).public())
}

fn issuer() -> impl Strategy<Value = IssuerId> {
    any::<[u8; 16]>().prop_map(IssuerId)
}
fn device() -> impl Strategy<Value = DeviceId> {
    any::<[u8; 32]>().prop_map(DeviceId)
}
fn license() -> impl Strategy<Value = LicenseId> {
    any::<[u8; 16]>().prop_map(LicenseId)
}
fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}
fn case() -> impl Strategy<Value = CaseId> {
    any::<[u8; 8]>().prop_map(CaseId)
}
/// Small and large numbers: a varint has other lengths for them.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64u32).prop_map(|(number, shift)| number >> shift)
}
fn time() -> impl Strategy<Value = Timestamp> {
    number().prop_map(Timestamp)
}
fn span() -> impl Strategy<Value = Duration> {
    number().prop_map(Duration)
}
fn position() -> impl Strategy<Value = Position> {
    (any::<u32>(), number()).prop_map(|(epoch, sequence)| Position { epoch, sequence })
}
fn request_name() -> impl Strategy<Value = RequestName> {
    (number(), digest()).prop_map(|(counter, digest)| RequestName { counter, digest })
}

pub fn factor() -> impl Strategy<Value = Factor> {
    select(&Factor::ALL[..])
}

pub fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        4 => (any::<[u8; 16]>(), any::<bool>())
            .prop_map(|(digest, primary)| State::Present { digest: FactorDigest(digest), primary }),
        1 => Just(State::Absent),
        1 => Just(State::Unreadable),
        1 => Just(State::Placeholder),
    ]
}

pub fn factors(most: usize) -> impl Strategy<Value = Vec<FactorEvidence>> {
    vec((factor(), state()).prop_map(|(factor, state)| FactorEvidence { factor, state }), 0..=most)
}

pub fn evidence() -> impl Strategy<Value = Evidence> {
    (any::<bool>(), factors(80)).prop_map(|(vm, factors)| Evidence::from_factors(vm, factors))
}

pub fn policy() -> impl Strategy<Value = BindingPolicy> {
    let thresholds = (1..=1000u16).prop_flat_map(|bound| (1..=bound, Just(bound)));
    (any::<[u8; 10]>(), thresholds, 1..=u16::MAX, span()).prop_map(
        |(
            [board, tpm, soc, virtual_id, disks, network, network_virtual, cpu, chassis, machine_id],
            (drifted, bound),
            minimum,
            grace,
        )| {
            BindingPolicy {
                weights: Weights {
                    board,
                    tpm,
                    soc,
                    virtual_id,
                    disks,
                    network,
                    network_virtual,
                    cpu,
                    chassis,
                    machine_id,
                },
                bound_permille: bound,
                drifted_permille: drifted,
                minimum,
                grace,
            }
        },
    )
}

pub fn certificate() -> impl Strategy<Value = Certificate> {
    (issuer(), public_key(), time(), time()).prop_map(|(issuer, key, a, b)| Certificate {
        issuer,
        key,
        purpose: Purpose::Exchange,
        not_before: a.min(b),
        not_after: a.max(b),
    })
}

pub fn revocations() -> impl Strategy<Value = Revocations> {
    (option::of(issuer()), number(), list(public_key(), 32)).prop_map(|(issuer, number, keys)| Revocations {
        issuer,
        number,
        keys,
    })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (license(), option::of(1..=u32::MAX), any::<[u8; 32]>())
            .prop_map(|(license, quantity, proof)| Action::Activate { license, quantity, proof }),
        (license(), option::of(1..=u32::MAX))
            .prop_map(|(license, quantity)| Action::Return { license, quantity }),
        (1..=u64::MAX).prop_map(|seconds| Action::PlanChange { window: Duration(seconds) }),
        (any::<u16>().prop_filter("known", |kind| !(1..=3).contains(kind)), blob(1024))
            .prop_map(|(kind, body)| Action::Unknown { kind, body }),
    ]
}

fn operations() -> impl Strategy<Value = List<Operation, 512>> {
    btree_map(any::<[u8; 16]>(), action(), 0..8).prop_map(|operations| {
        let operations = operations.into_iter().map(|(id, action)| Operation { id: OperationId(id), action });
        // Their order is the device's own.
        List::new(operations.rev().collect()).unwrap_or_default()
    })
}

fn previous() -> impl Strategy<Value = Previous> {
    (position(), digest(), number()).prop_map(|(position, digest, executed)| Previous {
        position,
        digest,
        executed,
    })
}

fn system() -> impl Strategy<Value = SystemDescription> {
    (text(), text(), text(), text(), any::<u16>(), any::<u32>()).prop_map(
        |(agent, os, kernel, architecture, cpus, memory_mib)| SystemDescription {
            agent,
            os,
            kernel,
            architecture,
            cpus,
            memory_mib,
        },
    )
}

fn clock() -> impl Strategy<Value = ClockReport> {
    (time(), time(), any::<bool>()).prop_map(|(wall, licensing, trusted)| ClockReport {
        wall,
        licensing,
        trusted,
    })
}

/// A counter and the requests below it.
fn counters() -> impl Strategy<Value = (u64, List<RequestName, 16>)> {
    btree_map(1..u64::MAX, digest(), 1..=17).prop_map(|names| {
        let mut names: Vec<_> =
            names.into_iter().map(|(counter, digest)| RequestName { counter, digest }).collect();
        let counter = names.pop().map_or(1, |last| last.counter);
        (counter, List::new(names).unwrap_or_default())
    })
}

pub fn request() -> impl Strategy<Value = Request> {
    let needs = list((text(), any::<u32>()).prop_map(|(feature, quantity)| Need { feature, quantity }), 8);
    let head = (issuer(), counters(), any::<[u8; 16]>(), option::of(previous()), clock(), system());
    (head, needs, option::of(text()), evidence(), option::of(plan_used()), operations()).prop_map(
        |(
            (issuer, (counter, listed), nonce, previous, clock, system),
            needs,
            label,
            evidence,
            planned_change_used,
            operations,
        )| Request {
            issuer,
            counter,
            nonce: Nonce(nonce),
            previous,
            listed,
            clock,
            system,
            needs,
            label,
            evidence,
            planned_change_used,
            operations,
        },
    )
}

fn operation_id() -> impl Strategy<Value = OperationId> {
    any::<[u8; 16]>().prop_map(OperationId)
}

fn plan_used() -> impl Strategy<Value = PlanUsed> {
    (operation_id(), evidence()).prop_map(|(operation, evidence)| PlanUsed { operation, evidence })
}

/// The closed list of reasons.
pub const REASONS: [&str; 11] = [
    "unknown_license",
    "no_units_left",
    "too_many_devices",
    "license_expired",
    "license_withdrawn",
    "too_little_evidence",
    "binding_broken",
    "policy",
    "too_many_licenses",
    "nothing_held",
    "unsupported_operation",
];

fn reason() -> impl Strategy<Value = DenialReason> {
    // Through JSON, where a known code becomes its own variant.
    let code =
        prop_oneof![select(&REASONS[..]).prop_map(str::to_owned), text::<40>().prop_map(|t| t.to_string())];
    code.prop_map(|code| serde_json::from_value(code.into()).unwrap())
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Done),
        (reason(), text()).prop_map(|(reason, detail)| Outcome::Denied { reason, detail }),
        Just(Outcome::Stale),
        case().prop_map(|case| Outcome::Pending { case }),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let disposition = prop_oneof![
        Just(Disposition::Executed),
        Just(Disposition::Superseded),
        case().prop_map(|case| Disposition::OnHold { case }),
        Just(Disposition::Retired),
    ];
    (request_name(), disposition).prop_map(|(request, disposition)| Answer { request, disposition })
}

fn results() -> impl Strategy<Value = List<OperationResult, 512>> {
    btree_map(any::<[u8; 16]>(), outcome(), 0..8).prop_map(|results| {
        let results =
            results.into_iter().map(|(id, outcome)| OperationResult { id: OperationId(id), outcome });
        List::new(results.collect()).unwrap_or_default()
    })
}

pub fn response() -> impl Strategy<Value = Response> {
    let answered = option::of((answer(), results()));
    (issuer(), device(), answered, time(), blob(600), option::of(blob(300))).prop_map(
        |(issuer, device, answered, issued_at, grant, revocations)| {
            let (answers, results) = answered.unzip();
            Response {
                issuer,
                device,
                answers,
                issued_at,
                results: results.unwrap_or_default(),
                grant,
                revocations,
            }
        },
    )
}

fn version() -> impl Strategy<Value = Version> {
    vec(any::<u32>(), 1..=4).prop_map(|numbers| List::new(numbers).unwrap().try_into().unwrap())
}

fn token() -> impl Strategy<Value = Token> {
    let feature = (text(), any::<u32>(), option::of(version()), any::<bool>()).prop_map(
        |(name, quantity, version_limit, advisory)| Feature { name, quantity, version_limit, advisory },
    );
    let model = select(&[Model::Perpetual, Model::Subscription, Model::Trial][..]);
    let times = (time(), option::of(time()), option::of(time()));
    (license(), text(), model, 1..=u32::MAX, times, list(feature, 4)).prop_map(
        |(license, product, model, quantity, (not_before, not_after, support_until), features)| Token {
            license,
            product,
            model,
            quantity,
            not_before,
            not_after,
            support_until,
            features,
        },
    )
}

fn tokens() -> impl Strategy<Value = List<Token, 1024>> {
    (btree_set(any::<[u8; 16]>(), 0..6), vec(token(), 6)).prop_map(|(licenses, tokens)| {
        let in_order = licenses.into_iter().zip(tokens);
        let tokens = in_order.map(|(license, token)| Token { license: LicenseId(license), ..token });
        List::new(tokens.collect()).unwrap_or_default()
    })
}

pub fn grant() -> impl Strategy<Value = Grant> {
    let hold = (case(), time()).prop_map(|(case, until)| Hold { case, until });
    let planned = (operation_id(), time()).prop_map(|(operation, until)| PlannedChange { operation, until });
    let head = (issuer(), device(), position(), option::of(request_name()), time());
    let tail = (policy(), option::of(time()), option::of(hold), option::of(planned), span());
    (head, tokens(), option::of(evidence()), tail).prop_map(
        |(
            (issuer, device, position, executed, issued_at),
            tokens,
            binding,
            (policy, lease_until, hold, planned_change, max_off),
        )| {
            Grant {
                issuer,
                device,
                position,
                executed,
                issued_at,
                tokens,
                binding,
                policy,
                lease_until,
                hold,
                planned_change,
                max_off,
            }
        },
    )
}
