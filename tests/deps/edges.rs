//! The arrows between the workspace's own crates, as their manifests declare them.

use super::Findings;
use cargo_metadata::MetadataCommand;
use std::path::Path;

/// Who may use whom. Nothing else.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("landfast-protocol", &[]),
    ("landfast-core", &["landfast-protocol"]),
    ("landfast-hardware", &["landfast-protocol"]),
    ("landfast-agent", &["landfast-core", "landfast-hardware", "landfast-protocol"]),
    ("landfast-client", &["landfast-protocol"]),
    ("landfast-cli", &["landfast-client"]),
    ("landfast-authority", &["landfast-protocol"]),
    ("xtask", &["landfast-cli"]),
];
/// It may use everything, and nobody may use it.
const TESTS: &str = "landfast-tests";

/// Every arrow of the workspace at `root` that is not in the plan: normal, for builds or for tests.
pub fn unexpected(root: &Path) -> Findings {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let mut findings = Findings::new();
    for package in &metadata.packages {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            // A crate may ask for its own features in its tests.
            let own = dependency.name == package.name.as_str();
            if !own && !allowed(&package.name, &dependency.name) {
                findings.push(format!("{} uses {}", package.name, dependency.name));
            }
        }
    }
    findings
}

fn allowed(user: &str, used: &str) -> bool {
    user == TESTS || MAY_USE.iter().any(|(name, uses)| *name == user && uses.contains(&used))
}
