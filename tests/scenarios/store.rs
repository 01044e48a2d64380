//! The state directory: full, damaged, or taken.

use crate::support::{Stage, expect, held};
use landfast_hardware::fixture::{FieldServer, Recording};
use landfast_tests::harness::{Agent, AgentOptions, Authority, Sale, is_root, run, skipped, wait_for};
use std::process::Command;

#[test]
fn p8_a_second_agent_on_the_same_store_is_refused() {
    let stage = Stage::new();
    let id = stage.sell(1);
    stage.agent.activate(&id).unwrap();
    let ran = run(&mut stage.agent.daemon().unwrap(), "").unwrap();
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("another landfastd") && ran.stderr.contains("stop it first"), "{ran:?}");
    assert!(stage.agent.granted("points").unwrap(), "the first one goes on");
}

#[test]
fn p8_a_damaged_store_is_healed_from_its_copy() {
    let mut stage = Stage::new();
    let id = stage.sell(4);
    stage.agent.activate(&id).unwrap();
    stage.agent.stop().unwrap();
    let state = stage.agent.directory.join("state");
    let database = std::fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "redb"))
        .unwrap_or_else(|| panic!("no database in {}", state.display()));
    let mut bytes = std::fs::read(&database).unwrap();
    bytes.iter_mut().skip(64).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&database, bytes).unwrap();
    stage.agent.run().unwrap();
    assert!(stage.agent.granted("points").unwrap(), "{}", stage.agent.log());
    stage.expect(&["return", "--all", "--yes"], 0, "");
    assert_eq!(held(&stage.authority), 0);
}

#[test]
fn p8_a_lost_store_never_makes_a_new_key_in_silence() {
    let mut stage = Stage::new();
    let id = stage.sell(4);
    stage.agent.activate(&id).unwrap();
    stage.agent.stop().unwrap();
    // Everything that holds counter and tombstones is damaged, the copy as well.
    damage_all(&stage.agent.directory.join("state"));
    stage.agent.run().unwrap();
    let status = stage.agent.landfast(&["status"]).unwrap();
    assert!(status.stdout.contains("store") || status.stderr.contains("store"), "{status:?}");
    stage.expect(&["return", "--all", "--yes"], 1, "store_lost");
}

#[test]
fn p7_after_a_loss_the_steps_that_doctor_prints_lead_back() {
    let directory = tempfile::tempdir().unwrap();
    let vendors = ["acme", "other"].map(|name| Authority::start(directory.path(), name).unwrap());
    let all = [&vendors[0], &vendors[1]];
    let mut agent = Agent::start(directory.path(), "server", &all, AgentOptions::default()).unwrap();
    let ids = all.map(|vendor| vendor.sell(&Sale::perpetual("control", 4)).unwrap());
    for (vendor, id) in all.iter().zip(&ids) {
        expect(&agent, &["activate", "--issuer", &vendor.name, id], 0, "");
    }
    agent.stop().unwrap();
    // The state of one vendor is gone from the database and from its copy.
    let state = agent.directory.join("state");
    std::fs::remove_file(state.join("store.redb")).unwrap();
    let pinned = std::fs::read_to_string(vendors[0].issuer_file()).unwrap().parse::<toml::Table>().unwrap();
    let issuer = pinned["id"].as_str().unwrap();
    let lost = state.join("issuers").join(issuer);
    std::fs::remove_file(lost.join("state")).unwrap();
    agent.run().unwrap();
    let doctor = agent.landfast(&["doctor"]).unwrap().stdout;
    let told = |text: &str| assert!(doctor.contains(text), "{text} is not in\n{doctor}");
    told(&format!("move store.redb and issuers/{issuer} out of its state directory"));
    let device = doctor.split("--device ").nth(1).unwrap().split(';').next().unwrap();
    expect(&agent, &["reclaim", "--issuer", "acme"], 1, "store_lost");

    vendors[0].command(&["license", "reset", &ids[0], "--device", device]).unwrap().ok().unwrap();
    agent.stop().unwrap();
    let aside = directory.path().join("aside");
    std::fs::create_dir(&aside).unwrap();
    std::fs::rename(state.join("store.redb"), aside.join("store.redb")).unwrap();
    std::fs::rename(&lost, aside.join("issuer")).unwrap();
    agent.run().unwrap();
    expect(&agent, &["activate", "--issuer", "acme", &ids[0]], 0, "");
    expect(&agent, &["check", "points", "--issuer", "acme"], 0, "");
    expect(&agent, &["check", "points", "--issuer", "other"], 0, "");
    expect(&agent, &["return", "--all", "--yes"], 0, "");
    assert_eq!((held(&vendors[0]), held(&vendors[1])), (0, 0), "the other vendor's state was not touched");
    agent.stop().unwrap();
}

