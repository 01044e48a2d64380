//! Links between documents, and paths of the tree that they name.

use std::path::{Path, PathBuf};

/// What documents at `root` and in its `docs/` point at, and is not there.
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
    missing
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
