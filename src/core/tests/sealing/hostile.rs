//! Boxes that nobody sealed.

use crate::machine::{ISSUER, Machine};
use landfast_core::sealing::{MAX_BOX, SealError, SealedBox, open};
use landfast_protocol::binding::{BindingPolicy, Weights};
use landfast_protocol::evidence::Factor;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// A box with few shares: every byte of it is tried.
fn small() -> (Machine, Vec<u8>) {
    let weights =
        Weights { board: 6, disks: 4, network: 3, cpu: 1, chassis: 1, machine_id: 1, ..Weights::default() };
    let policy = BindingPolicy { weights, minimum: 1, ..BindingPolicy::default() };
    let machine = Machine::server();
    let sealed = machine.seal_by(&policy).unwrap();
    (machine, sealed.encode().unwrap())
}

fn opens(machine: &Machine, bytes: &[u8]) -> bool {
    SealedBox::decode(bytes).is_ok_and(|sealed| open(&sealed, &ISSUER, &machine.shown()).is_ok())
}

/// Where the stretch of [`small`] stands: after the format and the salt, 8 KiB and one pass.
const STRETCH: usize = 17;

#[test]
fn p8_each_changed_byte_is_refused() {
    let (machine, bytes) = small();
    assert!(opens(&machine, &bytes));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!opens(&machine, &changed), "byte {at} of {}", bytes.len());
    }
}

#[test]
fn p8_each_cut_and_each_added_byte_is_refused() {
    let (machine, bytes) = small();
    for length in 0..bytes.len() {
        assert!(!opens(&machine, &bytes[..length]));
    }
    assert!(!opens(&machine, &[&bytes[..], &[0]].concat()));
    assert!(matches!(SealedBox::decode(&vec![1; MAX_BOX + 1]), Err(SealError::Damaged(_))));
}

#[test]
fn a_box_cannot_make_the_machine_take_gigabytes() {
    let (_, bytes) = small();
    assert_eq!(bytes[STRETCH..STRETCH + 2], [8, 1]);
    let with = |stretch: (u32, u32)| {
        let stretch = postcard::to_stdvec(&stretch).unwrap();
        [&bytes[..STRETCH], &stretch, &bytes[STRETCH + 2..]].concat()
    };
    assert!(SealedBox::decode(&with((8, 2))).is_ok());
    for stretch in [(4 << 20, 1), (u32::MAX, 1), (65_536, 3), (8, u32::MAX), (8, 0), (0, 1)] {
        assert!(matches!(SealedBox::decode(&with(stretch)), Err(SealError::Damaged(_))), "{stretch:?}");
    }
}

#[test]
fn a_threshold_that_opens_with_less_is_refused() {
    let (_, bytes) = small();
    let at = STRETCH + 2;
    assert_eq!(bytes[at], 8, "of 16");
    for (needed, taken) in [(0, false), (1, false), (7, false), (8, true), (16, true), (17, false)] {
        let mut changed = bytes.clone();
        changed[at] = needed;
        assert_eq!(SealedBox::decode(&changed).is_ok(), taken, "{needed}");
    }
}

#[test]
fn the_secret_of_one_box_does_not_fit_behind_the_lock_of_another() {
    let (machine, bytes) = small();
    let other = Machine::server().new_cards();
    let weights = SealedBox::decode(&bytes).unwrap();
    let foreign = other.seal().encode().unwrap();
    // Nonce, length, secret and its code stand last, and are as long in both.
    let payload = 24 + 1 + crate::machine::SECRET.len() + 16;
    let mixed = [&bytes[..bytes.len() - payload], &foreign[foreign.len() - payload..]].concat();
    let mixed = SealedBox::decode(&mixed).unwrap();
    assert_eq!(mixed.groups().collect::<Vec<_>>(), weights.groups().collect::<Vec<_>>());
    assert!(matches!(open(&mixed, &ISSUER, &machine.shown()), Err(SealError::Damaged(_))));
}

#[test]
fn a_box_within_another_record_is_read_as_strictly() {
    let (_, bytes) = small();
    let sealed = SealedBox::decode(&bytes).unwrap();
    let record = postcard::to_stdvec(&(1u8, &sealed, 2u8)).unwrap();
    assert_eq!(postcard::from_bytes::<(u8, SealedBox, u8)>(&record), Ok((1, sealed, 2)));
    let mut damaged = record;
    damaged[3] = 9;
    assert!(postcard::from_bytes::<(u8, SealedBox, u8)>(&damaged).is_err());
}

#[test]
fn a_machine_with_a_hundred_disks_fits_into_a_box() {
    let weights = Weights {
        board: 255,
        tpm: 255,
        soc: 255,
        virtual_id: 255,
        disks: 255,
        network: 255,
        cpu: 255,
        chassis: 255,
        machine_id: 1,
        ..Weights::default()
    };
    let policy = BindingPolicy { weights, ..BindingPolicy::default() };
    let disk = |machine: Machine, number: u8| machine.with(Factor::Disk, &format!("disk-{number}"));
    let full = (0..100).fold(Machine::server().with_tpm(), disk);
    let sealed = full.seal_by(&policy).unwrap();
    assert!(full.open(&sealed).is_ok());
    let bytes = sealed.encode().unwrap();
    assert!(bytes.len() < MAX_BOX, "{}", bytes.len());
    let usual = full.seal();
    assert!(usual.encode().unwrap().len() < 32 * 1024, "{}", usual.encode().unwrap().len());
    assert!(full.open(&usual).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        let mut bytes = bytes;
        prop_assert!(SealedBox::decode(&bytes).is_err());
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        prop_assert!(SealedBox::decode(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_damage_panics(places in vec((any::<Index>(), any::<u8>(), 0..3u8), 1..6)) {
        let (machine, original) = small();
        let mut bytes = original.clone();
        for (place, byte, kind) in places {
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        prop_assert!(bytes == original || !opens(&machine, &bytes));
    }
}
