//! What the agent's own reports tell about its health.

use crate::text::{attempts, clean, distance, thousandths, time};
use landfast_client::api::{Binding, Bindings, IssuerStatus, Status};
use serde::Serialize;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Works; somebody should look.
    Warn,
    /// Does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) state: State,
    pub(super) name: String,
    pub(super) message: String,
    pub(super) advice: String,
}

impl Finding {
    pub(super) fn new(
        state: State,
        name: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { state, name: name.into(), message: message.into(), advice: advice.into() }
    }

    pub(super) fn ok(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(State::Ok, name, message, "")
    }
}

/// Everything about an agent that answers. `version` is the one of this command.
pub(super) fn examine(status: &Status, verdicts: &Bindings, version: &str) -> Vec<Finding> {
    let mut found = vec![release(&status.version, version), trust(&status.trust)];
    if status.issuers.is_empty() {
        let advice = "put the vendor's issuer file into /etc/landfast/issuers.d, then restart landfastd";
        found.push(Finding::new(State::Fail, "issuers", "no issuer is configured", advice));
    }
    for issuer in &status.issuers {
        found.push(clock(issuer));
        found.extend(store(issuer));
        found.push(authority(issuer));
        if let Some(verdict) = verdicts.issuers.iter().find(|verdict| verdict.issuer == issuer.name) {
            found.extend(hardware(verdict));
        }
        found.extend(others(issuer));
    }
    found
}

fn release(agent: &str, command: &str) -> Finding {
    if agent == command {
        return Finding::ok("release", format!("landfastd and landfast are {agent}"));
    }
    let message = format!("landfastd is {agent}, landfast is {command}");
    Finding::new(
        State::Warn,
        "release",
        message,
        "restart landfastd after an update: systemctl restart landfastd",
    )
}

fn trust(trust: &str) -> Finding {
    match trust {
        "production" => Finding::ok("trust", "only root can change whom this machine trusts"),
        other => {
            let message = format!(
                "{other}: landfastd was started with --config, where issuer files need not be root's"
            );
            Finding::new(
                State::Warn,
                "trust",
                message,
                "fine for trying it out; for use, keep them in /etc/landfast",
            )
        }
    }
}

const CLOCK: &str = "clock_untrusted";
/// Beside every code that begins with `store_`.
const STORE: [&str; 3] = ["copy_renewed", "grant_untrusted", "state_unreadable"];
const BROKEN: &str = "binding_broken";

fn clock(issuer: &IssuerStatus) -> Finding {
    let name = format!("{}: clock", issuer.name);
    match issuer.alerts.iter().find(|alert| alert.code == CLOCK) {
        Some(alert) => Finding::new(
            State::Warn,
            name,
            alert.message.clone(),
            "look at the time source: timedatectl status",
        ),
        None => Finding::ok(name, format!("trusted, licensing time is {}", time(issuer.licensing_time))),
    }
}

fn store(issuer: &IssuerStatus) -> Vec<Finding> {
    let name = format!("{}: store", issuer.name);
    let found: Vec<Finding> = issuer
        .alerts
        .iter()
        .filter(|alert| is_about_the_store(&alert.code))
        .map(|alert| {
            let (state, advice) = mend(issuer, &alert.code);
            Finding::new(state, name.clone(), alert.message.clone(), advice)
        })
        .collect();
    if found.is_empty() {
        vec![Finding::ok(name, format!("intact, counter {}", issuer.counter))]
    } else {
        found
    }
}

fn is_about_the_store(code: &str) -> bool {
    STORE.contains(&code) || code.starts_with("store_")
}

/// How bad it is, and what to do.
fn mend(issuer: &IssuerStatus, code: &str) -> (State, String) {
    let (state, advice) = match code {
        "store_healed" | "copy_renewed" => (
            State::Warn,
            "nothing was lost; look for errors of the disk in the kernel's log: journalctl --dmesg",
        ),
        "store_damaged" => (
            State::Warn,
            "look for errors of the disk in the kernel's log: journalctl --dmesg; licenses are healed from their copy",
        ),
        "store_unwritable" => (
            State::Fail,
            "free space in the state directory, or mount it writable; the agent tries again every minute",
        ),
        "grant_untrusted" => (State::Fail, "compare the issuer file with the one that the vendor gives"),
        "state_unreadable" => {
            (State::Fail, "install the release of landfastd again that ran here before; nothing was changed")
        }
        "store_lost" => return (State::Fail, begin_anew(issuer)),
        _ => (State::Fail, "see the log of landfastd: journalctl --unit landfastd"),
    };
    (state, advice.to_owned())
}

