use super::*;
use landfast_protocol::evidence::Evidence;
use landfast_protocol::keys::SecretKey;
use landfast_protocol::request::{ClockReport, Previous, SystemDescription};
use landfast_protocol::{Digest, IssuerId, List, Nonce, Text, Timestamp};
use proptest::prelude::*;

fn name(counter: u64, branch: u8) -> RequestName {
    let mut digest = [branch; 32];
    digest[..8].copy_from_slice(&counter.to_le_bytes());
    RequestName { counter, digest: Digest(digest) }
}

fn position(sequence: u64) -> Position {
    Position { epoch: 0, sequence }
}

fn request(own: RequestName, previous: Option<(Position, u64)>, listed: Vec<RequestName>) -> Opened {
    let request = Request {
        issuer: IssuerId([1; 16]),
        counter: own.counter,
        nonce: Nonce([0; 16]),
        previous: previous.map(|(position, executed)| Previous {
            position,
            digest: Digest([0; 32]),
            executed,
        }),
        listed: List::new(listed).unwrap(),
        clock: ClockReport { wall: Timestamp(0), licensing: Timestamp(0), trusted: false },
        system: SystemDescription::default(),
        needs: List::default(),
        label: None::<Text<64>>,
        evidence: Evidence::default(),
        planned_change_used: None,
        operations: List::default(),
    };
    Opened { key: SecretKey::from_seed(&[9; 32]).public(), name: own, request }
}

/// The rule as the model states it, over the whole archive.
fn naive(all: &[KnownRequest], new: &KnownRequest, cut: Position, seen: u64, lost: bool) -> bool {
    let counter = new.name.counter;
    let considered = || all.iter().filter(|other| other.previous >= cut);
    for other in considered() {
        let other_counter = other.name.counter;
        if other_counter == counter && other.name != new.name {
            return true;
        }
        if other_counter < counter && other.previous > new.previous
            || other_counter > counter && other.previous < new.previous
        {
            return true;
        }
        for (later, earlier) in [(new, other), (other, new)] {
            let inside =
                earlier.name.counter < later.name.counter && earlier.name.counter >= later.previous_executed;
            if inside && !later.listed.contains(&earlier.name) {
                return true;
            }
        }
    }
    counter <= seen && !lost && !considered().any(|other| other.executed && other.listed.contains(&new.name))
}

/// Counter, branch, previous, what is listed of each lower counter, executed.
type Parts = (u64, u8, Option<(u64, u64)>, Vec<u8>, bool);

/// A request of garbage, but with a list that is in order and not full.
fn any_request() -> impl Strategy<Value = Parts> {
    let previous = proptest::option::of((0u64..5, 0u64..7));
    (1u64..8, 0u8..2, previous, proptest::collection::vec(0u8..3, 7), any::<bool>())
}

