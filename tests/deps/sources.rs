//! What the sources themselves show: what they name, and how long they are.

use super::Findings;
use std::path::{Path, PathBuf};

/// Crates whose sources name nothing that reads, writes, waits or asks the clock.
const PURE: [&str; 2] = ["src/core", "src/protocol"];
const OUTSIDE: [&str; 7] = ["fs", "net", "time", "env", "process", "thread", "os"];
const LONGEST_FILE: usize = 500;
const LONGEST_MAIN: usize = 40;

/// Names of the outside in the pure crates of the workspace at `root`, tests left out.
pub fn impure(root: &Path) -> Findings {
    let mut findings = Findings::new();
    for path in PURE.iter().flat_map(|directory| files(&root.join(directory))) {
        let shown = shown(root, &path);
        if shown.contains("/tests/") || shown.ends_with("/tests.rs") {
            continue;
        }
        let text = read(&path);
        let tokens = without_tests(tokens(&text));
        findings.extend(names_of_std(&tokens).into_iter().map(|name| format!("{shown}: {name}")));
    }
    findings
}

/// Files that are too long, lints that are switched off without a reason, tests that wait for a time.
pub fn measures(root: &Path) -> Findings {
    let mut findings = Findings::new();
    for path in ["src", "tests"].iter().flat_map(|directory| files(&root.join(directory))) {
        let (shown, text) = (shown(root, &path), read(&path));
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            findings.push(format!("{shown} has {lines} lines, the limit is {LONGEST_FILE}"));
        }
        let program = shown.starts_with("src/") && !shown.contains("/tests/");
        if program && path.ends_with("main.rs") && lines > LONGEST_MAIN {
            findings.push(format!("{shown} has {lines} lines, a main has at most {LONGEST_MAIN}"));
        }
        let words = tokens(&text).join(" ");
        let in_tests = shown.starts_with("tests/") || shown.contains("/tests/");
        if words.match_indices("[ allow (").any(|(at, _)| !(in_tests && gives_a_reason(&words[at..]))) {
            findings.push(format!("{shown} allows a lint; expect it, with the reason"));
        }
        if in_tests && ["thread :: sleep", "time :: sleep"].iter().any(|sleep| words.contains(sleep)) {
            findings.push(format!("{shown} sleeps; wait for a condition"));
        }
    }
    findings
}

/// What several test files share is not used whole by each of them, so that an unused part cannot be expected.
fn gives_a_reason(attribute: &str) -> bool {
    attribute.split(']').next().is_some_and(|inside| inside.contains("reason"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().display().to_string()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Words and marks of Rust, without comments and literals. `::` is one mark.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(&rest[..length]);
            length
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            if !first.is_whitespace() {
                tokens.push(&rest[..length]);
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let step = match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth += 1, 2).1,
            [b'*', b'/', ..] => (depth -= 1, 2).1,
            _ => 1,
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string or character at the start of `text`; none where there is none. A lifetime is none.
fn literal(text: &str) -> Option<usize> {
    let prefixes = ["", "b", "c", "r", "br", "cr"];
    let prefix = prefixes.into_iter().rfind(|prefix| {
        let rest = text.strip_prefix(prefix).map(|rest| rest.trim_start_matches('#'));
        rest.is_some_and(|rest| rest.starts_with('"'))
    });
    if let Some(prefix) = prefix {
        let body = &text[prefix.len()..];
        let hashes = body.len() - body.trim_start_matches('#').len();
        if !prefix.contains('r') {
            return (hashes == 0).then(|| prefix.len() + escaped(body, b'"'));
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let from = prefix.len() + hashes + 1;
        return Some(text[from..].find(&end).map_or(text.len(), |at| from + at + end.len()));
    }
    let quoted = text.strip_prefix('b').unwrap_or(text);
    let mut letters = quoted.strip_prefix('\'')?.chars();
    let character = letters.next()? == '\\' || letters.next()? == '\'';
    character.then(|| text.len() - quoted.len() + escaped(quoted, b'\''))
}

fn escaped(text: &str, quote: u8) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Leaves out what is compiled for tests only: the attribute, and the braces or the line that follow it.
fn without_tests(tokens: Vec<&str>) -> Vec<&str> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if !tokens[at..].starts_with(&MARK) {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        let mut depth = 0;
        for token in &tokens[at..] {
            at += 1;
            match *token {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(*token, "}" | ";") {
                break;
            }
        }
    }
    kept
}

/// `std::fs`, also where it is one of several in braces; and `std as other`, which would hide it.
fn names_of_std(tokens: &[&str]) -> Findings {
    let mut findings = Findings::new();
    let mut found = |name: &str| {
        if OUTSIDE.contains(&name) {
            findings.push(format!("std::{name}"));
        }
    };
    let mut renamed = false;
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| **token == "std") {
        match &tokens[at + 1..] {
            ["as", ..] => renamed = true,
            ["::", "{", inner @ ..] => {
                let mut depth = 0usize;
                let mut starts = true;
                for token in inner {
                    match *token {
                        "{" => depth += 1,
                        "}" if depth == 0 => break,
                        "}" => depth -= 1,
                        "," if depth == 0 => {
                            starts = true;
                            continue;
                        }
                        "self" if starts && depth == 0 => renamed = true,
                        name if starts && depth == 0 => found(name),
                        _ => {}
                    }
                    starts = false;
                }
            }
            ["::", "*", ..] => renamed = true,
            ["::", name, ..] => found(name),
            _ => {}
        }
    }
    if renamed {
        findings.push("std under another name".to_owned());
    }
    findings
}