/// What is lost cannot be mended; the way back leads through the vendor.
fn begin_anew(issuer: &IssuerStatus) -> String {
    let device = match issuer.grant {
        Some(_) => format!(" --device {}", issuer.device.short()),
        None => String::new(),
    };
    format!(
        "first, the vendor frees the licenses of this device: landfast-authority license reset LICENSE{device}; second, \
         stop landfastd, move store.redb and issuers/{} out of its state directory (/var/lib/landfast, unless it was \
         started with --state), start it, and run `landfast activate` again",
        issuer.id
    )
}

fn authority(issuer: &IssuerStatus) -> Finding {
    let (name, contact) = (format!("{}: authority", issuer.name), &issuer.contact);
    if let Some(failure) = contact.last_failure.as_ref().filter(|_| contact.attempts > 0) {
        let advice = match contact.last_failure_code.as_deref() {
            Some("no_address") => {
                "add `addresses` to the issuer file, or carry requests by hand with --offline"
            }
            Some("authority_tls") => "check the clock, and `ca` in the issuer file, with the vendor",
            Some("authority_unavailable") => "wait: the authority says itself that it cannot answer now",
            Some("request_refused") => "ask the vendor, with the sentence above",
            Some("answer_unusable") => "is a proxy or a wrong address in between? see the issuer file",
            _ => {
                "check network, proxy and firewall, then run `landfast reclaim`; licenses stay granted meanwhile"
            }
        };
        return Finding::new(
            State::Warn,
            name,
            format!("{failure} ({})", attempts(contact.attempts)),
            advice,
        );
    }
    match contact.last_answer {
        Some(at) => Finding::ok(name, format!("answered {}", distance(at, issuer.licensing_time))),
        None => Finding::ok(name, "not asked yet"),
    }
}

fn hardware(verdict: &Binding) -> Vec<Finding> {
    let name = format!("{}: hardware", verdict.issuer);
    let told = format!("{}, score {}", verdict.state, thousandths(verdict.score_permille));
    let state = match verdict.state.as_str() {
        "bound" | "unbound" => State::Ok,
        "broken" => State::Fail,
        _ => State::Warn,
    };
    let told = if state == State::Ok { told } else { format!("{told}; {}", verdict.advice) };
    let advice = if state == State::Ok { "" } else { "see `landfast fingerprint`" };
    let mut found = vec![Finding::new(state, name.clone(), told, advice)];
    for group in &verdict.groups {
        let unreadable = group.factors.iter().filter(|factor| factor.state == "unreadable");
        found.extend(unreadable.map(|factor| {
            let why = factor.note.as_deref().unwrap_or("no reason given");
            let message = format!("{} cannot be read ({}): {why}", factor.factor, factor.source);
            let advice = match why.to_ascii_lowercase().contains("permission") {
                true => "start landfastd by systemd, whose unit hands over what only root can read",
                false => "it does not count while it cannot be read; see `landfast fingerprint`",
            };
            Finding::new(State::Warn, name.clone(), message, advice)
        }));
    }
    found
}

/// Alerts that none of the above has told.
fn others(issuer: &IssuerStatus) -> impl Iterator<Item = Finding> + '_ {
    let told = |code: &str| code == CLOCK || code == BROKEN || is_about_the_store(code);
    issuer.alerts.iter().filter(move |alert| !told(&alert.code)).map(|alert| {
        let advice = match alert.code.as_str() {
            "device_retired" => {
                "ask the vendor where the licenses are; activate again what is meant for this machine"
            }
            "hardware_unheard" => "see the log of landfastd: journalctl --unit landfastd",
            "on_hold" => "say which of the two machines goes on when you name the case",
            _ => "",
        };
        let name = format!("{}: {}", issuer.name, clean(&alert.code.replace('_', " ")));
        Finding::new(State::Warn, name, alert.message.clone(), advice)
    })
}
