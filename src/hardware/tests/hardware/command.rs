//! `landfast-hwdata` as `cargo xtask hwdata` starts it.

use crate::forms::Smbios;
use std::path::Path;
use std::process::{Command, Output};

/// Starts the program; the variable names a directory only where the test says so.
fn hwdata(arguments: &[&str], directory: Option<&Path>) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_landfast-hwdata"));
    program.args(arguments).env_remove("LANDFAST_HWDATA");
    program.envs(directory.map(|directory| ("LANDFAST_HWDATA", directory)));
    program.output().unwrap()
}

fn figures(
    machines: usize,
    unreadable: usize,
    accepts: usize,
    pairs: (usize, usize),
    placeholders: usize,
) -> String {
    format!(
        "{{\"machines\":{machines},\"unreadable_files\":{unreadable},\"false_accepts\":{accepts},\"pairs_ok\":{},\
         \"pairs_total\":{},\"placeholders_seen\":{placeholders}}}\n",
        pairs.0, pairs.1
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn figures_are_one_line_of_json_and_the_exit_code_says_whether_all_is_well() {
    let directory = tempfile::tempdir().unwrap();
    let given = directory.path().to_str().unwrap();
    let output = hwdata(&["--json", given], None);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), figures(0, 0, 0, (0, 0), 0)));

    let write = |name: &str, content: &[u8]| std::fs::write(directory.path().join(name), content).unwrap();
    write("one", &Smbios::example(1).dump());
    write("junk", &[0xee; 1000]);
    let output = hwdata(&["--json"], Some(directory.path()));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), figures(1, 1, 0, (0, 0), 0)));
    assert!(text(&output.stderr).contains("unreadable: junk: its form is not known"));

    let other = Smbios { board_name: "FS-500".to_owned(), ..Smbios::example(1) };
    write("other", &other.dump());
    let output = hwdata(&[given, "--json"], None);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), figures(2, 1, 1, (0, 0), 0)));
    let said = text(&output.stderr);
    assert!(said.contains("FALSE ACCEPT: other passes for one: bound, score 1.000"), "{said}");
    // The row makes it one machine, and so well.
    write("PAIRS.tsv", b"a\tb\texpected\none\tother\tbound\n");
    let output = hwdata(&["--json", given], None);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), figures(1, 1, 0, (1, 1), 0)));
    write("PAIRS.tsv", b"a\tb\texpected\none\tother\tbroken\n");
    let output = hwdata(&["--json", given], None);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), figures(2, 1, 1, (0, 1), 0)));
    assert!(text(&output.stderr).contains("PAIR WRONG: one -> other: expected broken, found bound"));
    assert!(text(&hwdata(&[given], None).stdout).lines().any(|line| line == "false_accepts           1"));
}

#[test]
fn no_value_is_shown_in_full() {
    let directory = tempfile::tempdir().unwrap();
    let machine = Smbios::example(1);
    let mut other = Smbios { board_name: "FS-500".to_owned(), ..Smbios::example(1) };
    other.board.chassis_serial = "To be filled by O.E.M.".to_owned();
    std::fs::write(directory.path().join("one"), machine.dump()).unwrap();
    std::fs::write(directory.path().join("other"), other.dump()).unwrap();
    let output = hwdata(&["--json"], Some(directory.path()));
    let said = (text(&output.stdout) + &text(&output.stderr)).to_lowercase();
    assert!(
        said.contains("placeholder: chassis_serial to…m. in 1 recordings") && said.contains("false accept")
    );
    let board = &machine.board;
    for value in
        [&board.uuid, &board.board_serial, &board.product_serial, &board.chassis_serial, &machine.modules[0]]
    {
        assert!(!said.contains(&value.to_lowercase()), "{said}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_usage() {
    let nowhere = Path::new("/nonexistent/landfast");
    for (arguments, directory, why) in [
        (&["--jsno"][..], None, "there is no option --jsno"),
        (&["a", "b"], None, "one directory is enough"),
        (&[], None, "no directory is named, and LANDFAST_HWDATA is not set"),
        (&[], Some(Path::new("")), "no directory is named"),
        (&["--json"], Some(nowhere), "/nonexistent/landfast: no such file or directory"),
    ] {
        let output = hwdata(arguments, directory);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(why) && said.contains("usage: cargo xtask hwdata"), "{said}");
    }
}
