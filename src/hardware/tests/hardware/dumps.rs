//! Recordings of others: every form is known by its content, and nothing in them is believed.

use crate::common::{of, reason, values};
use crate::forms::{Smbios, archive, bzip2, gzip, udev_database};
use landfast_hardware::dumps::{Folder, Survey};
use landfast_hardware::fixture::FieldServer;
use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::Reading;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A directory of files, read.
struct Given {
    directory: tempfile::TempDir,
}

impl Given {
    fn files(files: &[(&str, &[u8])]) -> Self {
        let given = Self { directory: tempfile::tempdir().unwrap() };
        for (name, content) in files {
            given.file(name, content);
        }
        given
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self, name: impl AsRef<Path>, content: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn read(&self) -> Folder {
        Folder::read(self.path()).unwrap()
    }

    fn survey(&self) -> Survey {
        Survey::of(&self.read())
    }
}

/// Names of the files that could not be read, each with its reason.
fn unreadable(folder: &Folder) -> Vec<(&str, &str)> {
    folder.unreadable.iter().map(|note| (note.file.as_str(), note.why.as_str())).collect()
}

#[test]
fn every_form_of_one_machine_is_known_by_its_content_and_is_one_machine() {
    let machine = Smbios::example(1);
    let server = FieldServer { board: Some(machine.board.clone()), ..FieldServer::example(1) };
    let tree = archive(&server, "some/where");
    let given = Given::files(&[
        ("table.jpg", &machine.table()),
        ("a/b/c/dump", &machine.dump()),
        ("dump of 3.txt", &machine.dump_of_3()),
        ("report", machine.report().as_bytes()),
        ("CRLF.md", machine.report().replace('\n', "\r\n").as_bytes()),
        ("report.packed", &gzip(machine.report().as_bytes())),
        ("ttar.bin", machine.ttar().as_bytes()),
        ("tree.1", &tree),
        ("tree.2", &gzip(&tree)),
        ("tree.3", &bzip2(&tree)),
        ("archive of a dump", &gzip(&archive_of("below/report.txt", machine.report().as_bytes()))),
    ]);
    server.write(given.path().join("unpacked/root")).unwrap();
    let folder = given.read();
    assert_eq!(unreadable(&folder), []);
    assert_eq!(folder.machines.len(), 12);
    for machine in &folder.machines {
        let serials = values(&machine.reading, Factor::BoardSerial);
        assert_eq!(serials, ["wi24b00001".to_owned()].into(), "{}", machine.name);
        assert_eq!(values(&machine.reading, Factor::ProductUuid).len(), 1, "{}", machine.name);
    }
    let survey = Survey::of(&folder);
    assert_eq!((survey.machines, survey.recordings, survey.false_accepts), (1, 12, vec![]));
    assert_eq!(survey.joined.len(), 11, "each is named");
}

fn archive_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, name, tar::EntryType::Regular, content, "");
    archive.into_inner().unwrap()
}

/// An entry with any name and any link, which the writer itself would refuse.
fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, kind: tar::EntryType, content: &[u8], link: &str) {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    archive.append(&header, content).unwrap();
}

#[test]
fn a_database_of_udev_shows_disks_and_cards_and_no_serial_number_of_the_board() {
    let given = Given::files(&[("x", udev_database(7).as_bytes())]);
    let folder = given.read();
    let reading = &folder.machines[0].reading;
    let disks = values(reading, Factor::Disk);
    assert_eq!(disks, ["kern nv3/s7kne00007", "wt sa210/wt1da00007"].map(str::to_owned).into());
    assert_eq!(values(reading, Factor::NetworkCard), ["00:30:d6:00:07:01".to_owned()].into());
    assert!(reason(reading, "docker0").contains("virtual") && reason(reading, "sdb").contains("USB"));
    for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial] {
        assert!(matches!(of(reading, factor)[..], [(_, Reading::Unreadable(_))]), "{factor:?}");
    }
    // Cut off in the middle of a serial number: that one is not believed.
    let text = udev_database(7);
    let cut = text.find("S7KNE").unwrap() + 7;
    let folder = Given::files(&[("x", &text.as_bytes()[..cut])]).read();
    assert_eq!(values(&folder.machines[0].reading, Factor::Disk).len(), 1);
}

