//! What a caller sends: the parts of the path, the query, the body. Everything is bounded, and nothing is guessed: a
//! parameter that is unknown or given twice is refused, because a misspelt `quantity` would check for one unit.

use crate::front::Fault;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{EXPECT, HeaderMap};
use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

/// So much of a body that is too large is still read, so that its sender comes to read the refusal.
const SWALLOWED: usize = 4 * 1024 * 1024;

/// The parts of a request's target that a route did not fix.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// What stands for `{feature}`, still encoded.
    pub tail: &'a str,
    /// Behind the question mark.
    pub query: &'a str,
}

impl<'a> Target<'a> {
    /// Values of the parameters `names`, decoded, in the same order.
    pub fn parameters<const N: usize>(self, names: [&str; N]) -> Result<[Option<Cow<'a, str>>; N], Fault> {
        let mut values = [const { None }; N];
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(at) = names.iter().position(|known| *known == name) else {
                let known = if N == 0 { "none".to_owned() } else { names.join(", ") };
                return Err(Fault::BadInput(format!("a parameter is unknown; this path takes: {known}")));
            };
            if values[at].replace(decode(value)?).is_some() {
                return Err(Fault::BadInput(format!("`{}` is given twice", names[at])));
            }
        }
        Ok(values)
    }
}

impl<'a> Target<'a> {
    /// Every value of the one parameter that this path takes, decoded; at most `most` of them.
    pub fn repeated(self, name: &str, most: usize) -> Result<Vec<Cow<'a, str>>, Fault> {
        let mut values = Vec::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((known, value)) if known == name => values.push(decode(value)?),
                _ => return Err(Fault::BadInput(format!("a parameter is unknown; this path takes: {name}"))),
            }
            if values.len() > most {
                return Err(Fault::BadInput(format!("`{name}` is given more than {most} times")));
            }
        }
        Ok(values)
    }
}

/// Undoes percent-encoding. A plus sign stays one, as RFC 3986 has it.
pub fn decode(text: &str) -> Result<Cow<'_, str>, Fault> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let wrong = || Fault::BadInput("the path or query has a wrong percent-encoding".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let ([high, low], tail) = rest.split_first_chunk::<2>().ok_or_else(wrong)?;
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = (digit(*high).ok_or_else(wrong)?, digit(*low).ok_or_else(wrong)?);
        bytes.push(high << 4 | low);
        rest = tail;
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| wrong())
}

/// A whole number.
pub fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| Fault::BadInput(format!("`{name}` is not a whole number in its range")))
}

/// The whole body, if it is not larger than `limit` and arrives within `patience`.
pub async fn body(
    headers: &HeaderMap,
    mut incoming: Incoming,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Fault> {
    let announced = incoming.size_hint().lower();
    let too_large = Fault::TooLarge { limit };
    if announced > limit as u64 && headers.contains_key(EXPECT) {
        // It waits for leave to send, and is not given it.
        return Err(too_large);
    }
    let late = Fault::TimedOut { seconds: patience.as_secs() };
    let reading = async {
        let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or(0).min(limit));
        let mut seen = 0;
        while let Some(frame) = frame(&mut incoming).await {
            let data = frame?;
            seen += data.len();
            if seen <= limit {
                bytes.extend_from_slice(&data);
            } else if seen > limit.saturating_add(SWALLOWED) {
                return Err(too_large);
            }
        }
        if seen > limit { Err(too_large) } else { Ok(Bytes::from(bytes)) }
    };
    tokio::time::timeout(patience, reading).await.map_err(|_| late)?
}

/// Reads on, within bounds, so that the sender of a refused body comes to read why.
pub async fn swallow(mut incoming: Incoming, patience: Duration) {
    let reading = async {
        let mut seen = 0;
        while let Some(Ok(data)) = frame(&mut incoming).await {
            seen += data.len();
            if seen > SWALLOWED {
                break;
            }
        }
    };
    // Whether it came to an end makes no difference.
    let _ = tokio::time::timeout(patience, reading).await;
}

async fn frame(incoming: &mut Incoming) -> Option<Result<Bytes, Fault>> {
    let frame = std::future::poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx)).await?;
    let cut_off = |_| Fault::BadInput("the body broke off".to_owned());
    // Trailers say nothing to this interface.
    Some(frame.map_err(cut_off).map(|frame| frame.into_data().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_strict() {
        let target = |query| Target { tail: "", query };
        let names = ["quantity", "version"];
        assert_eq!(target("").parameters(names), Ok([None, None]));
        let both = target("version=2%2e5&quantity=3&").parameters(names).unwrap();
        assert_eq!(both.each_ref().map(Option::as_deref), [Some("3"), Some("2.5")]);
        for query in ["quantiy=3", "quantity=1&quantity=2", "version=%2", "version=%zz", "version=%ff"] {
            assert!(target(query).parameters(names).is_err(), "{query}");
        }
        assert_eq!(decode("a+b").unwrap(), "a+b");
    }
}
