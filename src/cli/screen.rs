//! The terminal, where there is one.

use std::io::{self, BufRead, IsTerminal, Write};

/// Where the answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Columns, where standard output is a terminal.
    pub width: Option<u16>,
    /// Words for states may be coloured.
    pub color: bool,
    /// Lines may be drawn with more than ASCII.
    pub utf8: bool,
    /// A person can be asked: standard input and standard error are terminals.
    pub person: bool,
}

/// Colours for words that name a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Green.
    Good,
    /// Yellow.
    Warning,
    /// Red.
    Bad,
}

impl Screen {
    /// No terminal: no colour, no limit.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// What this process has.
    #[must_use]
    pub fn detect() -> Self {
        let terminal = io::stdout().is_terminal();
        let columns = || rustix::termios::tcgetwinsize(io::stdout()).map(|size| size.ws_col).ok();
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        Self {
            // A serial line tells no size: then it is as an old terminal.
            width: terminal.then(|| columns().filter(|width| *width > 0).unwrap_or(80)),
            color: terminal && set("NO_COLOR").is_none() && !dumb,
            utf8: locale.contains("utf-8") || locale.contains("utf8"),
            person: io::stdin().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// A word in the colour of its mood, where colours are shown.
    #[must_use]
    pub fn paint(&self, mood: Mood, word: &str) -> String {
        let code = match mood {
            Mood::Good => 32,
            Mood::Warning => 33,
            Mood::Bad => 31,
        };
        if self.color { format!("\x1b[1;{code}m{word}\x1b[0m") } else { word.to_owned() }
    }

    /// Prints to standard output. A reader that went away, such as `head`, is no error.
    pub fn out(&self, text: &str) {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
    }

    /// Prints to standard error.
    pub fn err(&self, text: &str) {
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }

    /// Asks a person to type `yes`.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        self.err(question);
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }
}
