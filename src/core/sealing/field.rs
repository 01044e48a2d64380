//! The field of 2^128 elements, in which keys are split.
//!
//! A share per point of weight may be more shares than the 255 that a field of bytes has room for, and a key of 128
//! bits is one element here. Arithmetic takes the same steps for all values: no branch and no table depends on them.

use zeroize::Zeroize;

/// Bytes of one element.
pub(super) const SIZE: usize = 16;
/// The field's polynomial, x^128 + x^7 + x^2 + x + 1, below its highest term.
const REDUCTION: u128 = 0x87;

/// A polynomial over bits of degree below 128; bit 0 is its constant term.
#[derive(Clone, Copy, Default, PartialEq, Eq, Zeroize)]
pub(super) struct Element(u128);

impl Element {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);

    pub fn from_bytes(bytes: [u8; SIZE]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    pub fn to_bytes(self) -> [u8; SIZE] {
        self.0.to_le_bytes()
    }

    /// The place of the share with this number.
    pub fn at(number: usize) -> Self {
        Self(number as u128)
    }

    /// Adding is subtracting here.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    pub fn times(self, other: Self) -> Self {
        let (mut product, mut shifted, mut left) = (0, self.0, other.0);
        let mut bit = 0;
        while bit < u128::BITS {
            product ^= shifted & lowest_everywhere(left);
            shifted = (shifted << 1) ^ (REDUCTION & lowest_everywhere(shifted >> 127));
            left >>= 1;
            bit += 1;
        }
        Self(product)
    }

    /// What gives one when multiplied with this; zero for zero. It is the power of 2^128 - 2.
    pub fn inverse(self) -> Self {
        let (mut power, mut inverse) = (self, Self::ONE);
        for _ in 1..u128::BITS {
            power = power.times(power);
            inverse = inverse.times(power);
        }
        inverse
    }
}

/// The lowest bit of `value` in the place of all: a shift of signed numbers repeats the highest.
fn lowest_everywhere(value: u128) -> u128 {
    (((value << 127) as i128) >> 127) as u128
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn products_of_powers_are_powers() {
        let x = |power: u32| Element(1 << power);
        assert!(x(3).times(x(4)) == x(7));
        assert!(x(127).times(x(1)) == Element(REDUCTION), "x^128");
        assert!(x(64).times(x(64)) == Element(REDUCTION));
        // x^254 = x^126 * (x^7 + x^2 + x + 1) = x^133 + x^128 + x^127 + x^126, and x^133 = x^5 * (…), x^128 = (…).
        let expected = (REDUCTION << 5) ^ REDUCTION ^ (1 << 127) ^ (1 << 126);
        assert!(x(127).times(x(127)) == Element(expected));
    }

    #[test]
    fn zero_has_no_inverse_and_one_is_its_own() {
        assert!(Element::ZERO.inverse() == Element::ZERO);
        assert!(Element::ONE.inverse() == Element::ONE);
    }

    #[test]
    fn bytes_come_back() {
        let bytes = std::array::from_fn(|at| at as u8);
        assert_eq!(Element::from_bytes(bytes).to_bytes(), bytes);
    }

    proptest! {
        #[test]
        fn it_is_a_field(a in any::<u128>(), b in any::<u128>(), c in any::<u128>()) {
            let (a, b, c) = (Element(a), Element(b), Element(c));
            prop_assert!(a.times(b) == b.times(a));
            prop_assert!(a.times(b).times(c) == a.times(b.times(c)));
            prop_assert!(a.times(b.plus(c)) == a.times(b).plus(a.times(c)));
            prop_assert!(a.times(Element::ONE) == a);
            prop_assert!(a.plus(a) == Element::ZERO);
            prop_assert!(a == Element::ZERO || a.times(a.inverse()) == Element::ONE);
        }
    }
}
