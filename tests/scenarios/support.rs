//! The stage that most stories start on.

use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale, run};
use std::process::Command;
use tempfile::TempDir;

/// A vendor that serves, and a field server that trusts it.
pub struct Stage {
    pub authority: Authority,
    pub agent: Agent,
    // Last: the programs end before their directories go.
    pub directory: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(AgentOptions::default())
    }

    pub fn with(options: AgentOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::start(directory.path(), "acme").unwrap();
        let agent = Agent::start(directory.path(), "server", &[&authority], options).unwrap();
        Self { authority, agent, directory }
    }

    pub fn another(&self, name: &str) -> Agent {
        Agent::start(self.directory.path(), name, &[&self.authority], AgentOptions::default()).unwrap()
    }

    pub fn sell(&self, units: u32) -> String {
        self.authority.sell(&Sale::perpetual("control", units)).unwrap()
    }

    /// Runs `landfast` and expects this exit code and this text somewhere in what it prints.
    pub fn expect(&self, arguments: &[&str], code: i32, text: &str) -> String {
        expect(&self.agent, arguments, code, text)
    }
}

pub fn expect(agent: &Agent, arguments: &[&str], code: i32, text: &str) -> String {
    let ran = agent.landfast(arguments).unwrap();
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(code), "landfast {arguments:?}: {all}\nagent: {}", agent.log());
    assert!(all.contains(text), "landfast {arguments:?} does not say {text:?}: {all}");
    all
}

/// Carries a request file to an authority, and its answer into a response file.
pub fn carry(authority: &Authority, request: &str, response: &str) {
    let issuer: toml::Table = std::fs::read_to_string(authority.issuer_file()).unwrap().parse().unwrap();
    let ca = format!("{response}.ca.pem");
    std::fs::write(&ca, issuer["ca"].as_str().unwrap()).unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--output", response, "--cacert", &ca]);
    curl.args(["--header", "content-type: application/vnd.landfast.request"]);
    curl.args(["--data-binary", &format!("@{request}")]);
    curl.arg(format!("https://localhost:{}/v1/exchange", authority.port));
    run(&mut curl, "").unwrap().ok().unwrap();
}

/// How many units of all licenses the authority counts on devices.
pub fn held(authority: &Authority) -> u64 {
    let shown = authority.command(&["license", "list", "--json"]).unwrap().json().unwrap();
    let licenses = shown.as_array().unwrap();
    licenses.iter().map(|license| license["units_in_use"].as_u64().unwrap()).sum()
}