#[test]
fn the_list_of_processors_alone_is_a_machine() {
    let given = Given::files(&[(
        "cpus",
        b"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t: 69\nstepping\t: 1\n",
    )]);
    assert_eq!(
        values(&given.read().machines[0].reading, Factor::Cpu),
        ["genuineintel/6/69/1".to_owned()].into()
    );
}

#[test]
fn what_is_no_recording_is_told_apart_from_what_cannot_be_read() {
    let machine = Smbios::example(1);
    let tree = gzip(&archive(&FieldServer::example(2), "."));
    let entry_point = &machine.dump_of_3()[..24];
    let given = Given::files(&[
        ("good", &machine.dump()),
        ("README", b"Some words about these files.\n"),
        ("lsblk.json", b"{\"blockdevices\":[]}\n"),
        ("smbios_entry_point", entry_point),
        ("junk", &(0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>()),
        ("nothing", b""),
        ("cut table", &machine.table()[..150]),
        ("cut dump", &machine.dump()[..150]),
        ("cut archive", &tree[..tree.len() / 2]),
        ("no archive", &gzip(b"\0\x01\x02\x03 packed junk")),
        ("no machine", &archive_of("notes.txt", b"words\n")),
        ("no smbios", b"# dmidecode 3.4\n# No SMBIOS nor DMI entry point found, sorry.\n"),
    ]);
    let folder = given.read();
    let names: Vec<&str> = unreadable(&folder).iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["cut archive", "cut dump", "cut table", "junk", "no archive", "no machine", "no smbios", "nothing"]
    );
    assert!(folder.unreadable.iter().all(|note| !note.why.is_empty()));
    let passed: Vec<&str> = folder.passed_over.iter().map(|note| note.file.as_str()).collect();
    assert_eq!(passed, ["README", "lsblk.json", "no machine/notes.txt", "smbios_entry_point"]);
    assert_eq!(folder.machines.len(), 1);
}

#[test]
fn odd_files_and_odd_names_are_survived() {
    let given = Given::files(&[("good", &Smbios::example(1).dump())]);
    let at = |name: &str| given.path().join(name);
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    symlink(".", at("circle")).unwrap();
    symlink("/etc", at("outside")).unwrap();
    std::fs::File::create(at("huge")).unwrap().set_len(1 << 40).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"new\nline\xff");
    std::fs::create_dir(given.path().join(name)).unwrap();
    given.file(Path::new(name).join("copy"), &Smbios::example(1).dump());
    let mut deep = given.path().to_owned();
    for _ in 0..40 {
        deep.push("d");
    }
    std::fs::create_dir_all(&deep).unwrap();
    let folder = given.read();
    let said = unreadable(&folder);
    let why = |name: &str| said.iter().find(|(file, _)| *file == name).map(|(_, why)| *why).unwrap();
    assert!(why("pipe").contains("a pipe") && why("socket").contains("a socket"));
    assert!(why("huge").contains("longer than 64 MiB"));
    assert!(said.iter().any(|(file, why)| file.starts_with("d/d/d") && why.contains("deep")));
    assert_eq!(said.len(), 4);
    assert_eq!(folder.passed_over.len(), 3, "links are not followed: {:?}", folder.passed_over);
    assert!(folder.machines.iter().any(|machine| machine.name == "new?line\u{fffd}/copy"));
    assert_eq!(Survey::of(&folder).machines, 1);
}

