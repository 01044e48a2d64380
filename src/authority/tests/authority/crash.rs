//! The server is killed in the middle of its work. What it answered before is what it answers after.
//!
//! SIGKILL shows that a commit stands before its answer leaves; that it also stands a power cut is SQLite's
//! `synchronous=FULL`, which the last test reads back.

use crate::client::{Client, within};
use crate::process::Installed;
use crate::support::*;
use landfast_authority::home::IssuerFile;
use landfast_authority::storage::sqlite;
use landfast_protocol::ActivationId;
use landfast_protocol::certificate::Trust;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_what_was_answered_before_a_kill_is_answered_the_same_after_it() {
    let (installed, text) = Installed::stocked("4");
    let activation: ActivationId = text.parse().unwrap();
    let file = std::fs::read_to_string(installed.data.join("issuers/acme.toml")).unwrap();
    let file: IssuerFile = toml::from_str(&file).unwrap();
    let trust = Trust::new(file.id, file.roots);
    let server = installed.serve_unbounded();
    let answered = Arc::new(AtomicUsize::new(0));
    let mut devices = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
        let mut device = Device { trust: trust.clone(), ..Device::new(number) };
        let answered = Arc::clone(&answered);
        devices.spawn(async move {
            let mut exchanges = Vec::new();
            loop {
                device.activate(activation, None);
                device.give_back(activation, None);
                device.activate(activation, None);
                let request = device.request();
                let sent = client.send(
                    "POST",
                    "/v1/exchange",
                    landfast_authority::api::REQUEST_TYPE,
                    request.clone(),
                );
                let Ok(answer) = sent.await else { return (device, exchanges, request) };
                assert_eq!(answer.status, 200);
                device.import(&answer.body);
                exchanges.push((request, answer.body));
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    within(async {
        while answered.load(Ordering::Relaxed) < 60 {
            tokio::task::yield_now().await
        }
    })
    .await;
    server.kill();
    let server = installed.serve_unbounded();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    let mut held = 0;
    for (mut device, exchanges, cut_off) in within(devices.join_all()).await {
        for (request, answer) in exchanges {
            assert_eq!(client.exchange(request).await.body, answer);
        }
        let answer = client.exchange(cut_off).await;
        device.import(&answer.body);
        assert!(device.pending.is_empty(), "the exchange that was cut off is as good as any other");
        held += device.holds(activation);
    }
    assert!(held <= 4);
    let shown = installed.json(&["license", "show", &text]);
    assert_eq!(shown["units_in_use"], held);
    installed.json(&["history", "verify"]);
}

#[tokio::test]
async fn p8_a_commit_is_on_the_disk_before_anyone_hears_of_it() {
    use sqlx::Row;
    let installed = Installed::new();
    let mut connection = sqlite::connect(&installed.data.join("authority.db")).await.unwrap();
    let pragma: i64 = sqlx::query("PRAGMA synchronous").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(pragma, 2, "FULL");
    let mode: String = sqlx::query("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(mode, "wal");
}
