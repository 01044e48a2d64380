//! Numbers that follow from a seed: the same on every machine, for ever.

/// SplitMix64 (Steele, Lea and Flood, 2014): one addition and a mix per number, no state to get wrong.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % bound).unwrap_or(0)
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of `choices`, each as likely as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match at.checked_sub(*weight) {
                None => return Some(*choice),
                Some(rest) => at = rest,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    /// The first numbers of seed 1234567, as the reference implementation prints them.
    #[test]
    fn a_seed_gives_the_same_numbers_everywhere() {
        let mut rng = Rng::new(1_234_567);
        let drawn = [rng.draw(), rng.draw(), rng.draw()];
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn weights_say_how_often() {
        let mut rng = Rng::new(1);
        let mut seen = [0u32; 3];
        for _ in 0..4000 {
            seen[rng.weighted(&[(1, 0), (0, 1), (3, 2)]).unwrap()] += 1;
        }
        assert!(seen[1] == 0 && seen[0] > 900 && seen[2] > 2800, "{seen:?}");
    }
}
