//! Words, numbers and times as people read them.

use landfast_client::api::Rfc3339;

/// Text from elsewhere, without what could control a terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `1 license`, `2 licenses`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `1 attempt`.
pub(crate) fn attempts(number: u32) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "attempt")
}

/// `2026-11-22 03:31 UTC`.
pub(crate) fn time(at: Rfc3339) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => text,
    }
}

/// `2026-11-22`, for what ends on a day.
pub(crate) fn day(at: Rfc3339) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

/// `in 12 days`, `3 hours ago`, in the largest unit of which there are at least two.
pub(crate) fn distance(at: Rfc3339, now: Rfc3339) -> String {
    let (seconds, past) = if at > now { (at.0.since(now.0), false) } else { (now.0.since(at.0), true) };
    let seconds = seconds.0;
    if seconds < 60 {
        return if past { "just now".to_owned() } else { "within a minute".to_owned() };
    }
    let span = span(seconds);
    if past { format!("{span} ago") } else { format!("in {span}") }
}

/// `12 days`, `3 hours`, in the largest unit of which there are at least two.
pub(crate) fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        172_800.. => (seconds / 86_400, "day"),
        7_200.. => (seconds / 3_600, "hour"),
        60.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}

/// `7d`, `12h`, `30m` in seconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return None,
    })
}

/// A number of thousandths: `0.750`.
pub(crate) fn thousandths(value: u32) -> String {
    format!("{}.{:03}", value / 1000, value % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfast_client::Timestamp;

    #[test]
    fn times_as_people_say_them() {
        let now = Rfc3339(Timestamp(1_795_318_260));
        let later = |seconds: u64| Rfc3339(Timestamp(now.0.0 + seconds));
        assert_eq!(time(now), "2026-11-22 03:31 UTC");
        assert_eq!(distance(later(12 * 86_400 + 5), now), "in 12 days");
        assert_eq!(distance(later(47 * 3_600), now), "in 47 hours");
        assert_eq!(distance(now, now), "just now");
        assert_eq!(distance(later(59), now), "within a minute");
        assert_eq!(distance(later(60), now), "in 1 minute");
        assert_eq!(distance(now, later(119 * 60)), "119 minutes ago");
        assert_eq!(distance(now, later(3 * 86_400)), "3 days ago");
    }

    #[test]
    fn nothing_from_elsewhere_controls_the_terminal() {
        assert_eq!(clean("a\x1b[2J\nb\u{9b}c"), "a [2J b c");
    }

    #[test]
    fn spans() {
        assert_eq!(seconds("7d"), Some(7 * 86_400));
        assert_eq!(seconds("12h"), Some(12 * 3_600));
        assert_eq!(seconds("30m"), Some(1_800));
        for wrong in ["", "d", "7", "7w", "-1d", "7dd", "99999999999999999d", "2026-11-22", "ä"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn scores() {
        assert_eq!(thousandths(1000), "1.000");
        assert_eq!(thousandths(66), "0.066");
    }
}
