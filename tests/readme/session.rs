//! Runs a session in one shell, so that variables and started daemons last from step to step.

use super::document::Step;
use super::matching::matches;
use std::fmt::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// Seconds for a whole session, and for one condition.
const SESSION: &str = "300";
const TRIES: u32 = 600;

/// The port that documents name. A free one takes its place.
const PORT: &str = "7443";

/// Runs the steps in `directory`, with `programs` found first; says what did not go as told.
pub fn run(steps: &[Step], directory: &Path, programs: &Path, bus: &str) -> Result<(), String> {
    let notes = directory.join(".steps");
    std::fs::create_dir(&notes).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    std::fs::write(notes.join("script"), script(steps, &notes, &free)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let ended = Command::new("timeout")
        .args(["--kill-after=10", SESSION, "bash"])
        .arg(notes.join("script"))
        .current_dir(directory)
        .env("PATH", path)
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .env("HOME", directory)
        .output()
        .unwrap();
    for (number, step) in steps.iter().enumerate() {
        let note = |kind: &str| std::fs::read(notes.join(format!("{number}.{kind}"))).ok();
        let text = |kind: &str| String::from_utf8_lossy(&note(kind).unwrap_or_default()).into_owned();
        let (line, command, output) = match step {
            Step::Write { .. } => continue,
            Step::Until { line, command } => (line, command, &[][..]),
            Step::Command { line, command, output } => (line, command, &output[..]),
        };
        let (code, is) = (text("code"), text("out"));
        if code.trim() != "0" {
            let how = if code.is_empty() { "did not end".to_owned() } else { format!("ended with {code}") };
            let shell = String::from_utf8_lossy(&ended.stderr).into_owned();
            return Err(format!("line {line}: `{command}` {how}\n{is}{shell}{}", logs(directory)));
        }
        let lines: Vec<&str> = is.lines().collect();
        if !output.is_empty() && !matches(output, &lines) {
            let mut difference = String::new();
            output.iter().for_each(|line| _ = writeln!(difference, "-{line}"));
            lines.iter().for_each(|line| _ = writeln!(difference, "+{line}"));
            return Err(format!("line {line}: `{command}` said\n{difference}"));
        }
    }
    Ok(())
}

/// Each command is a file of its own, so that nothing needs quoting; its output and exit code are files beside it.
fn script(steps: &[Step], notes: &Path, port: &str) -> String {
    let mut script =
        "trap 'trap - EXIT; kill $(jobs -p) 2>/dev/null; wait' EXIT\nexec </dev/null\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        let note = notes.join(number.to_string());
        let run = format!("eval \"$(cat '{0}.command')\" >'{0}.out' 2>&1", note.display());
        let code = format!("echo $? >'{}.code'", note.display());
        let content = match step {
            Step::Write { file, text } => {
                _ = writeln!(
                    script,
                    "mkdir -p \"$(dirname '{file}')\"; cp '{}.command' '{file}'",
                    note.display()
                );
                text
            }
            Step::Until { command, .. } => {
                _ = writeln!(script, "for try in $(seq {TRIES}); do {run}; {code}");
                _ = writeln!(
                    script,
                    "[ \"$(cat '{0}.code')\" = 0 ] && break; sleep 0.1; done",
                    note.display()
                );
                command
            }
            Step::Command { command, .. } => {
                _ = writeln!(script, "{run}; {code}");
                command
            }
        };
        std::fs::write(note.with_extension("command"), content.replace(PORT, port)).unwrap();
        if !matches!(step, Step::Write { .. }) {
            _ = writeln!(script, "[ \"$(cat '{}.code')\" = 0 ] || exit 1", note.display());
        }
    }
    script
}

/// What daemons of the session wrote, if they wrote to a file that is named like one.
fn logs(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let logs = entries.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| format!("\n{}:\n{}", path.display(), std::fs::read_to_string(&path).unwrap_or_default()))
        .collect()
}
