//! Links between documents, and paths of the tree that they name.

use std::path::{Path, PathBuf};

/// What documents at `root` and in its `docs/` point at, and documents that sources point at, and is not there.
pub fn missing(root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    let crates = entries(&root.join("src"));
    for directory in ["", "docs", "docs/adr"] {
        let bases: Vec<_> = [root.to_owned(), root.join("src"), root.join(directory)]
            .into_iter()
            .chain(crates.iter().cloned())
            .collect();
        for file in documents(&root.join(directory)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let shown = file.strip_prefix(root).unwrap().display();
            let links = links(&text).filter(|link| !file.with_file_name(link).exists());
            let named = paths(&text).filter(|path| !bases.iter().any(|base| base.join(path).exists()));
            missing.extend(links.chain(named).map(|target| format!("{shown}: {target}")));
        }
    }
    for directory in ["src", "tests"] {
        for file in sources(&root.join(directory)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let shown = file.strip_prefix(root).unwrap().display();
            // This test names documents of its own making.
            if file.starts_with(root.join("tests/readme")) || file.ends_with("tests/readme.rs") {
                continue;
            }
            let named = documents_named(&text).filter(|name| !root.join(name).exists());
            missing.extend(named.map(|name| format!("{shown}: {name}")));
        }
    }
    missing
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let inside = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    let all = entries(directory).into_iter().flat_map(inside);
    all.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// `docs/NAME.md` in backticks, as comments write it.
fn documents_named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split('`').filter(|word| word.starts_with("docs/") && word.ends_with(".md"));
    words.filter(|word| word.len() < 80)
}

fn documents(directory: &Path) -> Vec<PathBuf> {
    entries(directory).into_iter().filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    targets
        .map(|target| target.split('#').next().unwrap_or(""))
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

/// Words in backticks that look like a path of the tree: in lower case, with a slash inside, to Rust, SQL, JSON, XML or
/// Markdown or to a directory. They may begin at the top, in `src`, in a crate, or beside the document.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.starts_with("```"));
    let words = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    words.filter(|word| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
        let ends = [".rs", ".sql", ".json", ".xml", ".md", "/"].iter().any(|end| word.ends_with(end));
        let inner = word.trim_end_matches('/').contains('/');
        ends && inner && !word.starts_with(['/', '.']) && word.chars().all(plain)
    })
}
