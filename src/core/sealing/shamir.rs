//! Shamir's secret sharing: so many shares tell the secret, and one fewer tell nothing about it.

use super::field::{Element, SIZE};
use crate::clock::Entropy;
use zeroize::{Zeroize, Zeroizing};

/// A share and its number, which counts from one.
pub(super) type Share = (usize, Element);

/// A fresh random element.
pub(super) fn random(entropy: &mut Entropy) -> Element {
    let mut bytes = Zeroizing::new(entropy.bytes());
    let mut half = [0; SIZE];
    half.copy_from_slice(&bytes[..SIZE]);
    bytes.zeroize();
    let element = Element::from_bytes(half);
    half.zeroize();
    element
}

/// Splits `secret` into shares with the numbers 1 to `count`, of which any `needed` tell it. `needed` is at least one.
pub(super) fn split(
    secret: Element,
    needed: usize,
    count: usize,
    entropy: &mut Entropy,
) -> Zeroizing<Vec<Element>> {
    let mut polynomial = Zeroizing::new(Vec::with_capacity(needed));
    polynomial.push(secret);
    // All that is random is all that hides the secret: zero is as good a coefficient as any other.
    polynomial.extend((1..needed).map(|_| random(entropy)));
    let value =
        |x: Element| polynomial.iter().rev().fold(Element::ZERO, |sum, term| sum.times(x).plus(*term));
    Zeroizing::new((1..=count).map(|number| value(Element::at(number))).collect())
}

/// The secret of which these are shares: as many as are needed, each with a number of its own.
pub(super) fn combine(shares: &[Share]) -> Element {
    let places: Vec<Element> = shares.iter().map(|(number, _)| Element::at(*number)).collect();
    let all = product(places.iter().copied());
    // Lagrange's polynomials at zero: the product of all places, divided by the own one and the distances to others.
    let others =
        |own: Element| places.iter().filter(move |place| **place != own).map(move |place| place.plus(own));
    let divisors: Vec<Element> = places.iter().map(|place| product(others(*place)).times(*place)).collect();
    let mut secret = Element::ZERO;
    for ((_, value), divided) in shares.iter().zip(inverses(&divisors)) {
        secret = secret.plus(value.times(all).times(divided));
    }
    secret
}

fn product(elements: impl Iterator<Item = Element>) -> Element {
    elements.fold(Element::ONE, Element::times)
}

/// The inverses of elements that are not zero, with one inversion for all of them: it costs as much as 254 products.
fn inverses(elements: &[Element]) -> Vec<Element> {
    let mut before = Vec::with_capacity(elements.len());
    let mut all = Element::ONE;
    for element in elements {
        before.push(all);
        all = all.times(*element);
    }
    let mut rest = all.inverse();
    let mut inverses: Vec<Element> = elements
        .iter()
        .zip(before)
        .rev()
        .map(|(element, before)| {
            let inverse = rest.times(before);
            rest = rest.times(*element);
            inverse
        })
        .collect();
    inverses.reverse();
    inverses
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    fn numbered(shares: &[Element]) -> Vec<Share> {
        shares.iter().enumerate().map(|(at, share)| (at + 1, *share)).collect()
    }

    fn some() -> impl Strategy<Value = (usize, Vec<usize>, usize, [u8; 32])> {
        (1..24usize, 0..12usize).prop_flat_map(|(needed, more)| {
            let count = needed + more;
            (
                Just(needed),
                subsequence((0..count).collect::<Vec<_>>(), needed),
                Just(count),
                any::<[u8; 32]>(),
            )
        })
    }

    proptest! {
        #[test]
        fn as_many_as_needed_tell_the_secret((needed, chosen, count, seed) in some()) {
            let mut entropy = Entropy::new(seed);
            let secret = random(&mut entropy);
            let shares = numbered(&split(secret, needed, count, &mut entropy));
            let chosen: Vec<Share> = chosen.into_iter().map(|at| shares[at]).collect();
            prop_assert!(combine(&chosen) == secret);
            prop_assert!(combine(&shares) == secret, "more do no harm");
        }

        /// One share fewer fits every secret: for each there is a share that would complete it.
        #[test]
        fn one_fewer_fits_any_secret((needed, chosen, count, seed) in some(), other in any::<[u8; 16]>()) {
            let mut entropy = Entropy::new(seed);
            let secret = random(&mut entropy);
            let shares = numbered(&split(secret, needed, count, &mut entropy));
            let held: Vec<Share> = chosen[1..].iter().map(|at| shares[*at]).collect();
            let other = Element::from_bytes(other);
            let with = |value: Element| combine(&[&[(count + 1, value)], &held[..]].concat());
            // The secret is an affine function of the missing share, so one division finds the share that fits.
            let (at_zero, at_one) = (with(Element::ZERO), with(Element::ONE));
            let slope = at_zero.plus(at_one);
            let fitting = other.plus(at_zero).times(slope.inverse());
            prop_assert!(slope != Element::ZERO && with(fitting) == other);
            if needed > 1 {
                prop_assert!(combine(&held) != secret);
            }
        }
    }

    #[test]
    fn each_is_the_secret_where_one_is_enough() {
        let mut entropy = Entropy::new([1; 32]);
        let secret = random(&mut entropy);
        assert!(split(secret, 1, 5, &mut entropy).iter().all(|share| *share == secret));
    }
}
