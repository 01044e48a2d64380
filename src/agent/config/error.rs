//! What can be wrong with the configuration. Every message names the file, the key, the reason and the next step.

use std::io;
use std::path::PathBuf;

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The operating system does not let it be read.
    #[error("{}: cannot be read: {source}; create it, or make it readable for the agent", file.display())]
    Unreadable {
        /// Which file or directory.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Someone who must not could have written it.
    #[error("{}: {reason}; {advice}", file.display())]
    Untrusted {
        /// Which file or directory.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// How to mend it.
        advice: String,
    },
    /// Not TOML.
    #[error("{}: line {line}: {reason}; correct the line", file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Where in it, counted from one.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A key that means nothing here, so a setting that would silently be missing.
    #[error("{}: {key}: there is no such key; {advice}", file.display())]
    UnknownKey {
        /// Which file.
        file: PathBuf,
        /// Which key, with its section.
        key: String,
        /// The nearest key that there is.
        advice: String,
    },
    /// A value that cannot be used.
    #[error("{}: {key}: {reason}; {advice}", file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Which key, with its section.
        key: String,
        /// What is wrong with its value.
        reason: String,
        /// What to write instead.
        advice: String,
    },
}
