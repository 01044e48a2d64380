//! Timestamps as people and JSON write them: `2026-11-22T03:31:00Z`.

use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A timestamp that is an RFC 3339 text in UTC with whole seconds, in JSON and on screens. Years end with 9999, as
/// they do in RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rfc3339(pub Timestamp);

/// Why a text is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written like 2026-11-22T03:31:00Z, a day like 2026-11-22")]
pub struct NotATime;

const DAY: u64 = 86_400;
/// 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;
/// Days of 400 years, 100 years that begin no such cycle, 4 years, 1 year.
const CYCLE: u64 = 146_097;
const CENTURY: u64 = 36_524;
const LEAP: u64 = 1_461;
const YEAR: u64 = 365;
/// Days from 0000-03-01 to 1970-01-01. Years that begin in March have their leap day at the end.
const EPOCH: u64 = 719_468;
/// Days of a year that begins in March, before each month.
const BEFORE: [u64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];

impl Rfc3339 {
    /// The 20 ASCII characters, without an allocation.
    #[must_use]
    pub fn ascii(self) -> [u8; 20] {
        let seconds = self.0.0.min(LAST);
        let (year, month, day) = civil(seconds / DAY);
        let time = seconds % DAY;
        let mut text = *b"0000-00-00T00:00:00Z";
        for (at, value) in [
            (2, year % 100),
            (0, year / 100),
            (5, month),
            (8, day),
            (11, time / 3600),
            (14, time / 60 % 60),
            (17, time % 60),
        ] {
            // Each value is below 100, so both digits are ASCII.
            text[at] += (value / 10) as u8;
            text[at + 1] += (value % 10) as u8;
        }
        text
    }
}

/// Year, month and day of the Gregorian calendar, from days since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (cycles, rest) = (days / CYCLE, days % CYCLE);
    // The last century of a cycle and the last year of four have a day more.
    let centuries = (rest / CENTURY).min(3);
    let rest = rest - centuries * CENTURY;
    let (leaps, rest) = (rest / LEAP, rest % LEAP);
    let years = (rest / YEAR).min(3);
    let rest = rest - years * YEAR;
    let march_year = cycles * 400 + centuries * 100 + leaps * 4 + years;
    let month = BEFORE.iter().rposition(|before| *before <= rest).unwrap_or(0);
    let day = rest - BEFORE[month] + 1;
    let month = month as u64;
    if month < 10 { (march_year, month + 3, day) } else { (march_year + 1, month - 9, day) }
}

/// Days since 1970 of a day of the Gregorian calendar; none where there is no such day, or it lies before 1970.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year == 0 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (march_year, at) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = march_year * YEAR + march_year / 4 - march_year / 100 + march_year / 400;
    let days = (before + BEFORE[usize::try_from(at).ok()?] + day - 1).checked_sub(EPOCH)?;
    (civil(days) == (year, month, day)).then_some(days)
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ascii().iter().try_for_each(|c| fmt::Write::write_char(f, char::from(*c)))
    }
}

impl FromStr for Rfc3339 {
    type Err = NotATime;
    /// Also takes lower case, a space for the `T`, a fraction (left out), an offset from UTC, and a day alone, which
    /// stands for its first second.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        parse(text.as_bytes()).map(|seconds| Self(Timestamp(seconds))).ok_or(NotATime)
    }
}

fn parse(text: &[u8]) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month, day) = match date {
        [y @ .., b'-', m1, m2, b'-', d1, d2] => (number(y)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?),
        _ => return None,
    };
    let midnight = days(year, month, day)? * DAY;
    let Some((separator, rest)) = rest.split_first() else { return Some(midnight) };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (time, rest) = rest.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time else { return None };
    let (hour, minute) = clock(&[*h1, *h2], &[*m1, *m2])?;
    let second = number(&[*s1, *s2]).filter(|second| *second <= 60)?;
    let local = midnight + hour * 3600 + minute * 60 + second;
    match without_fraction(rest)? {
        b"Z" | b"z" => Some(local),
        [sign, h1, h2, b':', m1, m2] => {
            let (hours, minutes) = clock(&[*h1, *h2], &[*m1, *m2])?;
            let offset = hours * 3600 + minutes * 60;
            match sign {
                b'+' => local.checked_sub(offset),
                b'-' => Some(local + offset),
                _ => None,
            }
        }
        _ => None,
    }
}

fn clock(hours: &[u8], minutes: &[u8]) -> Option<(u64, u64)> {
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some((hours, minutes))
}

fn without_fraction(rest: &[u8]) -> Option<&[u8]> {
    let [b'.', digits @ ..] = rest else { return Some(rest) };
    let end = digits.iter().position(|c| !c.is_ascii_digit())?;
    (end > 0).then(|| &digits[end..])
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, c| c.is_ascii_digit().then(|| sum * 10 + u64::from(c - b'0')))
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> Option<u64> {
        text.parse::<Rfc3339>().ok().map(|time| time.0.0)
    }

    #[test]
    fn known_instants() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Rfc3339(Timestamp(at)).to_string(), text);
            assert_eq!(seconds(text), Some(at));
        }
        assert_eq!(Rfc3339(Timestamp(u64::MAX)).to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn other_spellings_of_the_same_instant() {
        let at = seconds("2026-11-22T03:31:00Z");
        assert!(at.is_some());
        for text in [
            "2026-11-22t03:31:00z",
            "2026-11-22 03:31:00Z",
            "2026-11-22T03:31:00.999Z",
            "2026-11-22T05:31:00+02:00",
            "2026-11-21T22:01:00-05:30",
        ] {
            assert_eq!(seconds(text), at, "{text}");
        }
        assert_eq!(seconds("2026-11-22"), seconds("2026-11-22T00:00:00Z"));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "now",
            "2026-13-01",
            "2026-02-29",
            "2100-02-29",
            "2026-00-10",
            "2026-01-00",
            "1969-12-31",
            "2026-1-1",
            "2026-11-22T",
            "2026-11-22T03:31",
            "2026-11-22T24:00:00Z",
            "2026-11-22T03:31:00",
            "2026-11-22T03:31:00.Z",
            "2026-11-22T03:31:00+2",
            "2026-11-22T03:31:61Z",
            "+026-11-22",
            "2026-11-22Tä3:31:00Z",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_survives(at in 0..=LAST) {
            let time = Rfc3339(Timestamp(at));
            prop_assert_eq!(time.to_string().parse(), Ok(time));
            prop_assert_eq!(std::str::from_utf8(&time.ascii()).map(str::to_owned), Ok(time.to_string()));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<Rfc3339>();
        }
    }
}
