//! Sessions in a Markdown text.

/// What happens in a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait until it succeeds.
    Until { line: usize, command: String },
    /// Put text into a file.
    Write { file: String, text: String },
    /// Run it, and compare its output if there is some to compare with.
    Command { line: usize, command: String, output: Vec<String> },
}

/// Every session with its steps, in order of appearance.
pub fn sessions(text: &str) -> Vec<(String, Vec<Step>)> {
    let mut sessions: Vec<(String, Vec<Step>)> = Vec::new();
    let mut until = None;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(command) = line.strip_prefix("<!-- until: ").and_then(|rest| rest.strip_suffix(" -->")) {
            until = Some(Step::Until { line: at + 1, command: command.to_owned() });
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        let Some(name) = attribute(info, "session") else { continue };
        let at = sessions.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            sessions.push((name, Vec::new()));
            sessions.len() - 1
        });
        let steps = &mut sessions[at].1;
        steps.extend(until.take());
        match attribute(info, "file") {
            Some(file) => steps.push(Step::Write { file, text: joined(&block) }),
            None => steps.extend(commands(&block)),
        }
    }
    assert!(until.is_none(), "nothing follows {until:?}");
    sessions
}

fn attribute(info: &str, name: &str) -> Option<String> {
    info.split_whitespace().find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

fn joined(block: &[(usize, &str)]) -> String {
    block.iter().map(|(_, line)| format!("{line}\n")).collect()
}

fn commands(block: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut continues = false;
    for (at, text) in block {
        match (steps.last_mut(), text.strip_prefix("$ ")) {
            (Some(Step::Command { command, .. }), _) if continues => {
                command.push('\n');
                command.push_str(text);
                continues = text.ends_with('\\');
            }
            (_, Some(start)) => {
                continues = start.ends_with('\\');
                steps.push(Step::Command { line: at + 1, command: start.to_owned(), output: Vec::new() });
            }
            (Some(Step::Command { output, .. }), None) => output.push((*text).to_owned()),
            _ => panic!("line {}: output before any command", at + 1),
        }
    }
    steps
}
