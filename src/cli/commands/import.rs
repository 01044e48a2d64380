//! `landfast import FILE...`

use super::Context;
use super::outcome::{Told, tell};
use crate::failure::Failure;
use crate::report::Report;
use crate::text::clean;
use landfast_client::api::{CommandReply, OperationResult};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// A response has at most 601 KiB, half as much more in armor: the agent takes no more.
const MAX_FILE: u64 = 1 << 20;

/// Options of `landfast import`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Response files (.lfres), or - for standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) async fn run(context: &Context<'_>, options: &Options) -> Result<Report, Failure> {
    let mut total = CommandReply::default();
    let mut told = Vec::new();
    let mut failures = Vec::new();
    for path in &options.files {
        let name = clean(&path.display().to_string());
        match import(context, path, &name).await {
            Ok(reply) => {
                let news = if reply.changed { "applied" } else { "nothing new" };
                told.push(format!("{name}: {news}\n"));
                total.changed |= reply.changed;
                total.results.extend(reply.results);
            }
            // With one file its failure is the answer; one of several must not keep the others from being applied.
            Err(failure) if options.files.len() == 1 => return Err(failure),
            Err(failure) => {
                told.push(format!("{name}: refused\n"));
                failures.push(failure);
            }
        }
    }
    let mut report = tell(&total, &Told { held: &[], named: &|_| None, by_hand: false });
    for failure in &failures {
        report.exit = report.exit.worse(failure.exit);
        total.results.push(refused(failure));
    }
    let json = Report::new("", &total).json;
    report.notes.extend(failures);
    Ok(Report { text: format!("{}{}", told.concat(), report.text), json, ..report })
}

async fn import(context: &Context<'_>, path: &PathBuf, name: &str) -> Result<CommandReply, Failure> {
    let bytes = read(path).map_err(|error| {
        Failure::new(name, "bad_file", error.to_string(), "name a readable response file of at most 1 MiB")
    })?;
    context.agent.import(bytes).await.map_err(|error| Failure::of(name, &error))
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large to be a response"));
    }
    Ok(bytes)
}

/// As the agent itself reports what one of several refused.
fn refused(failure: &Failure) -> OperationResult {
    OperationResult {
        action: "import".to_owned(),
        outcome: "refused".to_owned(),
        reason: Some(failure.code.clone()),
        detail: Some(format!("{}: {}", failure.thing, failure.message)),
        advice: Some(failure.advice.clone()),
        ..OperationResult::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lfres");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1 << 20);
        std::fs::write(&path, vec![7; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(&PathBuf::from("/dev/zero")).is_err());
        assert!(read(&directory.path().to_owned()).is_err());
    }
}
