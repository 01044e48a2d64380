use super::*;
use crate::store::testing::Disk;
use landfast_protocol::frame::Kind;
use landfast_protocol::request::Request;
use std::io::ErrorKind;

fn device(worker: &Worker<impl Medium>, issuer: usize) -> landfast_protocol::DeviceId {
    worker.views()[issuer].device
}

#[test]
fn a_device_is_the_same_after_a_restart_and_another_at_each_issuer() {
    let directory = tempfile::tempdir().unwrap();
    let first = started(directory.path());
    let devices = [device(&first, 0), device(&first, 1)];
    assert_ne!(devices[0], devices[1], "no two issuers can link a device");
    drop(first);
    let second = started(directory.path());
    assert_eq!([device(&second, 0), device(&second, 1)], devices);
}

#[test]
fn evidence_reaches_every_issuer() {
    let directory = tempfile::tempdir().unwrap();
    let mut worker = started(directory.path());
    let done = worker.run(Job::Evidence(HardwareReading::default())).unwrap();
    assert!(published(&done, 0).is_some() && published(&done, 1).is_some());
}

#[test]
fn a_request_is_durable_before_its_caller_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let mut worker = started(directory.path());
    let done = worker.run(reclaim(0, 7)).unwrap();
    let request = done.effects.iter().find_map(|effect| match effect {
        (0, Effect::Reply(Ticket(7), Ok(reply))) => reply.request.clone(),
        _ => None,
    });
    let request = Request::open(&request.unwrap()).unwrap();
    drop(worker);
    let restarted = started(directory.path());
    assert_eq!(restarted.views()[0].counter, request.name.counter);
    assert_eq!(restarted.views()[1].counter, 0, "each issuer counts by itself");
}

#[test]
fn p12_a_disk_that_is_full_at_the_start_is_tried_again_with_every_event() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let open = || worker(Store::open_with(directory.path(), disk.clone(), &[id(1), id(2)]).unwrap());
    let mut full = open();
    disk.fail(Some(ErrorKind::StorageFull), 0);
    let done = full.run(Job::Event { issuer: 0, event: Event::Start }).unwrap();
    assert!(done.trouble.unwrap().contains("free space"));
    let look = || Job::Evidence(HardwareReading::default());
    assert!(full.run(look()).unwrap().refused.is_some(), "whoever asked for the look is told");
    let done = full.run(reclaim(0, 1)).unwrap();
    assert_eq!(refusal(&done).unwrap().code(), "store_failed");
    disk.fail(None, 0);
    let done = full.run(Job::Wake(vec![0])).unwrap();
    assert_eq!(done.trouble, None);
    assert!(published(&done, 0).is_some(), "the first event happened after all");
    assert_eq!(full.run(look()).unwrap().refused, None);
    let device = device(&full, 0);
    drop(full);
    assert_eq!(open().views()[0].device, device);
}

#[test]
fn p8_what_happened_to_the_store_is_shown_and_written_down() {
    let directory = tempfile::tempdir().unwrap();
    drop(started(directory.path()));
    std::fs::write(directory.path().join("store.redb"), b"no database").unwrap();
    let mut worker = worker(store(directory.path()));
    for alerts in worker.incidents() {
        let codes: Vec<_> = alerts.iter().map(|alert| alert.code).collect();
        assert_eq!(codes, ["store_damaged", "store_healed"]);
    }
    let (answer, mut lines) = tokio::sync::oneshot::channel();
    worker.run(Job::History { issuer: 1, since: None, limit: 100, answer }).unwrap();
    let Ok(Ok(crate::desk::Answer::History(lines))) = lines.try_recv() else { panic!("no history") };
    let codes: Vec<_> = lines.iter().map(|line| line.code.as_str()).collect();
    assert_eq!(codes, ["store_damaged", "store_healed"]);
}

#[test]
fn p8_damage_that_is_found_while_running_is_healed_and_shown() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let mut worker = worker(Store::open_with(directory.path(), disk.clone(), &[id(1), id(2)]).unwrap());
    worker.run(Job::Event { issuer: 0, event: Event::Start }).unwrap();
    worker.run(Job::Evidence(HardwareReading::default())).unwrap();
    disk.fail(Some(ErrorKind::StorageFull), 0);
    assert!(worker.run(reclaim(0, 1)).unwrap().trouble.is_some());
    disk.overwrite(b"what a failing disk wrote".to_vec());
    disk.fail(None, 0);
    let done = worker.run(reclaim(0, 2)).unwrap();
    assert_eq!((refusal(&done), done.trouble.as_ref()), (None, None));
    let codes: Vec<_> = done.alerts[0].iter().map(|alert| alert.code).collect();
    assert_eq!(codes, ["store_damaged"]);
    assert!(worker.run(Job::Wake(vec![0])).unwrap().alerts.iter().all(Vec::is_empty), "told once");
    drop(worker);
    let restarted = super::worker(Store::open_with(directory.path(), disk, &[id(1), id(2)]).unwrap());
    assert_eq!(restarted.views()[0].counter, 1);
}

