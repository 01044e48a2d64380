//! Output as told against output as it is. `…` stands for anything, and some blanks are as good as others: columns are
//! as wide as what stands in them.

/// Whether the lines are as told.
pub fn matches(told: &[String], is: &[&str]) -> bool {
    match told.split_first() {
        None => is.is_empty(),
        Some((any, rest)) if any.trim() == "…" => {
            (0..=is.len()).any(|skipped| matches(rest, &is[skipped..]))
        }
        Some((line, rest)) => {
            is.split_first().is_some_and(|(first, others)| line_matches(line, first) && matches(rest, others))
        }
    }
}

fn line_matches(told: &str, is: &str) -> bool {
    let (told, is) = (blanks_made_one(told), blanks_made_one(is));
    let mut parts = told.split('…');
    let Some(mut rest) = parts.next().and_then(|start| is.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((end, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(end)
}

fn blanks_made_one(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_ellipsis_stands_for_anything() {
    let told = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let is = ["license  1234 is here ", "one", "two", "end"];
    for good in ["license … is here\none\ntwo\nend", "…\nend", "…", "l…1…2…\n…\ntwo\nend"] {
        assert!(matches(&told(good), &is), "{good}");
    }
    for bad in ["license … is\n…", "…\ntwo", "license … is here\none\nend", "…one\n…", ""] {
        assert!(!matches(&told(bad), &is), "{bad}");
    }
}
