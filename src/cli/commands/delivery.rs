//! Where a request goes that is carried by hand.

use crate::failure::Failure;
use crate::report::Report;
use landfast_client::api::{Carriage, CommandReply};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// How the request travels.
#[derive(Debug, Default, clap::Args)]
pub struct ByHand {
    /// Write the request into this new file instead of sending it.
    ///
    /// Carry it to the authority, then import the response that it gives with `landfast import`.
    #[arg(long, value_name = "FILE.lfreq")]
    offline: Option<PathBuf>,
}

/// The file, opened before anything is asked for: a return cannot be taken back because a disk was full.
pub(crate) struct Carrier {
    thing: &'static str,
    file: Option<(PathBuf, File)>,
}

impl ByHand {
    pub(crate) fn by_hand(&self) -> bool {
        self.offline.is_some()
    }

    pub(crate) fn open(&self, thing: &'static str) -> Result<Carrier, Failure> {
        let Some(path) = &self.offline else { return Ok(Carrier { thing, file: None }) };
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            let advice = "name a new file in a directory that you can write; nothing was done";
            Failure::new(thing, "bad_file", format!("{}: {error}", path.display()), advice)
        })?;
        Ok(Carrier { thing, file: Some((path.clone(), file)) })
    }
}

impl Carrier {
    pub(crate) fn kind(&self) -> Carriage {
        if self.file.is_some() { Carriage::File } else { Carriage::Online }
    }

    /// Leaves no empty file behind when the agent refused.
    pub(crate) fn abandon(self) {
        if let Some((path, _)) = self.file {
            std::fs::remove_file(path).ok();
        }
    }

    /// Writes the request of `reply`, if it is to be carried, and says where it went.
    pub(crate) fn keep(self, reply: &CommandReply) -> Result<Option<String>, Failure> {
        let Some((path, mut file)) = self.file else { return Ok(None) };
        let shown = path.display();
        // The request is in the agent's store, so another one that carries the same can always be had.
        let again = "nothing is lost: `landfast reclaim --offline FILE` writes a request that carries everything pending";
        let Some(request) = &reply.request else {
            std::fs::remove_file(&path).ok();
            return Err(Failure::new(
                self.thing,
                "agent_unexpected",
                "the agent gave no request to carry",
                again,
            ));
        };
        let written = file.write_all(request.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| Failure::new(self.thing, "bad_file", format!("{shown}: {error}"), again))?;
        Ok(Some(format!(
            "the request is in {shown}\nnext: carry it to the authority, then run `landfast import` with the response\n"
        )))
    }
}

/// Adds where the request went.
pub(crate) fn tell(report: Report, carried: Option<&str>) -> Report {
    Report { text: format!("{}{}", report.text, carried.unwrap_or_default()), ..report }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(request: Option<&str>) -> CommandReply {
        CommandReply { request: request.map(str::to_owned), ..CommandReply::default() }
    }

    #[test]
    fn a_request_is_kept_and_no_file_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lfreq");
        let options = ByHand { offline: Some(path.clone()) };
        let carrier = options.open("activate").unwrap();
        assert_eq!(carrier.kind(), Carriage::File);
        let told = carrier.keep(&reply(Some("ARMOR"))).unwrap().unwrap();
        assert!(told.contains("a.lfreq") && told.contains("landfast import"), "{told}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ARMOR");
        let failure = options.open("return").err().unwrap();
        assert_eq!((failure.code.as_str(), failure.exit as u8), ("bad_file", 4));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "ARMOR");
    }

    #[test]
    fn a_refusal_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lfreq");
        let options = ByHand { offline: Some(path.clone()) };
        options.open("activate").unwrap().abandon();
        assert!(!path.exists());
        assert_eq!(
            options.open("activate").unwrap().keep(&reply(None)).unwrap_err().code,
            "agent_unexpected"
        );
        assert!(!path.exists());
    }

    #[test]
    fn online_needs_no_file() {
        let carrier = ByHand { offline: None }.open("activate").unwrap();
        assert_eq!(carrier.kind(), Carriage::Online);
        assert_eq!(carrier.keep(&reply(None)), Ok(None));
    }
}
