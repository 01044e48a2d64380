//! The real programs, as they were built beside this test. The tests of the client use this file too.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Machines that run tests can be slow; a condition that takes longer never comes.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// The directory that holds `landfast`, `landfastd` and `landfast-authority`, the latter built if need be: cargo
/// builds the programs of other packages only when asked.
pub fn directory() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("LANDFAST_BINARIES") {
            return given.into();
        }
        // Tests stand in `target/PROFILE/deps`.
        let test = std::env::current_exe().unwrap();
        let directory = test.parent().and_then(Path::parent).unwrap().to_owned();
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let packages = ["-p", "landfast-agent", "-p", "landfast-authority", "-p", "landfast-cli"];
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--profile", profile])
            .args(packages)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "building the programs failed");
        directory
    })
}

/// A program that ends with its session.
pub struct Daemon(Child);

impl Daemon {
    /// Starts one of ours, or one that is installed, and waits until `ready`.
    pub fn start(name: &str, arguments: &[&str], log: &Path, ready: impl Fn() -> bool) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let own = directory().join(name);
        let child = Command::new(if own.exists() { own } else { name.into() })
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut daemon = Self(child);
        for _ in 0..DEADLINE.as_millis() / PAUSE.as_millis() {
            if ready() {
                return daemon;
            }
            let ended = daemon.0.try_wait().unwrap();
            let log = || std::fs::read_to_string(log).unwrap_or_default();
            assert!(ended.is_none(), "{name} ended: {}", log());
            std::thread::park_timeout(PAUSE);
        }
        panic!("{name} was not ready within {} s", DEADLINE.as_secs());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
