//! Every route of the client, and every D-Bus proxy, against a real agent and a real authority.
#![cfg(test)]

#[path = "../../cli/tests/sessions/programs.rs"]
mod programs;

use futures_util::StreamExt;
use landfast_client::api::{Carriage, CommandReply, CommandRequest, LicenseChoice, Verb};
use landfast_client::dbus::{Bus, zbus};
use landfast_client::{Agent, Error, Event, Question};
use programs::Daemon;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Machines that run tests can be slow; an event that takes longer never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A vendor, a bus and a field server.
struct Stage {
    _programs: [Daemon; 3],
    activation_id: String,
    directory: TempDir,
}

impl Stage {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let vendor = |arguments: &[&str]| {
            let mut command = Command::new(programs::directory().join("landfast-authority"));
            let done = command.args(["--data", &at("authority")]).args(arguments).output().unwrap();
            assert!(done.status.success(), "{arguments:?}: {done:?}");
            done.stdout
        };
        vendor(&["init", "--name", "acme", "--address", &format!("https://localhost:{port}")]);
        vendor(&["organization", "add", "plant"]);
        vendor(&["product", "add", "control", "--feature", "points", "--feature", "alarms"]);
        let sold = [
            &["license", "add", "--json", "--organization", "plant", "--product", "control"][..],
            &["--model", "subscription", "--term", "365d", "--quantity", "5", "--devices", "1"],
        ];
        let sold: serde_json::Value = serde_json::from_slice(&vendor(&sold.concat())).unwrap();
        let listen = format!("127.0.0.1:{port}");
        let authority = Daemon::start(
            "landfast-authority",
            &["--data", &at("authority"), "serve", "--listen", &listen],
            at("authority.log").as_ref(),
            || TcpStream::connect(("127.0.0.1", port)).is_ok(),
        );
        let bus = Self::bus(&at("bus.sock"), &at("bus.conf"), &at("bus.log"));
        let issuers = PathBuf::from(at("config/issuers.d"));
        std::fs::create_dir_all(&issuers).unwrap();
        std::fs::write(at("config/agent.toml"), "").unwrap();
        std::fs::copy(at("authority/issuers/acme.toml"), issuers.join("acme.toml")).unwrap();
        for path in [at("config"), at("config/issuers.d")] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        std::fs::create_dir_all(at("root/sys/class/dmi/id")).unwrap();
        std::fs::write(at("root/sys/class/dmi/id/product_uuid"), "7b1e04c2-9a5d-4f38-b602-0030d6000101\n")
            .unwrap();
        let address = format!("unix:path={}", at("bus.sock"));
        let paths = ["--config", &at("config"), "--state", &at("state"), "--socket", &at("agent.sock")];
        let agent = Daemon::start(
            "landfastd",
            &[&paths[..], &["--sysroot", &at("root"), "--bus", &address]].concat(),
            at("agent.log").as_ref(),
            || UnixStream::connect(at("agent.sock")).is_ok(),
        );
        let activation_id = sold["activation_id"].as_str().unwrap().to_owned();
        Self { _programs: [agent, bus, authority], activation_id, directory }
    }

    fn bus(socket: &str, config: &str, log: &str) -> Daemon {
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow own=\"*\"/><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/></policy></busconfig>"
        );
        std::fs::write(config, text).unwrap();
        let config = format!("--config-file={config}");
        let ready = || UnixStream::connect(socket).is_ok();
        Daemon::start("dbus-daemon", &[&config, "--nofork", "--nopidfile"], log.as_ref(), ready)
    }

    fn agent(&self) -> Agent {
        Agent::at(self.directory.path().join("agent.sock"))
    }

    async fn on_the_bus(&self) -> Bus {
        let address = format!("unix:path={}", self.directory.path().join("bus.sock").display());
        let connection = zbus::connection::Builder::address(address.as_str());
        let connection = soon(connection.build()).await.unwrap();
        let names = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
        // The agent answers on its socket first; it takes its name once its objects are there.
        let mut owners = names.receive_name_owner_changed().await.unwrap();
        while !names.name_has_owner(landfast_client::dbus::NAME.try_into().unwrap()).await.unwrap() {
            soon(owners.next()).await;
        }
        Bus::on(connection)
    }
}

async fn soon<T>(something: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, something).await.unwrap()
}

fn command(verb: Verb, licenses: &[(&str, Option<u32>)]) -> CommandRequest {
    let choice =
        |(id, quantity): &(&str, Option<u32>)| LicenseChoice { id: (*id).to_owned(), quantity: *quantity };
    CommandRequest {
        command: verb,
        issuer: Some("acme".to_owned()),
        licenses: licenses.iter().map(choice).collect(),
        all: false,
        dry_run: false,
        window_seconds: None,
        delivery: Carriage::Online,
    }
}

fn outcomes(reply: &CommandReply) -> Vec<(&str, &str)> {
    reply.results.iter().map(|result| (result.action.as_str(), result.outcome.as_str())).collect()
}

