//! Where log lines go: to the journal under systemd, otherwise to standard error. They never hold secrets, raw
//! serial numbers or activation ids: types that hold such values print dots.

use log::{LevelFilter, Log, Metadata, Record};
use std::io::Write;
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Sets up logging; called once.
pub fn start(level: LevelFilter) {
    log::set_max_level(level);
    if connected_to_journal()
        && let Ok(journal) = JournalLog::new().map(|log| log.with_syslog_identifier("landfastd".to_owned()))
        && log::set_boxed_logger(Box::new(Ours(journal))).is_ok()
    {
        return;
    }
    // A second logger is refused, which in tests of several agents in one process is as it should be.
    let _ = log::set_boxed_logger(Box::new(Ours(Terminal)));
}

/// Everything of ours at the level that was asked for, and of the libraries below only what is wrong.
struct Ours<L>(L);

impl<L: Log> Log for Ours<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("landfast") || metadata.level() <= LevelFilter::Warn
    }
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }
    fn flush(&self) {
        self.0.flush();
    }
}

/// One line on standard error.
struct Terminal;

impl Log for Terminal {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        let level = record.level().as_str().to_lowercase();
        // Nobody is left to hear that a message could not be written.
        let _ = writeln!(std::io::stderr(), "landfastd: {level}: {}", record.args());
    }
    fn flush(&self) {}
}
