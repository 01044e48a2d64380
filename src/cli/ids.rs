//! Activation ids as an administrator gives them. They are secrets: messages name them by their position.

use crate::failure::Failure;
use landfast_client::{ActivationId, IssuerId, LicenseId};
use std::io::{self, Read};

/// Far more than the ids that one request can carry.
const MAX_INPUT: u64 = 256 << 10;

/// The arguments, with `-` replaced by the words on standard input.
pub(crate) fn gather(thing: &str, arguments: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for argument in arguments {
        if argument == "-" {
            let mut input = String::new();
            io::stdin().lock().take(MAX_INPUT).read_to_string(&mut input).map_err(|error| {
                Failure::new(
                    thing,
                    "bad_file",
                    format!("standard input: {error}"),
                    "give ids, one on each line",
                )
            })?;
            ids.extend(input.split_whitespace().map(str::to_owned));
        } else {
            ids.push(argument.trim().to_owned());
        }
    }
    if ids.is_empty() {
        let advice = "give at least one activation id, as an argument or on standard input";
        return Err(Failure::new(thing, "bad_id", "no activation id was given", advice));
    }
    Ok(ids)
}

/// Activation ids only: what is none is named by its position, as is the second of two that are the same.
pub(crate) fn activation(thing: &str, ids: &[String]) -> Result<Vec<ActivationId>, Failure> {
    let mut parsed: Vec<ActivationId> = Vec::new();
    for (at, text) in ids.iter().enumerate() {
        let place = place(at, ids.len());
        let id = text.parse::<ActivationId>().map_err(|error| {
            let advice = format!("compare {place} with the vendor's letter");
            Failure::new(thing, "bad_id", format!("{place}: {error}"), advice)
        })?;
        if let Some(first) = parsed.iter().position(|other| *other == id) {
            let message = format!("activation ids {} and {} are the same", first + 1, at + 1);
            return Err(Failure::new(thing, "bad_id", message, "name each license once"));
        }
        parsed.push(id);
    }
    Ok(parsed)
}

/// Which of the given ids is the one of this license.
pub(crate) fn find(ids: &[ActivationId], issuers: &[IssuerId], license: &LicenseId) -> Option<String> {
    let is_it = |id: &ActivationId| issuers.iter().any(|issuer| id.license(issuer) == *license);
    ids.iter().position(is_it).map(|at| place(at, ids.len()))
}

fn place(at: usize, of: usize) -> String {
    if of == 1 { "the activation id".to_owned() } else { format!("activation id {} of {of}", at + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01234567-89ab-4cde-8f01-23456789abcd";

    fn parse(ids: &[&str]) -> Result<Vec<ActivationId>, Failure> {
        activation("activate", &ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn spaces_and_upper_case_do_not_matter() {
        let ids = parse(&[&format!("  {}\t", ID.to_uppercase())]).unwrap();
        assert_eq!(ids[0].reveal(), ID);
    }

    #[test]
    fn the_wrong_one_is_named_by_its_position_and_never_shown() {
        let wrong = "01234567-89ab-4cde-8f01-23456789abcX";
        let failure = parse(&[ID, wrong, "7"]).unwrap_err();
        assert!(failure.message.starts_with("activation id 2 of 3: "), "{}", failure.message);
        assert!(!failure.text().contains("4cde-8f01-23456789abcX"), "{}", failure.text());
        assert!(!failure.json().contains("23456789abcX"));
        assert_eq!(failure.exit as u8, 4);
    }

    #[test]
    fn twice_the_same() {
        let failure = parse(&[ID, "11234567-89ab-4cde-8f01-23456789abcd", &ID.to_uppercase()]).unwrap_err();
        assert_eq!(failure.message, "activation ids 1 and 3 are the same");
    }

    #[test]
    fn a_license_is_traced_to_its_id() {
        let ids = parse(&[ID, "11234567-89ab-4cde-8f01-23456789abcd"]).unwrap();
        let issuers = [IssuerId([1; 16]), IssuerId([2; 16])];
        let license = ids[1].license(&issuers[1]);
        assert_eq!(find(&ids, &issuers, &license).as_deref(), Some("activation id 2 of 2"));
        assert_eq!(find(&ids, &issuers, &LicenseId([9; 16])), None);
    }
}
