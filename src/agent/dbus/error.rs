//! Faults as D-Bus errors: `io.landfast.Error.<Code>`, with one text: the sentence and the next step. More arguments
//! would be lost on callers who use GLib.

use crate::front::Fault;
use zbus::message::Header;
use zbus::names::ErrorName;
use zbus::{DBusError, Message};

/// A fault on its way to a D-Bus caller.
#[derive(Debug)]
pub struct Trouble {
    name: String,
    text: String,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { name: error_name(fault.code()), text: format!("{fault}; next: {}", fault.advice()) }
    }
}

/// `not_permitted` becomes `io.landfast.Error.NotPermitted`.
fn error_name(code: &str) -> String {
    let mut name = "io.landfast.Error.".to_owned();
    for word in code.split('_') {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

impl DBusError for Trouble {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name.as_str()).build(&self.text)
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::try_from(self.name.as_str())
            .unwrap_or_else(|_| ErrorName::from_static_str_unchecked("io.landfast.Error.Unknown"))
    }

    fn description(&self) -> Option<&str> {
        Some(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_names() {
        for (code, name) in [("busy", "Busy"), ("not_permitted", "NotPermitted"), ("a_b_c", "ABC")] {
            let name = format!("io.landfast.Error.{name}");
            assert_eq!(error_name(code), name);
            assert!(ErrorName::try_from(name).is_ok());
        }
    }
}