fn build(parts: &Parts) -> Opened {
    let (counter, branch, previous, lists, _) = parts;
    let executed = previous.map_or(0, |previous| previous.1);
    let listed = (1..*counter)
        .filter(|earlier| *earlier >= executed)
        .filter_map(|earlier| match lists[earlier as usize - 1] {
            2 => None,
            branch => Some(name(earlier, branch)),
        })
        .collect();
    request(
        name(*counter, *branch),
        previous.map(|(sequence, executed)| (position(sequence), executed)),
        listed,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn the_picked_part_gives_the_verdict_of_the_whole_archive(
        known in proptest::collection::vec(any_request(), 0..8),
        new in any_request(),
        cut in 0u64..3,
        seen in 0u64..8,
        lost in any::<bool>(),
    ) {
        let all: Vec<_> = known.iter().map(|parts| KnownRequest::of(&build(parts), parts.4, false)).collect();
        let opened = build(&new);
        let kept = KnownRequest::of(&opened, false, lost);
        let picked = pick(all.iter(), &opened, position(cut));
        let found = detect(&picked, &opened, seen, lost).is_some();
        prop_assert_eq!(found, naive(&all, &kept, position(cut), seen, lost));
    }
}

/// One honest store: makes requests, applies grants that rise, forgets nothing.
#[derive(Clone, Default)]
struct Store {
    counter: u64,
    branch: u8,
    grant: Option<(Position, u64)>,
    made: Vec<RequestName>,
}

impl Store {
    fn make(&mut self) -> Opened {
        self.counter += 1;
        let own = name(self.counter, self.branch);
        let from = self.grant.map_or(0, |grant| grant.1);
        let mut listed: Vec<_> = self.made.iter().filter(|made| made.counter >= from).copied().collect();
        listed.drain(..listed.len().saturating_sub(MAX_LISTED));
        self.made.push(own);
        request(own, self.grant, listed)
    }

    fn apply(&mut self, grant: (Position, u64)) {
        if self.grant.is_none_or(|held| grant.0 > held.0) {
            self.counter = self.counter.max(grant.1);
            self.grant = Some(grant);
        }
    }
}

/// Just enough of an authority to give positions and to remember.
#[derive(Default)]
struct Archive {
    known: Vec<KnownRequest>,
    seen: u64,
    sequence: u64,
    grants: Vec<(Position, u64)>,
}

impl Archive {
    fn take(&mut self, opened: &Opened) -> Option<Fork> {
        if self.known.iter().any(|known| known.name == opened.name) {
            return None;
        }
        let lost = previous_position(&opened.request) > position(self.sequence);
        let fork = detect(&pick(self.known.iter(), opened, Position::default()), opened, self.seen, lost);
        let executed = opened.name.counter > self.seen;
        if executed {
            self.seen = opened.name.counter;
            self.sequence += 1;
            self.grants.push((position(self.sequence), self.seen));
        }
        self.known.push(KnownRequest::of(opened, executed, lost));
        fork
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    /// Forty requests on their way at once are far more than a list names.
    #[test]
    fn no_order_of_delivery_makes_one_store_look_forked(steps in proptest::collection::vec((0u8..8, any::<u16>()), 1..120)) {
        let (mut store, mut archive, mut sent) = (Store::default(), Archive::default(), Vec::new());
        for (kind, which) in steps {
            match kind {
                0..=4 => sent.push(store.make()),
                5 | 6 if !sent.is_empty() => {
                    let opened: &Opened = &sent[usize::from(which) % sent.len()];
                    prop_assert_eq!(archive.take(opened), None);
                }
                7 if !archive.grants.is_empty() => {
                    store.apply(archive.grants[usize::from(which) % archive.grants.len()]);
                }
                _ => {}
            }
        }
        for opened in &sent {
            prop_assert_eq!(archive.take(opened), None);
        }
    }

    /// The database is set back at a random point: the archive forgets, the store does not.
    #[test]
    fn a_database_that_was_set_back_is_no_fork_of_the_device(
        before in 1usize..25, kept in 0usize..25, after in 1usize..5, applied in any::<bool>(), late in any::<u16>(),
    ) {
        let (mut store, mut archive) = (Store::default(), Archive::default());
        let mut sent = Vec::new();
        for _ in 0..before {
            let opened = store.make();
            archive.take(&opened);
            if applied {
                store.apply(archive.grants[archive.grants.len() - 1]);
            }
            sent.push(opened);
        }
        let mut restored = Archive::default();
        for opened in sent.iter().take(kept) {
            restored.take(opened);
        }
        for _ in 0..after {
            let opened = store.make();
            prop_assert_eq!(restored.take(&opened), None);
        }
        let old = &sent[usize::from(late) % sent.len()];
        prop_assert_eq!(restored.take(old), None);
    }
}

#[test]
fn a_copied_store_shows_itself_by_its_counter() {
    let (mut store, mut archive) = (Store::default(), Archive::default());
    archive.take(&store.make());
    let mut copy = Store { branch: 1, ..store.clone() };
    assert_eq!(archive.take(&store.make()), None);
    assert_eq!(archive.take(&copy.make()), Some(Fork::SameCounter));
}

#[test]
fn a_restored_store_shows_itself_by_what_it_does_not_list() {
    let (mut store, mut archive) = (Store::default(), Archive::default());
    archive.take(&store.make());
    let mut restored = Store { branch: 1, counter: store.counter + 5, ..store.clone() };
    assert_eq!(archive.take(&store.make()), None);
    assert_eq!(archive.take(&restored.make()), Some(Fork::Unlisted { counter: 2 }));
}

#[test]
fn a_restored_store_shows_itself_by_an_older_grant() {
    let (mut store, mut archive) = (Store::default(), Archive::default());
    archive.take(&store.make());
    let mut restored = Store { branch: 1, ..store.clone() };
    store.apply(archive.grants[0]);
    archive.take(&store.make());
    store.apply(archive.grants[1]);
    restored.counter = 9;
    assert_eq!(archive.take(&restored.make()), Some(Fork::PreviousFell));
}

#[test]
fn an_old_request_that_nobody_knows_is_a_fork() {
    let (mut store, mut archive) = (Store::default(), Archive::default());
    archive.take(&store.make());
    store.apply(archive.grants[0]);
    let mut copy = Store { branch: 1, ..store.clone() };
    let hidden = copy.make();
    store.counter += 5;
    archive.take(&store.make());
    store.apply(archive.grants[1]);
    archive.take(&store.make());
    assert_eq!(archive.take(&hidden), Some(Fork::Unlisted { counter: hidden.name.counter }));
    let mut late = Archive { known: archive.known[2..3].to_vec(), ..Archive::default() };
    late.seen = archive.seen;
    late.sequence = archive.sequence;
    assert_eq!(late.take(&hidden), Some(Fork::Unknown));
}