#[test]
fn p8_a_lost_store_refuses_commands_and_makes_no_new_key() {
    let directory = tempfile::tempdir().unwrap();
    let mut before = started(directory.path());
    before.run(reclaim(0, 1)).unwrap();
    drop(before);
    std::fs::remove_file(directory.path().join("store.redb")).unwrap();
    std::fs::remove_file(directory.path().join(format!("issuers/{}/state", id(1)))).unwrap();
    for _ in 0..2 {
        let mut lost = started(directory.path());
        let alerts: Vec<_> = lost.views()[0].alerts.iter().map(|alert| alert.code).collect();
        assert!(alerts.contains(&"store_lost"), "{alerts:?}");
        let done = lost.run(reclaim(0, 2)).unwrap();
        assert_eq!(refusal(&done), Some(&Refusal::StoreLost));
        assert!(
            lost.run(reclaim(1, 3))
                .unwrap()
                .effects
                .iter()
                .any(|effect| matches!(effect, (1, Effect::Reply(_, Ok(reply))) if reply.request.is_some()))
        );
        assert!(!directory.path().join(format!("issuers/{}/state", id(1))).exists());
    }
}

#[test]
fn a_damaged_grant_beside_a_lost_store_is_no_grant() {
    let directory = tempfile::tempdir().unwrap();
    drop(started(directory.path()));
    let issuer = directory.path().join(format!("issuers/{}", id(1)));
    std::fs::remove_file(directory.path().join("store.redb")).unwrap();
    std::fs::remove_file(issuer.join("state")).unwrap();
    std::fs::write(issuer.join("grant"), b"noise").unwrap();
    let codes: Vec<_> = started(directory.path()).views()[0].alerts.iter().map(|alert| alert.code).collect();
    assert!(codes.contains(&"store_lost") && !codes.contains(&"grant_untrusted"), "{codes:?}");
}

#[test]
fn p12_a_state_of_a_newer_release_is_left_alone_and_stops_nobody() {
    let directory = tempfile::tempdir().unwrap();
    drop(started(directory.path()));
    let newer = landfast_core::Record { state: vec![200, 1, 2], history: Vec::new() };
    store(directory.path()).write(id(1), &newer).unwrap();
    for _ in 0..2 {
        let mut worker = worker(store(directory.path()));
        let codes: Vec<Vec<_>> =
            worker.incidents().iter().map(|alerts| alerts.iter().map(|alert| alert.code).collect()).collect();
        assert_eq!(codes, [vec!["state_unreadable"], vec![]]);
        worker.run(Job::Event { issuer: 0, event: Event::Start }).unwrap();
        worker.run(Job::Evidence(HardwareReading::default())).unwrap();
        assert_eq!(refusal(&worker.run(reclaim(0, 1)).unwrap()), Some(&Refusal::StoreLost));
        assert_eq!(refusal(&worker.run(reclaim(1, 2)).unwrap()), None, "the other issuer goes on");
    }
    let held = store(directory.path()).take(id(1), landfast_protocol::Timestamp(0));
    assert_eq!(held, crate::store::Held::State(newer.state.into()));
}

#[test]
fn nobody_speaks_for_an_issuer_that_is_not_configured() {
    let directory = tempfile::tempdir().unwrap();
    let mut worker = started(directory.path());
    let done = worker.run(reclaim(9, 1)).unwrap();
    assert_eq!(refusal(&done).unwrap().code(), "bad_command");
    assert_eq!(worker.run(Job::Wake(vec![9])).unwrap().effects.len(), 0);
}

#[test]
fn requests_carry_what_was_configured() {
    let directory = tempfile::tempdir().unwrap();
    let mut worker = started(directory.path());
    let done = worker.run(reclaim(1, 1)).unwrap();
    let (_, Effect::Reply(_, Ok(reply))) =
        done.effects.iter().find(|(_, effect)| matches!(effect, Effect::Reply(..))).unwrap()
    else {
        panic!("refused")
    };
    let bytes = reply.request.clone().unwrap();
    assert_eq!(landfast_protocol::frame::Frame::parse(&bytes).unwrap().kind(), Kind::Request);
    assert_eq!(Request::open(&bytes).unwrap().request.issuer, id(2));
}
