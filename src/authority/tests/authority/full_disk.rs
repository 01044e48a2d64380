//! A disk that is full for a while. The kernel keeps the server's files from growing, so that the commit itself fails,
//! as it does on a full file system: SQLite then rolls back without being asked.

use crate::client::{Client, within};
use crate::process::Installed;
use crate::support::*;
use landfast_authority::home::IssuerFile;
use landfast_protocol::ActivationId;
use landfast_protocol::certificate::Trust;

async fn health(client: &mut Client) -> u16 {
    within(client.send("GET", "/healthz", "", vec![])).await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_exchanges_work_again_without_a_restart_once_a_full_disk_has_room() {
    let (installed, text) = Installed::stocked("9");
    let activation: ActivationId = text.parse().unwrap();
    let file = std::fs::read_to_string(installed.data.join("issuers/acme.toml")).unwrap();
    let file: IssuerFile = toml::from_str(&file).unwrap();
    let trust = Trust::new(file.id, file.roots);
    let mut devices: Vec<_> =
        (1..=9).map(|number| Device { trust: trust.clone(), ..Device::new(number) }).collect();
    let requests: Vec<_> = devices
        .iter_mut()
        .map(|device| {
            device.activate(activation, None);
            device.request()
        })
        .collect();
    let server = installed.serve_bounded();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    let mut answered = Vec::new();
    for request in &requests[..3] {
        let answer = client.exchange(request.clone()).await;
        assert_eq!(answer.status, 200);
        answered.push(answer.body);
    }
    assert_eq!(health(&mut client).await, 200);

    let log = installed.data.join("authority.db-wal");
    server.bound_files(Some(log.metadata().unwrap().len()));
    for request in &requests[3..6] {
        let refused = client.exchange(request.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "storage_unavailable"));
        assert!(refused.retry_after.is_some());
        assert_eq!(health(&mut client).await, 503, "a monitor sees it");
    }
    let kept = client.exchange(requests[0].clone()).await;
    assert_eq!((kept.status, &kept.body), (200, &answered[0]), "what was answered needs no room");
    assert_eq!(health(&mut client).await, 503, "an answer from the archive proves nothing");

    server.bound_files(None);
    for request in &requests[3..] {
        let answer = client.exchange(request.clone()).await;
        assert_eq!(answer.status, 200);
        answered.push(answer.body);
    }
    assert_eq!(health(&mut client).await, 200);
    let (code, said) = server.stop();
    assert!(code == Some(0) && said.contains("cannot commit"), "{code:?} {said}");

    // Whatever a device heard is on the disk.
    let server = installed.serve();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    for ((request, answer), device) in requests.into_iter().zip(answered).zip(&mut devices) {
        assert_eq!(client.exchange(request).await.body, answer);
        device.import(&answer);
        assert_eq!(device.holds(activation), 1);
    }
    assert_eq!(installed.json(&["license", "show", &text])["units_in_use"], 9);
    installed.json(&["history", "verify"]);
}
