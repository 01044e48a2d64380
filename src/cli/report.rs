//! What a command answers: for people, for programs, and for shells.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;
use serde::Serialize;

/// The answer of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For people, on standard output.
    pub text: String,
    /// What people should know besides, on standard error.
    pub notes: Vec<Failure>,
    /// For programs: the agent's own shape.
    pub json: String,
    /// How the command ends.
    pub exit: Exit,
}

impl Report {
    /// An answer without anything special.
    pub fn new(text: impl Into<String>, data: &impl Serialize) -> Self {
        // Shapes of texts and numbers always encode.
        let json = serde_json::to_string(data).unwrap_or_default();
        Self { text: text.into(), notes: Vec::new(), json, exit: Exit::Done }
    }

    /// Ends with this.
    #[must_use]
    pub fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Prints it in the form that was asked for.
    pub fn print(&self, json: bool, screen: &Screen) -> Exit {
        if json {
            screen.out(&format!("{}\n", self.json));
            return self.exit;
        }
        screen.out(&self.text);
        for note in &self.notes {
            screen.err(&note.text());
        }
        self.exit
    }
}
