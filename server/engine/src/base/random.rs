//! One seeded generator per shard. All chance in the engine comes from here, so a run can be
//! repeated from its seed.
//!
//! xoshiro256** (Blackman and Vigna, 2018): 32 bytes of state, about a nanosecond a number, no
//! known statistical weakness that sampling would notice. It is not for secrets.

/// A deterministic stream of numbers: the same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// Spreads one word over the whole state with splitmix64, as the authors of xoshiro advise;
    /// neighbouring seeds give unrelated streams.
    pub fn new(seed: u64) -> Random {
        let mut mixer = seed;
        Random { state: std::array::from_fn(|_| split_mix(&mut mixer)) }
    }

    /// Takes the state as it is. All zeros would stay zero for ever and is replaced.
    pub fn from_state(state: [u64; 4]) -> Random {
        if state == [0; 4] { Random::new(0) } else { Random { state } }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`, every one equally likely (Lemire's method: one multiplication,
    /// and a division only when the first draw falls into the uneven rest).
    ///
    /// # Panics
    /// When `bound` is zero: there is no such number.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0);
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let uneven = bound.wrapping_neg() % bound;
            while (product as u64) < uneven {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// A number in `0.0..1.0`, a multiple of 2^-53.
    pub fn f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A generator whose stream is independent of what this one yields next.
    #[must_use]
    pub fn split(&mut self) -> Random {
        Random::new(self.next_u64())
    }

    /// Puts `items` into a random order, every one equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of the reference xoshiro256** for the state 1, 2, 3, 4.
        let mut random = Random::from_state([1, 2, 3, 4]);
        let first: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();
        assert_eq!(
            first,
            [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360]
        );
    }

    #[test]
    fn a_state_of_zeros_still_yields_numbers() {
        assert_ne!(Random::from_state([0; 4]).next_u64(), 0);
    }

    #[test]
    fn every_number_below_the_bound_is_equally_likely() {
        let mut random = Random::new(7);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[random.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (9_500..10_500).contains(&count)), "{seen:?}");
        assert_eq!(random.below(1), 0);
        assert!(random.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn fractions_lie_in_the_unit_interval_and_fill_it() {
        let mut random = Random::new(11);
        let draws: Vec<f64> = (0..10_000).map(|_| random.f64()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((0.48..0.52).contains(&mean), "{mean}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new(3).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
