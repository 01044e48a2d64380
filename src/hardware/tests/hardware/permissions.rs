//! The agent is not root: values that only root may read come as credentials, or are unreadable.
//!
//! Root may read everything, so a test that runs as root starts itself again as another user.

use crate::common::{collect, single};
use landfast_hardware::fixture::FieldServer;
use landfast_hardware::{Collector, Root};
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{Identity, Reading};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Set in the copy that runs as another user.
const ROOT: &str = "LANDFAST_TEST_ROOT";
/// `nobody`.
const NOBODY: u32 = 65534;

fn chmod(path: impl AsRef<Path>, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs `test` on a server whose serial numbers only root may read, as somebody else.
fn unprivileged(name: &str, test: impl FnOnce(&Path)) {
    if let Some(root) = std::env::var_os(ROOT) {
        return test(Path::new(&root));
    }
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(5).write(directory.path()).unwrap();
    chmod(directory.path(), 0o755);
    let restricted = ["product_uuid", "board_serial", "product_serial", "chassis_serial"];
    for field in restricted {
        chmod(server.path().join("sys/class/dmi/id").join(field), 0o400);
    }
    std::fs::create_dir(server.path().join("dev")).unwrap();
    let tpm = server.path().join("dev/tpmrm0");
    let _tpm = UnixListener::bind(&tpm).unwrap();
    chmod(&tpm, 0o600);
    if !rustix::process::geteuid().is_root() {
        chmod(&tpm, 0o000);
        for field in restricted {
            chmod(server.path().join("sys/class/dmi/id").join(field), 0o000);
        }
        return test(server.path());
    }
    let own = std::env::current_exe().unwrap();
    let mut again = Command::new(&own);
    again.args(["--exact", name, "--nocapture"]).env(ROOT, server.path()).uid(NOBODY).gid(NOBODY);
    match again.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.contains("1 passed"), "as uid {NOBODY}: {said}");
        }
        Err(error) => eprintln!("SKIPPED: {} cannot be started as uid {NOBODY}: {error}", own.display()),
    }
}

fn credentials(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

#[test]
fn without_the_right_to_read_dmi_it_is_unreadable_and_never_absent() {
    unprivileged("permissions::without_the_right_to_read_dmi_it_is_unreadable_and_never_absent", |root| {
        let reading = collect(root);
        for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial]
        {
            let Reading::Unreadable(reason) = single(&reading, factor) else { panic!("{factor:?}") };
            assert!(reason.contains("credential"), "{reason}");
        }
        let Reading::Unreadable(reason) = single(&reading, Factor::TpmKey) else { panic!("the TPM") };
        assert!(reason.contains("group tss"), "{reason}");
        assert!(matches!(single(&reading, Factor::MachineId), Reading::Present(_)));
        assert!(!reading.virtual_machine);
    });
}

#[test]
fn credentials_stand_in_for_what_is_refused() {
    unprivileged("permissions::credentials_stand_in_for_what_is_refused", |root| {
        let handed = credentials(&[
            ("product_uuid", "46364331-3536-3235-B600-0030D6000101\n"),
            ("board_serial", "WI24B00005\n"),
            ("product_serial", ""),
        ]);
        let reading = Collector::of_recording(Root::new(root)).with_credentials(handed.path()).collect();
        let same = "31433646-3635-3532-b600-0030d6000101";
        assert_eq!(single(&reading, Factor::ProductUuid), Reading::Present(Identity::new(same)));
        assert_eq!(single(&reading, Factor::BoardSerial), Reading::Present(Identity::new("wi24b00005")));
        // An empty credential is what systemd hands over where it had nothing to read.
        assert!(
            matches!(single(&reading, Factor::ProductSerial), Reading::Unreadable(why) if why.contains("empty"))
        );
        assert!(matches!(single(&reading, Factor::ChassisSerial), Reading::Unreadable(_)));
    });
}

#[test]
fn a_value_that_can_be_read_needs_no_credential() {
    let directory = tempfile::tempdir().unwrap();
    let server = FieldServer::example(5).write(directory.path()).unwrap();
    let handed = credentials(&[("board_serial", "FORGED\n")]);
    let reading = Collector::of_recording(server.root()).with_credentials(handed.path()).collect();
    assert_eq!(single(&reading, Factor::BoardSerial), Reading::Present(Identity::new("wi24b00005")));
}
