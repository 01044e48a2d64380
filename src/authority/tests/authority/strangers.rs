//! Keys that show no license: they are answered as well as everyone, and nothing grows by it.

use crate::support::*;
use landfast_authority::storage::sqlite::{self, Load, Sqlite, transaction};
use landfast_authority::storage::{PASSING, Storage};
use landfast_protocol::grant::Position;
use landfast_protocol::keys::SecretKey;
use landfast_protocol::operation::{Action, Outcome};
use landfast_protocol::response::{Disposition, Response};
use landfast_protocol::{ActivationId, Blob, Duration};
use sqlx::{Row, SqliteConnection};

/// A key that nobody has seen, with an activation id that nobody sold.
fn stranger(number: u32) -> Device {
    let mut seed = [0xee; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    let mut device = Device { key: SecretKey::from_seed(&seed), ..Device::new(1) };
    let id = <[u8; 16]>::try_from(&seed[..16]).unwrap();
    device.activate(ActivationId::from_bytes(id), None);
    device
}

async fn count(connection: &mut SqliteConnection, query: &'static str) -> i64 {
    sqlx::query(query).fetch_one(connection).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_strangers_do_not_grow_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("authority.db");
    sqlite::create(&path).await.unwrap();
    let mut connection = sqlite::connect(&path).await.unwrap();
    let sold = [license(1, "Historian", 1, 1)];
    for step in 0..stock_steps(&sold) {
        let work = async |l: &mut sqlite::SqliteLedger<'_>| stock_step(l, &sold, step).await;
        transaction(&mut connection, work).await.unwrap();
    }
    let history = count(&mut connection, "SELECT COUNT(*) FROM history").await;
    let store = Sqlite::open(&path, signer(), Load::default()).await.unwrap();
    let mut pages = Vec::new();
    for wave in 0..3 {
        let asked = (0..PASSING).map(|number| {
            let request = stranger(wave * PASSING + number).request();
            store.exchange(request, NOW, [0; 8])
        });
        for answer in crate::client::all(asked).await {
            trust().open::<Response>(&answer.unwrap()).unwrap();
        }
        pages.push(count(&mut connection, "PRAGMA page_count").await);
    }
    assert!(pages[2] <= pages[1], "{pages:?}");
    assert_eq!(count(&mut connection, "SELECT COUNT(*) FROM passing").await, i64::from(PASSING));
    for kept in [
        "SELECT COUNT(*) FROM device",
        "SELECT COUNT(*) FROM device_grant",
        "SELECT COUNT(*) FROM request",
        "SELECT COUNT(*) FROM operation",
        "SELECT COUNT(*) FROM holding",
        "SELECT COUNT(*) FROM fork_case",
    ] {
        assert_eq!(count(&mut connection, kept).await, 0, "{kept}");
    }
    assert_eq!(count(&mut connection, "SELECT COUNT(*) FROM history").await, history);
    // Who has an activation id is kept, with its first request.
    let mut device = Device::new(1);
    let take = device.activate(activation(1), None);
    let answer = store.exchange(device.request(), NOW, [0; 8]).await.unwrap();
    assert_eq!(outcome(&device.import(&answer), take), Outcome::Done);
    assert_eq!(count(&mut connection, "SELECT COUNT(*) FROM request").await, 1);
    store.close().await.unwrap();
}

#[test]
fn i3_a_stranger_gets_the_same_bytes_again_and_the_same_results_for_ever() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = stranger(0);
    device.give_back(activation(1), None);
    device.wants(Action::Unknown { kind: 900, body: Blob::new(vec![1]).unwrap() });
    let request = device.request();
    let answer = vendor.take(request.clone()).unwrap();
    vendor.now = NOW.after(Duration::days(1));
    for number in 1..PASSING {
        vendor.take(stranger(number).request()).unwrap();
    }
    assert_eq!(vendor.take(request.clone()).unwrap(), answer);
    vendor.take(stranger(PASSING).request()).unwrap();
    let again = vendor.take(request).unwrap();
    let (first, anew) = (response_to(&answer), response_to(&again));
    assert_eq!((first.results.clone(), first.answers), (anew.results, anew.answers));
    assert_eq!(anew.issued_at, vendor.now);
    assert_eq!(first.results.len(), 3);
}