#[tokio::test]
async fn d4_d5_b1_both_interfaces_answer_alike_through_the_life_of_a_license() {
    let stage = Stage::start();
    let (agent, bus) = (stage.agent(), stage.on_the_bus().await);
    agent.health().await.unwrap();
    let points = Question::of("points").quantity(2).version("2.5");
    let denied = agent.check(&points).await.unwrap();
    assert_eq!((denied.granted, denied.reason.as_str()), (false, "not_licensed"));
    assert_eq!(bus.check(&points).await.unwrap(), denied);
    assert_eq!(bus.licenses().await.unwrap(), Vec::new());
    let binding = bus.binding().await.unwrap();
    assert_eq!(binding.state().await.unwrap(), "unbound");

    let mut events = agent.events().await.unwrap();
    let entitlements = bus.entitlements().await.unwrap();
    let mut changed = entitlements.receive_changed().await.unwrap();
    let mut verdicts = binding.receive_changed().await.unwrap();
    let reply = agent.command(&command(Verb::Activate, &[(&stage.activation_id, None)])).await.unwrap();
    assert_eq!((outcomes(&reply), reply.changed), (vec![("activate", "done")], true));
    while !matches!(soon(events.next()).await.unwrap().unwrap(), Event::Licenses(_)) {}
    soon(changed.next()).await.unwrap();
    let verdict = soon(verdicts.next()).await.unwrap();
    let verdict = verdict.args().unwrap();
    assert_eq!((*verdict.from(), *verdict.to()), ("unbound", "bound"));

    let granted = agent.check(&points).await.unwrap();
    assert!(granted.granted && granted.until.is_some(), "{granted:?}");
    assert_eq!(bus.check(&points).await.unwrap(), granted);
    let list = agent.entitlements().await.unwrap().entitlements;
    assert_eq!(list.iter().map(|check| check.feature.as_str()).collect::<Vec<_>>(), ["alarms", "points"]);
    assert_eq!(bus.list().await.unwrap(), list);
    let licenses = agent.licenses().await.unwrap().licenses;
    assert_eq!((licenses.len(), licenses[0].quantity, licenses[0].features.len()), (1, 5, 2));
    // The object comes before the signals above were sent, or with the next one.
    assert_eq!(bus.licenses().await.unwrap(), licenses);
    let verdict = agent.binding().await.unwrap().issuers.remove(0);
    assert_eq!(binding.score().await.unwrap(), verdict.score_permille);
    assert_eq!(binding.threshold().await.unwrap(), u32::from(verdict.bound_permille));
    assert_eq!(binding.factors().await.unwrap().len(), verdict.groups.len());

    let part = command(Verb::Return, &[(&licenses[0].license.to_string()[..8], Some(2))]);
    let preview = agent.command(&CommandRequest { dry_run: true, ..part.clone() }).await.unwrap();
    assert_eq!((outcomes(&preview), preview.changed), (vec![("return", "possible")], false));
    assert_eq!(outcomes(&agent.command(&part).await.unwrap()), [("return", "done")]);
    assert_eq!(agent.check(&points).await.unwrap().quantity, 3);
    assert!(agent.command(&command(Verb::Reclaim, &[])).await.unwrap().changed);
    assert!(
        !agent.command(&CommandRequest { issuer: None, ..command(Verb::Rescan, &[]) }).await.unwrap().changed
    );
    let by_hand = CommandRequest { delivery: Carriage::File, ..command(Verb::Reclaim, &[]) };
    let request = agent.command(&by_hand).await.unwrap().request.unwrap();
    assert!(request.starts_with("-----BEGIN LANDFAST REQUEST-----"), "{request}");

    let status = agent.status().await.unwrap();
    assert_eq!((status.trust.as_str(), status.issuers[0].licenses), ("development", 1));
    assert_eq!(agent.pending().await.unwrap().pending, Vec::new());
    let history = agent.history(None, Some(3), Some("acme")).await.unwrap().entries;
    assert_eq!(history.len(), 3);
    assert!(agent.metrics().await.unwrap().contains("landfast_build_info"));
    assert!(agent.openapi().await.unwrap().contains("/v1/entitlements/{feature}"));
}

#[tokio::test]
async fn b13_refusals_of_a_real_agent_explain_themselves() {
    let stage = Stage::start();
    let agent = stage.agent();
    let refusals = [
        ("bad_input", agent.check(&Question::of("points").version("new")).await.unwrap_err()),
        ("bad_input", agent.command(&command(Verb::Activate, &[("1234", None)])).await.unwrap_err()),
        ("not_held", agent.command(&command(Verb::Return, &[("deadbeef", None)])).await.unwrap_err()),
        ("not_a_message", agent.import(b"hello".to_vec()).await.unwrap_err()),
        ("too_large", agent.import(vec![0; 4 << 20]).await.unwrap_err()),
        ("unknown_issuer", agent.history(None, None, Some("nobody")).await.unwrap_err()),
    ];
    for (code, error) in refusals {
        assert_eq!(error.code(), code, "{error:?}");
        assert!(matches!(error, Error::Problem(_)) && !error.advice().is_empty(), "{error:?}");
    }
    let error = stage.on_the_bus().await.check(&Question::of("points").version("new")).await.unwrap_err();
    assert!(
        matches!(&error, zbus::Error::MethodError(name, ..) if name.as_str() == "io.landfast.Error.BadInput")
    );
}
