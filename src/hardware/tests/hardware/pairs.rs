//! Rows of the table of verdicts that real recordings show: what happened to real machines, and machines that look alike.
//! The table of pairs says where the recordings are and what must come out.

use crate::common::hwdata;
use landfast_hardware::dumps::{Folder, Survey};
use std::path::{Path, PathBuf};

/// Reads the two recordings of the row whose first column begins so, and judges them as the table asks.
fn row(kind: &str) {
    let Some(hwdata) = hwdata() else { return };
    let table = std::fs::read_to_string(hwdata.join("PAIRS.tsv")).unwrap();
    let (head, rows) = table.split_once('\n').unwrap();
    let row = rows.lines().find(|line| line.starts_with(kind));
    let row = row.unwrap_or_else(|| panic!("there is no pair of this kind: {kind}"));
    let cells: Vec<&str> = row.split('\t').collect();
    // Both alone, in a directory of their own, with a table of one row.
    let directory = tempfile::tempdir().unwrap();
    let copy = |recording: &str| -> PathBuf {
        let place = directory.path().join(recording);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(hwdata.join(recording), &place).unwrap();
        place
    };
    for recording in &cells[1..3] {
        assert!(copy(recording).is_file());
    }
    std::fs::write(directory.path().join("PAIRS.tsv"), format!("{head}\n{row}\n")).unwrap();
    let survey = Survey::of(&read(directory.path()));
    assert_eq!(survey.pairs.len(), 1);
    assert!(survey.pairs[0].is_right, "expected {}: {}", survey.pairs[0].row.expected, survey.pairs[0].found);
    assert_eq!(survey.false_accepts, []);
    // The expectation counts: the opposite one would be wrong.
    let opposite = if cells[5] == "broken" { "bound" } else { "broken" };
    let row = [&cells[..5], &[opposite]].concat().join("\t");
    std::fs::write(directory.path().join("PAIRS.tsv"), format!("{head}\n{row}\n")).unwrap();
    assert_eq!(Survey::of(&read(directory.path())).pairs_right(), 0);
}

fn read(directory: &Path) -> Folder {
    let folder = Folder::read(directory).unwrap();
    assert_eq!(folder.unreadable, []);
    folder
}

#[test]
fn p1_reboot_with_disks_in_another_order() {
    row("same machine, reboot");
}

#[test]
fn p2_bios_update() {
    row("same machine, BIOS update");
}

#[test]
fn p2_eight_years_kernel_4_16_to_6_17_one_of_three_disks_replaced_wwid_respelt() {
    row("same workstation, 2018");
}

#[test]
fn p1_lvm_loop_and_dm_added() {
    row("same machine and day, LVM added");
}

#[test]
fn p1_another_driver_loaded() {
    row("same machine, other driver loaded");
}

#[test]
fn p2_uuid_byte_swapped() {
    row("same table, two decoders");
}

#[test]
fn p10_same_model_other_unit() {
    row("two machines, same model and BIOS");
}

#[test]
fn p10_two_machines_with_one_placeholder_mac() {
    row("two machines sharing one MAC");
}

#[test]
fn p10_two_blades_one_chassis_serial() {
    row("two blades sharing chassis serial");
}

#[test]
fn p10_guests_on_one_mainframe() {
    row("two guests on one mainframe");
}

/// No pair is left without a test of its own.
#[test]
fn every_row_has_a_test() {
    let Some(hwdata) = hwdata() else { return };
    let table = std::fs::read_to_string(hwdata.join("PAIRS.tsv")).unwrap();
    let own = include_str!("pairs.rs");
    for line in table.lines().skip(1).filter(|line| !line.is_empty()) {
        let named = own.lines().filter_map(|line| line.trim().strip_prefix("row(\"")?.strip_suffix("\");"));
        assert_eq!(named.filter(|kind| line.starts_with(kind)).count(), 1, "{line}");
    }
}
