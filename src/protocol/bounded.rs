//! Values whose size is limited by their type, so that no message can be larger than it may be.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// A value was longer than its type allows, or a text held a control character.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundError {
    /// Length and limit, in bytes for texts and blobs, in entries for lists.
    #[error("{length} is more than the {limit} allowed")]
    TooLong {
        /// What was given.
        length: usize,
        /// What fits.
        limit: usize,
    },
    /// Texts are shown on terminals and pages, so they carry no control characters.
    #[error("it holds the control character U+{0:04X}")]
    Control(u32),
}

fn within(length: usize, limit: usize) -> Result<(), BoundError> {
    if length > limit { Err(BoundError::TooLong { length, limit }) } else { Ok(()) }
}

/// UTF-8 text of at most `MAX` bytes without control characters.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks length and characters.
    pub fn new(text: impl Into<String>) -> Result<Self, BoundError> {
        let text = text.into();
        within(text.len(), MAX)?;
        match text.chars().find(|c| c.is_control()) {
            Some(c) => Err(BoundError::Control(c as u32)),
            None => Ok(Self(text)),
        }
    }

    /// As much of `text` as fits, control characters replaced: for texts that only inform.
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let mut kept = String::new();
        for c in text.chars() {
            let c = if c.is_control() { ' ' } else { c };
            if kept.len() + c.len_utf8() > MAX {
                break;
            }
            kept.push(c);
        }
        Self(kept)
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// A list of at most `MAX` entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// Checks the number of entries.
    pub fn new(entries: Vec<T>) -> Result<Self, BoundError> {
        within(entries.len(), MAX)?;
        Ok(Self(entries))
    }

    /// The entries.
    #[must_use]
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}
impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}
impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Bytes that are carried without being looked into, at most `MAX`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Blob<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Blob<MAX> {
    /// Checks the length.
    pub fn new(bytes: Vec<u8>) -> Result<Self, BoundError> {
        within(bytes.len(), MAX)?;
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn into_inner(self) -> Vec<u8> {
        self.0
    }
}
impl<const MAX: usize> Deref for Blob<MAX> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}
impl<const MAX: usize> fmt::Debug for Blob<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}
impl<const MAX: usize> Serialize for Blob<MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(&crate::ids::hex(&self.0))
        } else {
            self.0.serialize(to)
        }
    }
}
impl<'de, const MAX: usize> Deserialize<'de> for Blob<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = String::deserialize(from)?;
            let bytes =
                crate::ids::unhex(&text).ok_or_else(|| serde::de::Error::custom("not hexadecimal digits"))?;
            return Self::new(bytes).map_err(serde::de::Error::custom);
        }
        Self::new(Vec::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