#[test]
fn a_device_whose_first_request_was_denied_activates_with_the_next() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    let wrong = device.activate(activation(9), None);
    let denied = device.request();
    let answer = vendor.take(denied.clone()).unwrap();
    let response = device.import(&answer);
    assert_eq!(
        (disposition(&response), denial(&response, wrong)),
        (Disposition::Executed, "unknown_license".into())
    );
    assert!(device.pending.is_empty());
    assert_eq!(device.previous.unwrap().position, Position { epoch: 0, sequence: 0 });
    assert_eq!(vendor.memory.tables().devices().count(), 0);
    // Asked again, and lost this time: the operation is carried on.
    let wrong = device.activate(activation(9), None);
    let lost = device.request();
    vendor.take(lost).unwrap();
    let take = device.activate(activation(1), None);
    let response = vendor.exchange(&mut device);
    assert_eq!(
        (denial(&response, wrong), outcome(&response, take)),
        ("unknown_license".into(), Outcome::Done)
    );
    assert_eq!(device.holds(activation(1)), 1);
    assert_eq!(vendor.take(denied.clone()).unwrap(), answer, "known by now, it still gets the same bytes");
    device.import(&answer);
    assert_eq!(device.holds(activation(1)), 1, "and they change nothing");
    for number in 0..PASSING {
        vendor.take(stranger(number).request()).unwrap();
    }
    let again = vendor.take(denied).unwrap();
    let again = device.import(&again);
    assert_eq!(
        (again.results.clone(), again.answers),
        (response_to(&answer).results, response_to(&answer).answers)
    );
    assert_eq!(device.holds(activation(1)), 1);
}

fn response_to(answer: &[u8]) -> Response {
    trust().open(answer).unwrap()
}

/// The model of the exchange found this: the copy's own exchange is forgotten, and the answer to a request that both
/// made would bring it what only the other one activated.
#[test]
fn p10_a_copy_from_before_its_device_was_known_gets_nothing_by_a_request_that_both_made() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let mut device = Device::new(1);
    let both = device.request();
    let mut copy = device.copy(1);
    vendor.exchange(&mut copy);
    device.activate(activation(1), None);
    vendor.exchange(&mut device);
    assert_eq!(device.holds(activation(1)), 1);
    let late = vendor.take(both).unwrap();
    copy.import(&late);
    assert_eq!(copy.holds(activation(1)), 0);
    let response = vendor.exchange(&mut copy);
    assert!(matches!(disposition(&response), Disposition::OnHold { .. }), "its next request shows the fork");
}

#[test]
fn who_proves_a_license_is_kept_even_if_denied_and_who_only_names_one_is_not() {
    let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
    let (mut holder, mut late, mut liar) = (Device::new(1), Device::new(2), Device::new(3));
    holder.activate(activation(1), None);
    vendor.exchange(&mut holder);
    let refused = late.activate(activation(1), None);
    let request = late.request();
    let answer = vendor.take(request.clone()).unwrap();
    assert_eq!(denial(&late.import(&answer), refused), "too_many_devices");
    let guess = liar.activate(activation(9), None);
    let Action::Activate { license, .. } = &mut liar.pending[0].action else { unreachable!() };
    *license = activation(1).license(&ISSUER);
    assert_eq!(denial(&vendor.exchange(&mut liar), guess), "unknown_license");
    let known: Vec<_> = vendor.memory.tables().devices().map(|device| device.id()).collect();
    assert!(known.contains(&late.id()) && !known.contains(&liar.id()) && known.len() == 2);
    // A denial that depends on what is stored is an archived one.
    holder.give_back(activation(1), None);
    vendor.exchange(&mut holder);
    for number in 0..=PASSING {
        vendor.take(stranger(number).request()).unwrap();
    }
    assert_eq!(vendor.take(request).unwrap(), answer);
}

#[test]
fn requests_from_before_a_device_was_known_are_no_fork_whenever_they_arrive() {
    for imported in [0, 7] {
        for known in [3, 16, 17, 25] {
            let mut vendor = Vendor::new(&[license(1, "Historian", 1, 1)]);
            let mut device = Device::new(1);
            let mut early = Vec::new();
            for number in 0..known {
                let request = device.request();
                if number < imported {
                    let answer = vendor.take(request.clone()).unwrap();
                    device.import(&answer);
                }
                early.push(request);
            }
            device.activate(activation(1), None);
            vendor.exchange(&mut device);
            let later = device.request();
            // Answers that are kept for a while are gone, where there were any.
            for number in 0..imported.min(1) * PASSING {
                vendor.take(stranger(number).request()).unwrap();
            }
            early.rotate_left(known as usize / 2);
            early.push(later);
            for request in early {
                let response = vendor.take(request).unwrap();
                let response = device.import(&response);
                assert!(!matches!(disposition(&response), Disposition::OnHold { .. }), "{imported} {known}");
                assert_eq!(device.holds(activation(1)), 1);
            }
        }
    }
}
