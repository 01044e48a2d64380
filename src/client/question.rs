//! What an application asks, and how it is written into a request line.

use crate::error::Error;

/// A question to [`crate::Agent::check`].
///
/// ```
/// use landfast_client::Question;
/// let question = Question::of("analytics").quantity(4).version("2.5").issuer("acme");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    feature: String,
    quantity: Option<u32>,
    version: Option<String>,
    issuer: Option<String>,
}

impl Question {
    /// May one of this feature be used, in any version, by the license of any issuer?
    #[must_use]
    pub fn of(feature: impl Into<String>) -> Self {
        Self { feature: feature.into(), quantity: None, version: None, issuer: None }
    }

    /// May so much of it be used?
    #[must_use]
    pub fn quantity(self, quantity: u32) -> Self {
        Self { quantity: Some(quantity), ..self }
    }

    /// May it be used in this version, up to four numbers with dots?
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// Only licenses of this issuer count, by its configured name.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// As the D-Bus method takes it: 0 and empty texts stand for what was not said.
    #[cfg(feature = "dbus")]
    pub(crate) fn parts(&self) -> (&str, u32, &str, &str) {
        let version = self.version.as_deref().unwrap_or_default();
        (&self.feature, self.quantity.unwrap_or(0), version, self.issuer.as_deref().unwrap_or_default())
    }

    pub(crate) fn target(&self) -> Result<String, Error> {
        if self.feature.is_empty() {
            return Err(Error::Question("the feature has no name".to_owned()));
        }
        let mut path = "/v1/entitlements/".to_owned();
        escape(&self.feature, &mut path);
        let quantity = self.quantity.map(|quantity| quantity.to_string());
        let query = [
            ("quantity", quantity.as_deref()),
            ("version", self.version.as_deref()),
            ("issuer", self.issuer.as_deref()),
        ];
        Ok(target(&path, &query))
    }
}

/// `path` with those parameters that have a value.
pub(crate) fn target(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut target = path.to_owned();
    let given = query.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    for (at, (name, value)) in given.enumerate() {
        target.push(if at == 0 { '?' } else { '&' });
        target.push_str(name);
        target.push('=');
        escape(value, &mut target);
    }
    target
}

/// Everything but the characters that RFC 3986 leaves unreserved.
fn escape(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            to.push('%');
            for digit in [byte >> 4, byte & 15] {
                to.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_request_line() {
        assert_eq!(Question::of("analytics").target().unwrap(), "/v1/entitlements/analytics");
        let all = Question::of("a/b ?ü&%").quantity(4).version("2.5").issuer("a&b").target().unwrap();
        assert_eq!(all, "/v1/entitlements/a%2Fb%20%3F%C3%BC%26%25?quantity=4&version=2.5&issuer=a%26b");
        // An agent would read dots as what they are: the name of a feature, never a way up.
        assert_eq!(Question::of("..").target().unwrap(), "/v1/entitlements/..");
    }

    #[test]
    fn a_nameless_feature_would_ask_for_the_list() {
        assert_eq!(Question::of("").target().unwrap_err().code(), "bad_question");
    }
}
