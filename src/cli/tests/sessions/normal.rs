//! One form for what differs from run to run. Lengths stay, so that tables stay aligned.

/// Digits are `9`, hexadecimal digits `x`, everything else stands for itself. Longer ones first.
const SHAPES: [(&str, &str); 12] = [
    ("9999-99-99T99:99:99Z", "YYYY-MM-DDThh:mm:ssZ"),
    ("9999-99-99 99:99 UTC", "YYYY-MM-DD hh:mm UTC"),
    ("9999-99-99", "YYYY-MM-DD"),
    ("in 999 days", "in NNN days"),
    ("in 99 days", "in NN days"),
    ("99 minutes ago", "just now"),
    ("9 minutes ago", "just now"),
    ("9 minute ago", "just now"),
    ("in 99 s", "in NN s"),
    ("in 9 s", "in NN s"),
    ("9 attempts", "N attempt"),
    ("9 attempt", "N attempt"),
];
/// Digits of ids: short ones on screens, whole ones in JSON.
const IDS: [usize; 4] = [64, 32, 16, 8];

/// The form of `text`.
pub fn form(text: &str) -> String {
    let mut rest = text.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"VERSION\"");
    rest = rest.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let mut out = String::new();
    let mut rest = rest.as_str();
    while let Some(first) = rest.chars().next() {
        let inside = out.chars().last().is_some_and(char::is_alphanumeric);
        let found = if inside { None } else { shape(rest).or_else(|| id(rest)) };
        if let Some((length, form)) = found {
            out.push_str(&form);
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn shape(text: &str) -> Option<(usize, String)> {
    let fits = |shape: &str| {
        let same = |(c, s): (u8, u8)| if s == b'9' { c.is_ascii_digit() } else { c == s };
        text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(same) && ends(&text[shape.len()..])
    };
    SHAPES.iter().find(|(shape, _)| fits(shape)).map(|(shape, form)| (shape.len(), (*form).to_owned()))
}

fn id(text: &str) -> Option<(usize, String)> {
    let length = text.bytes().take_while(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(c)).count();
    (IDS.contains(&length) && ends(&text[length..])).then(|| (length, "x".repeat(length)))
}

fn ends(rest: &str) -> bool {
    !rest.chars().next().is_some_and(char::is_alphanumeric)
}

#[test]
fn what_differs_has_one_form() {
    assert_eq!(
        form("2026-11-22 05:35 UTC  in 29 days   license 3066d887 (just now), DIR/12345678.x 2026-11-22"),
        "YYYY-MM-DD hh:mm UTC  in NN days   license xxxxxxxx (just now), DIR/xxxxxxxx.x YYYY-MM-DD"
    );
    assert_eq!(form("(3 attempts) (1 attempt) 12 minutes ago"), "(N attempt) (N attempt) just now");
    assert_eq!(
        form("a3066d887 deadbeefs score 0.416 19260101x"),
        "a3066d887 deadbeefs score 0.416 19260101x"
    );
    assert_eq!(
        form("landfastd 0.1.0, \"2026-11-22T03:31:00Z\""),
        "landfastd VERSION, \"YYYY-MM-DDThh:mm:ssZ\""
    );
}
