//! Where messages go: the journal under systemd, standard error elsewhere.

use log::{LevelFilter, Log, Metadata, Record};
use std::io::Write;

/// Takes all messages from here on, down to `level`.
pub fn start(level: LevelFilter) {
    // systemd says so when standard error is the journal already.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let installed = journal
        && systemd_journal_logger::JournalLog::new()
            .is_ok_and(|journal| journal.with_syslog_identifier("landfastd".to_owned()).install().is_ok());
    if !installed {
        // Another logger is there already only in tests.
        let _ = log::set_logger(&Text);
    }
    log::set_max_level(level);
}

/// One line a message, for a terminal.
struct Text;

impl Log for Text {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("landfast") || metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_lowercase();
            // Nobody is left to hear that a message could not be written.
            let _ = writeln!(std::io::stderr(), "landfastd: {level}: {}", record.args());
        }
    }

    fn flush(&self) {}
}
