//! Values whose size is limited by their type, so that no message can be larger than it may be.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// A value was longer than its type allows, or a text held a character that is not for showing.
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
    /// Texts are shown on terminals and pages, so they carry no control characters and nothing that makes a
    /// line end or run backwards.
    #[error("it holds the control character U+{0:04X}")]
    Control(u32),
}

fn within(length: usize, limit: usize) -> Result<(), BoundError> {
    if length > limit { Err(BoundError::TooLong { length, limit }) } else { Ok(()) }
}

/// Control characters, line and paragraph separators, and the embeddings, overrides and isolates that turn the
/// direction of writing. The marks that ordinary right-to-left text needs are none of these.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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
        match text.chars().find(|c| is_control(*c)) {
            Some(c) => Err(BoundError::Control(c as u32)),
            None => Ok(Self(text)),
        }
    }

    /// As much of `text` as fits, control characters replaced: for texts that only inform.
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let mut kept = String::new();
        for c in text.chars() {
            let c = if is_control(c) { ' ' } else { c };
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
        Self::new(String::deserialize(from)?).map_err(D::Error::custom)
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
        from.deserialize_seq(Entries::<T, MAX>(PhantomData)).map(Self)
    }
}

/// Reads entries and stops at the first one too many, so that a false length costs its sender more than the
/// reader.
struct Entries<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Entries<T, MAX> {
    type Value = Vec<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} entries")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let announced = seq.size_hint().unwrap_or(0);
        within(announced, MAX).map_err(A::Error::custom)?;
        let mut entries = Vec::with_capacity(announced);
        while let Some(entry) = seq.next_element()? {
            within(entries.len() + 1, MAX).map_err(A::Error::custom)?;
            entries.push(entry);
        }
        Ok(entries)
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
            to.serialize_bytes(&self.0)
        }
    }
}
impl<'de, const MAX: usize> Deserialize<'de> for Blob<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = String::deserialize(from)?;
            let bytes = crate::ids::unhex(&text).ok_or_else(|| D::Error::custom("not hexadecimal digits"))?;
            return Self::new(bytes).map_err(D::Error::custom);
        }
        from.deserialize_bytes(Carried::<MAX>)
    }
}

/// Looks at the length before it copies.
struct Carried<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for Carried<MAX> {
    type Value = Blob<MAX>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} bytes")
    }
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob<MAX>, E> {
        within(bytes.len(), MAX).map_err(E::custom)?;
        Ok(Blob(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_carry_nothing_that_disturbs_a_screen() {
        for c in ['\0', '\n', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            assert_eq!(Text::<8>::new(format!("a{c}")), Err(BoundError::Control(c as u32)));
            assert_eq!(&*Text::<8>::lossy(&format!("a{c}b")), "a b");
        }
        for text in ["Straße", "كامي\u{200c}را", "\u{200f}שלום", "2.5 µm"] {
            assert_eq!(&*Text::<64>::new(text).unwrap(), text);
        }
    }

    #[test]
    fn a_text_is_measured_in_bytes_and_cut_between_characters() {
        assert!(Text::<4>::new("ääx").is_err());
        assert_eq!(&*Text::<4>::new("ää").unwrap(), "ää");
        assert_eq!(&*Text::<4>::lossy("aäää"), "aä");
        assert_eq!(&*Text::<0>::lossy("a"), "");
    }

    #[test]
    fn a_list_refuses_a_false_length_before_it_reads() {
        // A length of 2^63 with nothing behind it, and one entry too many.
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(postcard::from_bytes::<List<u8, 4>>(&huge).is_err());
        assert!(postcard::from_bytes::<List<u8, 4>>(&[5, 1, 2, 3, 4, 5]).is_err());
        assert_eq!(&*postcard::from_bytes::<List<u8, 4>>(&[4, 1, 2, 3, 4]).unwrap(), [1, 2, 3, 4]);
        assert!(serde_json::from_str::<List<u8, 4>>("[1,2,3,4,5]").is_err());
        // A reader that believed this length would ask for all memory there is.
        let endless = std::iter::repeat_n(0u8, usize::MAX);
        let endless = serde::de::value::SeqDeserializer::<_, serde::de::value::Error>::new(endless);
        assert!(List::<u8, 4>::deserialize(endless).is_err());
        assert_eq!(List::<u8, 1>::new(vec![1, 2]), Err(BoundError::TooLong { length: 2, limit: 1 }));
    }

    #[test]
    fn a_blob_is_its_length_and_its_bytes() {
        let blob = Blob::<4>::new(vec![0xca, 0xfe]).unwrap();
        assert_eq!(postcard::to_stdvec(&blob).unwrap(), [2, 0xca, 0xfe]);
        assert_eq!(postcard::from_bytes::<Blob<4>>(&[2, 0xca, 0xfe]).unwrap(), blob);
        assert!(postcard::from_bytes::<Blob<4>>(&[5, 1, 2, 3, 4, 5]).is_err());
        assert!(postcard::from_bytes::<Blob<4>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
        assert_eq!(serde_json::to_string(&blob).unwrap(), "\"cafe\"");
        assert_eq!(serde_json::from_str::<Blob<4>>("\"CAfe\"").unwrap(), blob);
        assert!(serde_json::from_str::<Blob<4>>("\"cafe0\"").is_err());
        assert!(serde_json::from_str::<Blob<1>>("\"cafe\"").is_err());
    }
}