#[test]
fn hostile_archives_write_nothing_outside() {
    let outside = tempfile::tempdir().unwrap();
    let evil = outside.path().join("evil");
    let target = outside.path().to_str().unwrap();
    let up = "../".repeat(12);
    let of = |entries: &[(&str, tar::EntryType, &str)]| {
        let mut archive = tar::Builder::new(Vec::new());
        append(&mut archive, "sys/class/dmi/id/board_serial", tar::EntryType::Regular, b"WI24B00001\n", "");
        for (name, kind, link) in entries {
            let content: &[u8] = if *kind == tar::EntryType::Regular { b"evil\n" } else { b"" };
            append(&mut archive, name, *kind, content, link);
        }
        archive.into_inner().unwrap()
    };
    use tar::EntryType::{Block, Char, Fifo, Link, Regular, Symlink};
    let climbing = format!("{up}{target}/evil");
    let refused = [
        of(&[(&climbing, Regular, "")]),
        of(&[("sys/../../evil", Regular, "")]),
        of(&[("sys/out", Symlink, target), ("sys/out/evil", Regular, "")]),
        of(&[("sys/a", Symlink, "b"), ("sys/a/evil", Regular, "")]),
        of(&[("sys/hard", Link, &climbing)]),
        of(&[("sys/class", Regular, "")]),
    ];
    for (at, archive) in refused.iter().enumerate() {
        let folder = Given::files(&[("archive", archive)]).read();
        assert_eq!(folder.machines.len(), 0, "{at}");
        assert!(folder.unreadable[0].why.contains("not to be trusted"), "{at}: {:?}", folder.unreadable);
    }
    // These are harmless once they are inside: an absolute name, a link out, devices.
    let absolute = format!("{target}/evil");
    let harmless = of(&[
        (&absolute, Regular, ""),
        ("sys/class/dmi/id/product_serial", Symlink, "/etc/hostname"),
        ("sys/class/dmi/id/chassis_serial", Link, "/etc/hostname"),
        ("dev/null", Char, ""),
        ("dev/sda", Block, ""),
        ("dev/pipe", Fifo, ""),
    ]);
    let folder = Given::files(&[("archive", &harmless)]).read();
    assert_eq!(unreadable(&folder), []);
    let reading = &folder.machines[0].reading;
    assert_eq!(values(reading, Factor::BoardSerial).len(), 1);
    for factor in [Factor::ProductSerial, Factor::ChassisSerial] {
        assert_eq!(of_values(reading, factor), 0, "the file of this machine is not read");
    }
    assert!(!evil.exists() && std::fs::read_dir(outside.path()).unwrap().next().is_none());
}

fn of_values(reading: &landfast_protocol::reading::HardwareReading, factor: Factor) -> usize {
    values(reading, factor).len()
}

#[test]
fn hostile_databases_write_nothing_outside() {
    let hostile = "P: /devices/x\nE: DEVPATH=/devices/x\nE: SUBSYSTEM=net\n\n\
                   P: /../../../../../../tmp/landfast-evil/net/eth0\nE: SUBSYSTEM=net\nE: ID_NET_NAME_MAC=enx0030d6000101\n";
    let folder = Given::files(&[("x", hostile.as_bytes())]).read();
    assert!(folder.machines.is_empty() && folder.unreadable[0].why.contains("not to be trusted"));
    assert!(!Path::new("/tmp/landfast-evil").exists());
    let ttar = "Path: ../../evil\nLines: 1\nx\nMode: 644\n";
    assert!(Given::files(&[("x", ttar.as_bytes())]).read().unreadable[0].why.contains("not to be trusted"));
}

