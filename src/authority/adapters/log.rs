//! Log lines on standard error, with the priorities that the journal reads.

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Stderr {
    /// Standard error leads into the journal, which reads `<N>` before a line as its priority.
    journal: bool,
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().starts_with("landfast");
        metadata.level() <= if own { Level::Info } else { Level::Warn }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let (priority, name) = match record.level() {
            Level::Error => (3, "error"),
            Level::Warn => (4, "warning"),
            Level::Info => (6, "info"),
            Level::Debug | Level::Trace => (7, "debug"),
        };
        if self.journal {
            eprintln!("<{priority}>{}", record.args());
        } else {
            eprintln!("{name}: {}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Sends log lines to standard error. Only the first call in a process counts.
pub fn log_to_stderr() {
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    if log::set_boxed_logger(Box::new(Stderr { journal })).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
