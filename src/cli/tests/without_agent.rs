//! The command where no agent answers, and where it is called wrongly: exit codes, two lines for people, JSON for
//! programs.
#![cfg(test)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const ID: &str = "f00dfeed-1234-4abc-9def-0123456789ab";

fn landfast(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_landfast"))
        .args(arguments)
        .env("LANDFAST_SOCKET", "/nonexistent/agent.sock")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command need not read what it is given.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const UNREACHABLE: &str =
    "the agent cannot be reached at /nonexistent/agent.sock: No such file or directory (os error 2)";
const START_IT: &str = "is landfastd running? systemctl status landfastd";

#[test]
fn every_command_says_that_the_agent_is_not_there() {
    for arguments in [
        &["status"][..],
        &["licenses"],
        &["check", "analytics"],
        &["fingerprint"],
        &["history"],
        &["history", "--since", "7d"],
        &["pending"],
        &["activate", ID],
        &["return", "abababab", "--yes"],
        &["return", "--all", "--dry-run"],
        &["reclaim"],
        &["rescan"],
    ] {
        let done = landfast(arguments, "");
        assert_eq!(done.status.code(), Some(3), "{arguments:?}");
        assert_eq!(text(&done.stdout), "", "{arguments:?}");
        let expected =
            format!("landfast: {}: {UNREACHABLE} [agent_unreachable]\nnext: {START_IT}\n", arguments[0]);
        assert_eq!(text(&done.stderr), expected);

        let done = landfast(&[arguments, &["--json"]].concat(), "");
        assert_eq!(done.status.code(), Some(3), "{arguments:?}");
        assert_eq!(text(&done.stderr), "", "{arguments:?}");
        let expected = serde_json::json!({
            "error": { "code": "agent_unreachable", "message": UNREACHABLE, "advice": START_IT }
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&done.stdout).unwrap(), expected);
    }
}

#[test]
fn the_doctor_reports_and_does_not_only_fail() {
    let done = landfast(&["doctor"], "");
    assert_eq!(done.status.code(), Some(3));
    assert!(text(&done.stdout).starts_with("FAIL  socket: /nonexistent/agent.sock: No such file"));
    assert!(text(&done.stdout).contains(&format!("FAIL  agent: {UNREACHABLE}\n      next: {START_IT}\n")));
    let done = landfast(&["--json", "doctor"], "");
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["findings"][0]["state"], "fail");
}

#[test]
fn wrong_use_is_told_from_bad_input() {
    for (arguments, exit) in [
        (&["nosuch"][..], 2),
        (&["check"], 2),
        (&["check", "analytics", "--quantity", "0"], 2),
        (&["check", ""], 2),
        (&["activate"], 2),
        (&["return"], 2),
        (&["return", "--all", "abababab"], 2),
        (&["return", "--all", "--quantity", "2"], 2),
        (&["import"], 2),
        (&["activate", "7"], 4),
        (&["history", "--since", "yesterday"], 4),
        (&["import", "/nonexistent/a.lfres"], 4),
        (&["--help"], 0),
        (&["--version"], 0),
        (&["return", "--help"], 0),
    ] {
        assert_eq!(landfast(arguments, "").status.code(), Some(exit), "{arguments:?}");
        let with_json = [arguments, &["--json"]].concat();
        let done = landfast(&with_json, "");
        assert_eq!(done.status.code(), Some(exit), "{with_json:?}");
        if exit != 0 {
            let error: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
            assert!(error["error"]["code"].is_string(), "{error}");
            assert!(error["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
}

#[test]
fn activation_ids_come_from_standard_input_and_are_never_shown() {
    let upper = ID.to_uppercase();
    let done = landfast(&["activate", "-"], &format!("\n  {upper}\r\n{}x\n", &ID[..35]));
    assert_eq!(done.status.code(), Some(4));
    let told = text(&done.stderr);
    assert!(told.starts_with("landfast: activate: activation id 2 of 2: an activation id has 36"), "{told}");
    assert!(told.ends_with("next: compare activation id 2 of 2 with the vendor's letter\n"), "{told}");
    assert!(!told.to_lowercase().contains(&ID[9..]), "{told}");
    assert_eq!(landfast(&["activate", "-"], &upper).status.code(), Some(3), "a good one goes to the agent");
    assert_eq!(landfast(&["activate", "-"], "\n").status.code(), Some(4));
}

#[test]
fn a_refused_activation_leaves_no_request_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.lfreq");
    let done = landfast(&["activate", ID, "--offline", path.to_str().unwrap()], "");
    assert_eq!(done.status.code(), Some(3));
    assert!(!path.exists());
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let done = landfast(&["completions", shell], "");
        assert_eq!(done.status.code(), Some(0));
        let script = text(&done.stdout);
        for command in landfast_cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
    }
}

#[test]
fn the_definition_of_the_arguments_is_sound() {
    landfast_cli::command().debug_assert();
    for command in landfast_cli::command().get_subcommands() {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} {} has no help",
                command.get_name(),
                argument.get_id()
            );
        }
    }
}