fn damage_all(directory: &std::path::Path) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            damage_all(&path);
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

#[test]
fn p8_a_full_disk_refuses_commands_and_loses_nothing() {
    if !is_root() {
        return skipped(
            "p8_a_full_disk_refuses_commands_and_loses_nothing",
            "needs root to mount a small disk",
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::start(directory.path(), "acme").unwrap();
    let mut agent =
        Agent::install(directory.path(), "server", &[&authority], AgentOptions::default()).unwrap();
    let state = agent.directory.join("state");
    std::fs::create_dir(&state).unwrap();
    let Some(_mounted) = Mounted::tmpfs(&state, "size=6m,mode=0700") else {
        return skipped(
            "p8_a_full_disk_refuses_commands_and_loses_nothing",
            "mounting a tmpfs is not allowed here",
        );
    };
    agent.run().unwrap();
    let id = authority.sell(&landfast_tests::harness::Sale::perpetual("control", 3)).unwrap();
    agent.activate(&id).unwrap();
    let filler = state.join("filler");
    let full = fill(&filler);
    assert!(full > 0);
    let mut refused = false;
    // Room left inside the database may take a few more records.
    for _ in 0..200 {
        let ran = agent.landfast(&["reclaim"]).unwrap();
        if ran.code != Some(0) {
            assert!(format!("{}{}", ran.stdout, ran.stderr).contains("store"), "{ran:?}");
            refused = true;
            break;
        }
    }
    assert!(agent.granted("points").unwrap(), "checks never need the disk");
    std::fs::remove_file(&filler).unwrap();
    assert!(refused, "a full disk was not noticed in 200 commands");
    wait_for("the agent to recover by itself", || {
        agent.landfast(&["reclaim"]).ok().filter(|ran| ran.code == Some(0))
    })
    .unwrap();
    agent.kill().unwrap();
    agent.run().unwrap();
    assert!(agent.granted("points").unwrap());
    agent.stop().unwrap();
}

fn fill(path: &std::path::Path) -> usize {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    let mut written = 0;
    for size in [65536, 4096, 512] {
        let block = vec![0; size];
        while let Ok(length) = file.write(&block) {
            written += length;
        }
    }
    written
}

#[test]
fn p8_a_read_only_state_directory_is_named() {
    if !is_root() {
        return skipped("p8_a_read_only_state_directory_is_named", "needs root to mount a disk");
    }
    let directory = tempfile::tempdir().unwrap();
    let agent = Agent::install(directory.path(), "server", &[], AgentOptions::default()).unwrap();
    let state = agent.directory.join("state");
    std::fs::create_dir(&state).unwrap();
    let Some(_mounted) = Mounted::tmpfs(&state, "size=1m,mode=0700,ro") else {
        return skipped("p8_a_read_only_state_directory_is_named", "mounting a tmpfs is not allowed here");
    };
    let ran = run(&mut agent.daemon().unwrap(), "").unwrap();
    assert_ne!(ran.code, Some(0));
    assert!(
        ran.stderr.contains("server/state") && ran.stderr.to_lowercase().contains("read-only"),
        "{ran:?}"
    );
}

/// A licensed field server whose state lies on a small disk of its own.
struct OnDisk {
    agent: Agent,
    authority: Authority,
    recording: Recording,
    mounted: Mounted,
    directory: tempfile::TempDir,
}

impl OnDisk {
    /// None where it cannot be had here.
    fn licensed(test: &str) -> Option<Self> {
        if !is_root() {
            skipped(test, "needs root to mount a small disk");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::start(directory.path(), "acme").unwrap();
        let recording = FieldServer::example(1).write(directory.path().join("root")).unwrap();
        let options = AgentOptions { sysroot: Some(recording.path().to_owned()), ..AgentOptions::default() };
        let mut agent = Agent::install(directory.path(), "server", &[&authority], options).unwrap();
        let state = agent.directory.join("state");
        std::fs::create_dir(&state).unwrap();
        let Some(mounted) = Mounted::tmpfs(&state, "size=6m,mode=0700") else {
            skipped(test, "mounting a tmpfs is not allowed here");
            return None;
        };
        agent.run().unwrap();
        let id = authority.sell(&Sale::perpetual("control", 3)).unwrap();
        agent.activate(&id).unwrap();
        Some(Self { agent, authority, recording, mounted, directory })
    }

    /// The verdict as it is shown, without another look.
    fn verdict(&self) -> String {
        let shown = self.agent.landfast(&["fingerprint", "--json"]).unwrap().json().unwrap();
        shown["issuers"][0]["state"].as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn p8_hardware_that_changes_on_a_full_disk_is_told_and_reaches_the_authority() {
    let name = "p8_hardware_that_changes_on_a_full_disk_is_told_and_reaches_the_authority";
    let Some(mut stage) = OnDisk::licensed(name) else { return };
    let filler = stage.agent.directory.join("state/filler");
    assert!(fill(&filler) > 0);
    let spare = FieldServer::example(2);
    for disk in &spare.disks {
        stage.recording.swap_disk(&disk.name, disk).unwrap();
    }
    stage.recording.swap_card(&spare.cards[0].name, &spare.cards[0]).unwrap();
    expect(&stage.agent, &["rescan"], 3, "could not store the verdict");
    assert_eq!(stage.verdict(), "drifted");
    assert!(stage.agent.granted("points").unwrap());
    std::fs::remove_file(&filler).unwrap();
    // The authority binds to what it is shown.
    expect(&stage.agent, &["reclaim"], 0, "");
    assert_eq!(stage.verdict(), "bound");
    stage.agent.stop().unwrap();
    stage.agent.run().unwrap();
    assert_eq!(stage.verdict(), "bound");
    expect(&stage.agent, &["history"], 0, "binding bound -> drifted");
    stage.agent.stop().unwrap();
}

#[test]
fn p8_on_a_read_only_disk_other_hardware_is_broken_with_grace() {
    let name = "p8_on_a_read_only_disk_other_hardware_is_broken_with_grace";
    let Some(mut stage) = OnDisk::licensed(name) else { return };
    stage.agent.stop().unwrap();
    assert!(stage.mounted.again("remount,ro"));
    let other = FieldServer::example(2).write(stage.directory.path().join("other")).unwrap();
    stage.agent.options().sysroot = Some(other.path().to_owned());
    stage.agent.run().unwrap();
    assert_eq!(stage.verdict(), "broken", "{}", stage.agent.log());
    let check = stage.agent.check("points").unwrap();
    assert_eq!(
        (check["granted"].as_bool(), check["reason"].as_str()),
        (Some(true), Some("grace")),
        "{check}"
    );
    assert!(check["until"].is_string(), "{check}");
    let told = expect(&stage.agent, &["status"], 0, "the hardware is not the one that was licensed");
    assert!(told.to_lowercase().contains("read-only"), "{told}");
    expect(&stage.agent, &["rescan"], 3, "could not store the verdict");
    assert!(stage.mounted.again("remount,rw"));
    expect(&stage.agent, &["rescan"], 0, "broken");
    expect(&stage.agent, &["return", "--all", "--yes"], 0, "");
    assert_eq!(held(&stage.authority), 0);
    stage.agent.stop().unwrap();
}

/// A small disk of its own, gone again when dropped.
struct Mounted(std::path::PathBuf);

impl Mounted {
    fn tmpfs(at: &std::path::Path, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        let ran = run(mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at), "").ok()?;
        (ran.code == Some(0)).then(|| Self(at.to_owned()))
    }

    fn again(&self, options: &str) -> bool {
        let ran = run(Command::new("mount").args(["-o", options]).arg(&self.0), "");
        ran.is_ok_and(|ran| ran.code == Some(0))
    }
}
impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.0), "");
    }
}