#[test]
fn machines_that_pass_for_each_other_are_found() {
    // Two models of one vendor who burns the same numbers into all of them.
    let one = Smbios::example(1);
    let other = Smbios { board_name: "FS-500".to_owned(), ..Smbios::example(1) };
    let survey = Given::files(&[("one", &one.dump()), ("other", &other.dump())]).survey();
    assert_eq!((survey.machines, survey.false_accepts.len()), (2, 1));
    assert!(!survey.is_well() && survey.false_accepts[0].why.starts_with("bound, score 1.000: board match"));
    // Two units of one model: the memory tells.
    let unit = Smbios { modules: vec!["FFEE0011".to_owned()], ..Smbios::example(1) };
    let survey = Given::files(&[("one", &one.dump()), ("unit", &unit.dump())]).survey();
    assert_eq!((survey.machines, survey.false_accepts.len()), (2, 1));
    // The same unit with one module less.
    let less = Smbios { modules: vec![one.modules[1].clone()], ..Smbios::example(1) };
    let survey = Given::files(&[("one", &one.dump()), ("less", &less.dump())]).survey();
    assert_eq!((survey.machines, survey.false_accepts.len()), (1, 0));
    // Different machines are different.
    let survey = Given::files(&[("one", &one.dump()), ("two", &Smbios::example(2).dump())]).survey();
    assert_eq!((survey.machines, survey.false_accepts.len(), survey.joined.len()), (2, 0, 0));
}

#[test]
fn rows_of_a_table_of_pairs_are_judged_wherever_it_stands() {
    let mut repaired = Smbios::example(1);
    repaired.board.board_serial = "WI24B90909".to_owned();
    let table = "kind\ta\tb\texpected\n\
        repaired\tone.bin\tsub/repaired.bin\tbound\n\
        other\tone.bin\ttwo.bin\tbroken\n\
        wrong\tone.bin\ttwo.bin\tbound\n\
        missing\tone.bin\tnowhere.bin\tbound\n\
        fraction\tone.bin\tsub/repaired.bin\tboard group: 2 of 3 kept\n\
        unknown\tone.bin\ttwo.bin\twho knows\n";
    let files = [
        ("below/one.bin", Smbios::example(1).dump()),
        ("below/two.bin", Smbios::example(2).dump()),
        ("below/sub/repaired.bin", repaired.dump()),
    ];
    let given = Given::files(&files.each_ref().map(|(name, content)| (*name, content.as_slice())));
    // Without the table the repaired machine is another one, which passes.
    let survey = given.survey();
    assert_eq!((survey.machines, survey.false_accepts.len()), (3, 1));
    given.file("below/any name.tsv", table.as_bytes());
    let survey = given.survey();
    let right: Vec<bool> = survey.pairs.iter().map(|pair| pair.is_right).collect();
    assert_eq!(right, [true, true, false, false, true, false]);
    assert_eq!((survey.pairs_right(), survey.is_well()), (3, false));
    assert!(survey.pairs[3].found.contains("no recording below/nowhere.bin"));
    // The rows say what is one machine: also the wrong one that says so of two.
    assert_eq!((survey.machines, survey.false_accepts.len()), (1, 0));
}

#[test]
fn no_recorded_machine_passes_for_another_and_every_pair_is_right() {
    let Some(hwdata) = crate::common::hwdata() else { return };
    let folder = Folder::read(&hwdata).unwrap();
    let survey = Survey::of(&folder);
    assert_eq!(folder.unreadable, []);
    assert_eq!(survey.false_accepts, []);
    let wrong: Vec<_> = survey.pairs.iter().filter(|pair| !pair.is_right).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(survey.machines > 100 && survey.pairs.len() >= 10 && survey.placeholders_seen() > 40);
}

#[test]
fn no_bytes_panic() {
    use proptest::prelude::*;
    let samples = [
        Smbios::example(1).dump(),
        Smbios::example(1).table(),
        Smbios::example(1).report().into_bytes(),
        udev_database(1).into_bytes(),
        Smbios::example(1).ttar().into_bytes(),
    ];
    let change = (0..samples.len(), any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let survives = |(of, at, byte, cut): (usize, prop::sample::Index, u8, prop::sample::Index)| {
        let mut bytes = samples[of].clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let cut = cut.index(bytes.len() + 1);
        let folder = Given::files(&[("whole", &bytes), ("cut", &bytes[..cut])]).read();
        let _ = Survey::of(&folder);
        Ok(())
    };
    runner.run(&change, survives).unwrap();
}
