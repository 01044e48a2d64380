//! One table of a file, taken apart key by key.

use super::error::ConfigError;
use super::nearest::nearest;
use super::trusted::TrustedFile;
use std::path::Path;
use toml::{Table, Value};

/// A table whose keys are all known.
pub(super) struct Keys<'a> {
    file: &'a Path,
    section: &'static str,
    table: Table,
}

impl<'a> Keys<'a> {
    /// The whole of a file.
    pub fn of(file: &'a TrustedFile, known: &[&'static str]) -> Result<Self, ConfigError> {
        let table = file.text.parse::<Table>().map_err(|error| ConfigError::Syntax {
            file: file.path.clone(),
            line: 1 + file.text[..error.span().map_or(0, |span| span.start)].matches('\n').count(),
            reason: error.message().to_owned(),
        })?;
        Self::new(&file.path, "", table, known)
    }

    fn new(
        file: &'a Path,
        section: &'static str,
        table: Table,
        known: &[&'static str],
    ) -> Result<Self, ConfigError> {
        let keys = Self { file, section, table };
        match keys.table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(keys),
            Some(unknown) => Err(ConfigError::UnknownKey {
                file: file.to_owned(),
                key: keys.path(unknown),
                advice: match nearest(unknown, known) {
                    Some(near) => format!("did you mean `{}`?", keys.path(near)),
                    None => format!("remove it; known here are {}", known.join(", ")),
                },
            }),
        }
    }

    /// A table within this one; empty when it is not there.
    pub fn section(&mut self, name: &'static str, known: &[&'static str]) -> Result<Keys<'a>, ConfigError> {
        let table = match self.table.remove(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => return Err(self.mistyped(name, "a section", &other)),
        };
        Keys::new(self.file, name, table, known)
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(key, "a text in quotes", &other)),
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str) -> Result<Option<i64>, ConfigError> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(other) => Err(self.mistyped(key, "a whole number", &other)),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let expected = "a list of texts in quotes";
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    other => Err(self.mistyped(key, expected, &other)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(other) => Err(self.mistyped(key, expected, &other)),
        }
    }

    /// What to say of a value that cannot be used.
    pub fn refuse(&self, key: &str, reason: impl Into<String>, advice: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: self.path(key),
            reason: reason.into(),
            advice: advice.into(),
        }
    }

    fn mistyped(&self, key: &str, expected: &str, found: &Value) -> ConfigError {
        let kind = found.type_str();
        let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        self.refuse(key, format!("it is {article} {kind}"), format!("write {expected}"))
    }

    fn path(&self, key: &str) -> String {
        if self.section.is_empty() { key.to_owned() } else { format!("{}.{key}", self.section) }
    }
}
