//! Sessions with the real command.

use crate::client::{Client, within};
use crate::process::Installed;
use crate::support::*;
use landfast_authority::home::IssuerFile;
use landfast_authority::storage::sqlite;
use landfast_protocol::ActivationId;
use landfast_protocol::certificate::Trust;
use landfast_protocol::response::Disposition;
use std::os::unix::fs::PermissionsExt;

fn issuer_file(installed: &Installed) -> IssuerFile {
    toml::from_str(&std::fs::read_to_string(installed.data.join("issuers/acme.toml")).unwrap()).unwrap()
}

fn device(installed: &Installed, number: u8) -> Device {
    let file = issuer_file(installed);
    Device { trust: Trust::new(file.id, file.roots), ..Device::new(number) }
}

#[test]
fn p11_init_makes_secrets_that_only_the_owner_reads_and_runs_once() {
    let installed = Installed::new();
    for secret in ["root.key", "signing.key", "authority.db", "tls/ca.key", "tls/server.pem"] {
        let mode = installed.data.join(secret).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    assert_eq!(installed.data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let file = issuer_file(&installed);
    assert_eq!(
        (file.name.as_str(), file.addresses.as_slice()),
        ("acme", &["https://localhost:8443".to_owned()][..])
    );
    let (code, said) = installed.fails(&["init", "--name", "acme", "--address", "https://localhost:8443"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not empty"), "{said}");
    let key = installed.data.join("signing.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = installed.fails(&["serve"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn b13_errors_name_the_thing_the_reason_and_the_next_step() {
    let empty = Installed::empty();
    let (code, said) = empty.fails(&["license", "list"]);
    assert!(code == 3 && said.contains("init"), "{code} {said}");
    let (code, said) = empty.fails(&["init", "--name", "Acme Inc", "--address", "https://a"]);
    assert!(code == 2 && said.contains("a-z"), "{code} {said}");
    let (code, _) = empty.fails(&["init", "--name", "acme", "--address", "http://a"]);
    assert_eq!(code, 2);
    let (installed, activation) = Installed::stocked("1");
    let add = ["license", "add", "--organization"];
    let cases: [(&[&str], i32, &str); 10] = [
        (&["organization", "add", "Acme Works"], 1, "already"),
        (&["product", "add", "Historian", "--feature", "a"], 1, "already"),
        (&["product", "add", "P", "--feature", "a", "--feature", "a"], 2, "twice"),
        (&["product", "add", "P", "--feature", "a:b"], 2, "neither"),
        (&[&add[..], &["Nobody", "--product", "Historian"]].concat(), 4, "organization list"),
        (&[&add[..], &["Acme Works", "--product", "Nothing"]].concat(), 4, "product list"),
        (&[&add[..], &["Acme Works", "--product", "Historian", "--term", "3d"]].concat(), 2, "no term"),
        (
            &[&add[..], &["Acme Works", "--product", "Historian", "--model", "trial"]].concat(),
            2,
            "--not-after",
        ),
        (&["license", "show", "ffffffff"], 4, "license list"),
        (&["license", "reset", &activation, "--device", "ff"], 4, "device list"),
    ];
    for (arguments, expected, word) in cases {
        let (code, said) = installed.fails(arguments);
        assert!(code == expected && said.contains(word), "{arguments:?}: {code} {said}");
    }
    let output = installed.run(&["--json", "license", "show", "ffffffff"]);
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["exit_code"], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k7_the_vendor_sees_who_holds_what_and_frees_what_a_dead_device_holds() {
    let (installed, text) = Installed::stocked("2");
    let activation: ActivationId = text.parse().unwrap();
    let server = installed.serve();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    let mut device = device(&installed, 1);
    device.activate(activation, None);
    let answer = client.exchange(device.request()).await;
    device.import(&answer.body);
    assert_eq!(device.holds(activation), 1);
    assert_eq!(device.grant.as_ref().unwrap().tokens[0].features[0].quantity, 500);
    assert!(device.grant.as_ref().unwrap().tokens[0].features[0].advisory);

    let shown = installed.json(&["license", "show", &text]);
    assert_eq!(shown["holders"][0]["device"], device.id().to_string());
    assert_eq!(shown["holders"][0]["label"], "press hall 3");
    assert_eq!(shown["activation_id"], text.as_str(), "support reads it out");
    let listed = installed.json(&["license", "list"]);
    assert!(!listed.to_string().contains(&text), "a list shows no secrets");
    assert_eq!((&listed[0]["units_in_use"], &listed[0]["quantity"]), (&1.into(), &2.into()));
    let held = installed.json(&["device", "show", &device.id().short()]);
    assert_eq!((&held["state"], &held["holdings"][0]["units"]), (&"bound".into(), &1.into()));
    assert!(installed.text(&["device", "list"]).contains("press hall 3"));
    assert!(installed.text(&["license", "show", &text]).contains("1 of 2 held"));

    let file = installed.data.join("renewal.lfres");
    let file = file.to_str().unwrap();
    installed.json(&["device", "update", &device.id().to_string(), "--output", file]);
    let before = device.previous.unwrap().position;
    device.import(&std::fs::read(file).unwrap());
    assert!(device.previous.unwrap().position > before);

    let freed = installed.json(&["license", "reset", &text, "--device", &device.id().short()]);
    assert_eq!(freed["units"], 1);
    let (code, said) = installed.fails(&["license", "reset", &text, "--device", &device.id().short()]);
    assert!(code == 1 && said.contains("does not hold"), "{code} {said}");
    let answer = client.exchange(device.request()).await;
    device.import(&answer.body);
    assert_eq!(device.holds(activation), 0);
    let changed =
        installed.json(&["license", "change", &text, "--quantity", "4", "--support-until", "2030-01-01"]);
    assert_eq!(
        (&changed["quantity"], &changed["support_until"]),
        (&4.into(), &"2030-01-01T00:00:00Z".into())
    );
    assert_eq!(installed.fails(&["license", "change", &text]).0, 2);
    installed.json(&["license", "withdraw", &text]);
    let refused = device.activate(activation, None);
    let answer = client.exchange(device.request()).await;
    assert_eq!(denial(&device.import(&answer.body), refused), "license_withdrawn");

    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    let history = installed.text(&["history"]);
    for secret in [&text, &text.replace('-', "")] {
        assert!(!log.contains(secret) && !history.contains(secret), "an activation id was written down");
    }
    for event in
        ["initialized", "license added", "activated", "license reset", "license withdrawn", "update issued"]
    {
        assert!(history.contains(event), "{event}: {history}");
    }
    assert!(history.contains("operator alice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p10_a_forked_device_is_on_hold_until_its_case_is_resolved() {
    let (installed, text) = Installed::stocked("2");
    let server = installed.serve();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    let mut original = device(&installed, 1);
    original.activate(text.parse().unwrap(), None);
    let mut copy = original.copy(1);
    for device in [&mut original, &mut copy] {
        let answer = client.exchange(device.request()).await;
        device.import(&answer.body);
    }
    let cases = installed.json(&["case", "list"]);
    let case = cases[0]["case"].as_str().unwrap().to_owned();
    assert!(cases[0]["resolved_at"].is_null());
    assert_eq!(installed.json(&["device", "list"])[0]["state"], "on hold");
    let (code, said) = installed.fails(&["case", "resolve", "0000000000000000"]);
    assert!(code == 4 && said.contains("case list"), "{code} {said}");
    installed.json(&["case", "resolve", &case]);
    let (code, said) = installed.fails(&["case", "resolve", &case]);
    assert!(code == 1 && said.contains("before"), "{code} {said}");
    for expected in [Disposition::Superseded, Disposition::Executed] {
        let answer = client.exchange(original.request()).await;
        assert_eq!(disposition(&original.import(&answer.body)), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_certificates_and_epochs_change_without_the_device() {
    let (installed, text) = Installed::stocked("1");
    let ca = installed.ca();
    let mut device = device(&installed, 1);
    device.activate(text.parse().unwrap(), None);
    let request = device.request();
    let server = installed.serve();
    let first = within(Client::open(server.address, &ca)).await.unwrap().exchange(request.clone()).await;
    device.import(&first.body);
    drop(server.stop());
    let old = installed.json(&["key", "show"])["key"].clone();
    assert_ne!(installed.json(&["key", "rotate"])["key"], old);
    installed.json(&["tls", "renew", "--address", "https://localhost:8443"]);
    assert_eq!(installed.json(&["epoch", "raise"])["to"], 1);
    assert_eq!(installed.json(&["epoch", "show"])["epoch"], 1);
    assert_eq!(installed.fails(&["epoch", "raise", "--to", "1"]).0, 1);
    let server = installed.serve();
    let mut client = within(Client::open(server.address, &ca)).await.unwrap();
    assert_eq!(client.exchange(request).await.body, first.body, "archived answers live on");
    let answer = client.exchange(device.request()).await;
    device.import(&answer.body);
    assert_eq!(device.previous.unwrap().position.epoch, 1);
    assert_eq!(device.holds(text.parse().unwrap()), 1);
}

#[tokio::test]
async fn tampering_with_the_history_is_found() {
    let (installed, _) = Installed::stocked("1");
    let verified = installed.json(&["history", "verify"]);
    let head = verified["head"].as_str().unwrap().to_owned();
    assert_eq!(verified["entries"], 4);
    installed.json(&["history", "verify", "--noted", &head]);
    let mut connection = sqlite::connect(&installed.data.join("authority.db")).await.unwrap();
    let change = "UPDATE history SET entry = replace(entry, 'Acme', 'Evil') WHERE number = 2";
    let refused = sqlx::query(change).execute(&mut connection).await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
    for trigger in ["DROP TRIGGER history_is_not_changed", "DROP TRIGGER history_is_not_deleted"] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
    sqlx::query("DELETE FROM history WHERE number = 4").execute(&mut connection).await.unwrap();
    assert_eq!(installed.json(&["history", "verify"])["entries"], 3, "a chain alone does not know its end");
    let (code, said) = installed.fails(&["history", "verify", "--noted", &head]);
    assert!(code == 1 && said.contains("noted"), "{code} {said}");
    sqlx::query(change).execute(&mut connection).await.unwrap();
    let (code, said) = installed.fails(&["history", "verify"]);
    assert!(code == 1 && said.contains("entry 2 was changed"), "{code} {said}");
    sqlx::query("DELETE FROM history WHERE number = 2").execute(&mut connection).await.unwrap();
    let (code, said) = installed.fails(&["history", "verify"]);
    assert!(code == 1 && said.contains("entry 2 is missing"), "{code} {said}");
}

#[test]
fn every_command_explains_itself() {
    let installed = Installed::empty();
    let commands: [&[&str]; 14] = [
        &[],
        &["init"],
        &["serve"],
        &["organization", "add"],
        &["organization", "list"],
        &["product", "add"],
        &["license", "add"],
        &["license", "reset"],
        &["device", "show"],
        &["history"],
        &["case", "resolve"],
        &["epoch", "raise"],
        &["key", "rotate"],
        &["tls", "renew"],
    ];
    for command in commands {
        let help = installed.text(&[command, &["--help"]].concat());
        assert!(help.contains("--json") && help.contains("--data"), "{command:?}: {help}");
    }
}
