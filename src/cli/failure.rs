//! A command that failed: what, why, and the next step.

use crate::exit::Exit;
use crate::screen::Screen;
use crate::text::clean;
use landfast_client::Error;
use serde::Serialize;

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed: the command, or a part of it.
    pub thing: String,
    /// The stable code.
    pub code: String,
    /// The reason in a sentence.
    pub message: String,
    /// The next step.
    pub advice: String,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// A failure with one of the codes of the table in `exit.rs`.
    pub fn new(thing: &str, code: &str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            thing: thing.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            advice: advice.into(),
            exit: Exit::of_code(code).unwrap_or(Exit::Denied),
        }
    }

    /// What the client reported while `thing` was done.
    #[must_use]
    pub fn of(thing: &str, error: &Error) -> Self {
        let mut failure = Self::new(thing, error.code(), error.to_string(), error.advice());
        if let Error::Problem(problem) = error {
            failure.exit = Exit::of_code(&problem.code).unwrap_or_else(|| Exit::of_status(problem.status));
            if failure.message.is_empty() {
                failure.message.clone_from(&problem.title);
            }
        }
        // The agent speaks to every caller; what it asks for has a name here.
        match failure.code.as_str() {
            "issuer_needed" => "add --issuer NAME".clone_into(&mut failure.advice),
            "bad_input" => "see `landfast help` with the name of the command".clone_into(&mut failure.advice),
            _ => {}
        }
        failure
    }

    /// For people: two lines. The code is there to be looked up.
    #[must_use]
    pub fn text(&self) -> String {
        let (thing, message, code) = (clean(&self.thing), clean(&self.message), clean(&self.code));
        let head = format!("landfast: {thing}: {message} [{code}]\n");
        if self.advice.is_empty() { head } else { format!("{head}next: {}\n", clean(&self.advice)) }
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> String {
        let Self { code, message, advice, .. } = self;
        // Texts always encode.
        serde_json::to_string(&Wrapped { error: Told { code, message, advice } }).unwrap_or_default()
    }

    /// For people on standard error, for programs on standard output.
    pub fn print(&self, json: bool, screen: &Screen) -> Exit {
        if json {
            screen.out(&format!("{}\n", self.json()))
        } else {
            screen.err(&self.text())
        }
        self.exit
    }
}

/// `{"error":{"code","message","advice"}}`
#[derive(Serialize)]
struct Wrapped<'a> {
    error: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: &'a str,
    message: &'a str,
    advice: &'a str,
}
