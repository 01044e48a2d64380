//! What came out, for people and for programs.

use landfast_hardware::dumps::{Folder, Survey};
use std::process::ExitCode;

/// Figures go to the output, everything that is worth a look to the error output.
pub fn print(folder: &Folder, survey: &Survey, json: bool) -> ExitCode {
    exceptions(folder, survey);
    let figures = [
        ("machines", survey.machines),
        ("unreadable_files", folder.unreadable.len()),
        ("false_accepts", survey.false_accepts.len()),
        ("pairs_ok", survey.pairs_right()),
        ("pairs_total", survey.pairs.len()),
        ("placeholders_seen", survey.placeholders_seen()),
    ];
    if json {
        let members: Vec<String> =
            figures.iter().map(|(name, count)| format!("\"{name}\":{count}")).collect();
        println!("{{{}}}", members.join(","));
    } else {
        for (name, count) in figures {
            println!("{name:<18} {count:>6}");
        }
    }
    if survey.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exceptions(folder: &Folder, survey: &Survey) {
    for note in &folder.unreadable {
        eprintln!("unreadable: {}: {}", note.file, note.why);
    }
    for line in &survey.joined {
        eprintln!("joined: {line}");
    }
    for ((factor, value), count) in &survey.placeholders {
        eprintln!("placeholder: {factor} {value} in {count} recordings");
    }
    for pair in &survey.pairs {
        let word = if pair.is_right { "pair right" } else { "PAIR WRONG" };
        eprintln!(
            "{word}: {} -> {}: expected {}, found {}",
            pair.row.a, pair.row.b, pair.row.expected, pair.found
        );
    }
    for accept in &survey.false_accepts {
        eprintln!("FALSE ACCEPT: {} passes for {}: {}", accept.other, accept.enrolled, accept.why);
    }
    eprintln!(
        "{} recordings of {} machines; {} files record no machine",
        survey.recordings,
        survey.machines,
        folder.passed_over.len()
    );
}
