//! The files beside the database: what a crash may leave, and what heals it.

use crate::client::{Client, within};
use crate::process::Installed;
use crate::support::*;
use landfast_authority::home::IssuerFile;
use landfast_protocol::ActivationId;
use landfast_protocol::certificate::Trust;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The first builds kept key and certificate apart, and a crash could leave those of two different rotations.
#[test]
fn i4_key_rotate_heals_whatever_became_of_the_signing_key() {
    let installed = Installed::new();
    let path = |name: &str| installed.data.join(name);
    let issuer = installed.json(&["key", "show"])["issuer"].clone();
    let whole = fs::read_to_string(path("signing.key")).unwrap();
    let certificate = match whole.trim().split_once('\n') {
        Some((_, certificate)) => certificate.to_owned(),
        None => fs::read_to_string(path("signing.cert")).unwrap(),
    };
    let damages: [(&str, &dyn Fn()); 4] = [
        ("of another rotation", &|| {
            fs::write(path("signing.key"), "07".repeat(32)).unwrap();
            fs::write(path("signing.cert"), &certificate).unwrap();
        }),
        ("cut off", &|| fs::write(path("signing.key"), &whole[..40]).unwrap()),
        ("no text", &|| fs::write(path("signing.key"), [0xff, 0, 1]).unwrap()),
        ("gone", &|| fs::remove_file(path("signing.key")).unwrap()),
    ];
    for (what, damage) in damages {
        damage();
        let (code, said) = installed.fails(&["serve", "--listen", "127.0.0.1:0"]);
        assert!(code != 0 && said.contains("key rotate"), "{what}: {code} {said}");
        let (code, said) = installed.fails(&["key", "show"]);
        assert!(code != 0 && said.contains("key rotate"), "{what}: {code} {said}");
        assert_eq!(installed.json(&["key", "rotate"])["issuer"], issuer, "{what}");
        assert_eq!(installed.json(&["key", "show"])["issuer"], issuer, "{what}");
    }
    assert!(!path("signing.cert").exists(), "one file is replaced in one step");
    drop(installed.serve().stop());
}

#[test]
fn a_certificate_that_is_kept_apart_is_still_read() {
    let installed = Installed::new();
    let shown = installed.json(&["key", "show"]);
    let file = installed.data.join("signing.key");
    let text = fs::read_to_string(&file).unwrap();
    let (key, certificate) = text.trim().split_once('\n').unwrap();
    fs::write(&file, key).unwrap();
    fs::write(installed.data.join("signing.cert"), certificate).unwrap();
    assert_eq!(installed.json(&["key", "show"]), shown);
}

/// The same of TLS: the certificate is of one renewal, the key of another.
#[test]
fn i4_tls_renew_heals_a_certificate_without_its_key() {
    let installed = Installed::new();
    let renew = ["tls", "renew", "--address", "https://localhost:8443"];
    let (pem, key) = (installed.data.join("tls/server.pem"), installed.data.join("tls/server.key"));
    let sections = |path: &Path, what: &str| {
        let text = fs::read_to_string(path).unwrap();
        let end = format!("END {what}-----\n");
        let start = text.find(&format!("-----BEGIN {what}")).unwrap();
        text[start..start + text[start..].find(&end).unwrap() + end.len()].to_owned()
    };
    let old = sections(&pem, "CERTIFICATE");
    installed.json(&renew);
    let new = sections(if key.exists() { &key } else { &pem }, "PRIVATE KEY");
    fs::write(&pem, old).unwrap();
    fs::write(&key, new).unwrap();
    let (code, said) = installed.fails(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(code != 0 && said.contains("tls renew"), "{code} {said}");
    installed.json(&renew);
    drop(installed.serve().stop());
    assert!(!key.exists(), "one file is replaced in one step");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_that_cannot_be_written_is_not_issued_and_an_old_file_is_replaced_whole() {
    let (installed, text) = Installed::stocked("1");
    let activation: ActivationId = text.parse().unwrap();
    let file = fs::read_to_string(installed.data.join("issuers/acme.toml")).unwrap();
    let file: IssuerFile = toml::from_str(&file).unwrap();
    let mut device = Device { trust: Trust::new(file.id, file.roots), ..Device::new(1) };
    device.activate(activation, None);
    let server = installed.serve();
    let mut client = within(Client::open(server.address, &installed.ca())).await.unwrap();
    let answer = client.exchange(device.request()).await;
    device.import(&answer.body);
    let id = device.id().to_string();

    let (nowhere, socket) = (installed.data.join("missing/renewal.lfres"), installed.data.join("socket"));
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for wrong in [&nowhere, &installed.data, &socket] {
        let wrong = wrong.to_str().unwrap();
        let (code, said) = installed.fails(&["device", "update", &id, "--output", wrong]);
        assert!(code != 0 && said.contains(wrong), "{code} {said}");
    }
    assert!(!installed.text(&["history"]).contains("update issued"));
    assert!(socket.exists() && !socket.is_file(), "what is no file is not replaced by one");

    let (path, other) = (installed.data.join("renewal.lfres"), installed.data.join("other-name"));
    fs::write(&path, "an older file").unwrap();
    fs::hard_link(&path, &other).unwrap();
    installed.json(&["device", "update", &id, "--output", path.to_str().unwrap()]);
    assert_eq!(fs::read(&other).unwrap(), b"an older file", "it was never half-written");
    let before = device.previous.unwrap().position;
    device.import(&fs::read(&path).unwrap());
    assert!(device.previous.unwrap().position > before);
    let names = fs::read_dir(&installed.data).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().ends_with(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A name is on the disk only once its directory was synced after it was made.
#[test]
fn i4_init_syncs_every_directory_after_the_last_name_in_it() {
    let installed = Installed::empty();
    let above = installed.data.parent().unwrap().to_owned();
    let log = above.join("calls");
    let options =
        ["-f", "-y", "-s", "0", "-e", "trace=openat,mkdir,mkdirat,rename,renameat,renameat2,fsync", "-o"];
    let data = installed.data.join("within");
    let ran = std::process::Command::new("strace")
        .args(options)
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_landfast-authority"))
        .arg("--data")
        .arg(&data)
        .args(["init", "--name", "acme", "--address", "https://localhost:8443"])
        .output();
    match ran {
        Err(error) => return eprintln!("SKIPPED: no strace, so nothing says whether init syncs: {error}"),
        Ok(ran) if !data.exists() => {
            return eprintln!("SKIPPED: strace may not look here: {}", String::from_utf8_lossy(&ran.stderr));
        }
        Ok(ran) => assert!(ran.status.success(), "{ran:?}"),
    }
    let mut unsynced: BTreeSet<PathBuf> = BTreeSet::new();
    for line in fs::read_to_string(&log).unwrap().lines().filter(|line| !line.contains(" = -1 ")) {
        let quoted =
            || line.split('"').nth_back(1).map(PathBuf::from).filter(|path| path.starts_with(&above));
        if line.contains("fsync(") {
            let synced = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).unwrap().0;
            unsynced.retain(|name| name.parent() != Some(Path::new(synced)));
        } else if line.contains("O_CREAT") || line.contains("mkdir") || line.contains("rename") {
            unsynced.extend(quoted());
        }
    }
    unsynced.retain(|name| name.exists());
    assert!(unsynced.is_empty(), "a crash may take these away: {unsynced:?}");
}
