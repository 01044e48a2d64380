//! A small workspace that breaks a rule.

use std::path::Path;
use tempfile::TempDir;

pub struct Fixture {
    directory: TempDir,
}

impl Fixture {
    pub fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        fixture.file("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"packages/*\"]\n");
        fixture
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A package that uses others of this workspace: `NAME`, `dev:NAME` or `NAME with FEATURE`. Each package has
    /// the feature `rt-multi-thread`.
    pub fn package(&self, name: &str, uses: &[&str]) {
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\
             [features]\nrt-multi-thread = []\n"
        );
        for used in uses {
            let (table, used) = match used.strip_prefix("dev:") {
                Some(used) => ("dev-dependencies", used),
                None => ("dependencies", *used),
            };
            let (used, feature) = used.split_once(" with ").unwrap_or((used, ""));
            let features = if feature.is_empty() { String::new() } else { format!("\"{feature}\"") };
            manifest += &format!("[{table}.{used}]\npath = \"../{used}\"\nfeatures = [{features}]\n");
        }
        self.file(&format!("packages/{name}/Cargo.toml"), &manifest);
        self.file(&format!("packages/{name}/src/lib.rs"), "");
    }

    pub fn file(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}
