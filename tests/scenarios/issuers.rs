//! Several vendors on one field server.

use crate::support::expect;
use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale};

#[test]
fn d2_each_issuer_has_its_own_device_and_licenses() {
    let directory = tempfile::tempdir().unwrap();
    let acme = Authority::start(directory.path(), "acme").unwrap();
    let beta = Authority::start(directory.path(), "beta").unwrap();
    let agent = Agent::start(directory.path(), "server", &[&acme, &beta], AgentOptions::default()).unwrap();
    let (of_acme, of_beta) = (
        acme.sell(&Sale::perpetual("control", 2)).unwrap(),
        beta.sell(&Sale::perpetual("control", 7)).unwrap(),
    );
    // Which vendor is meant has to be said.
    expect(&agent, &["activate", &of_acme], 2, "--issuer");
    expect(&agent, &["activate", &of_acme, "--issuer", "acme"], 0, "");
    // A foreign id is no more than an unknown one.
    expect(&agent, &["activate", &of_beta, "--issuer", "acme"], 1, "unknown_license");
    expect(&agent, &["activate", &of_beta, "--issuer", "beta"], 0, "");
    expect(&agent, &["check", "points", "--quantity", "7"], 0, "");
    expect(&agent, &["check", "points", "--quantity", "7", "--issuer", "acme"], 1, "");
    let status = agent.landfast(&["status", "--json"]).unwrap().json().unwrap();
    let devices: Vec<_> = status["issuers"].as_array().unwrap().iter().map(|i| i["device"].clone()).collect();
    assert_eq!(devices.len(), 2);
    assert_ne!(devices[0], devices[1], "no two issuers can link a device");
    expect(&agent, &["return", "--all", "--yes", "--issuer", "beta"], 0, "");
    expect(&agent, &["check", "points"], 0, "");
}
