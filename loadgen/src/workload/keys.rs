//! Which key comes next, and how it is spelled.
//!
//! A key is a number below `count`, written as a prefix and decimal digits padded with zeros to a
//! fixed size, so every request of a kind has the same length. Popularity ranks of the skewed
//! patterns are scattered over the key space by a bijection: the hottest keys are not neighbours
//! in the order of the fill.

use super::random::Dice;

/// How the next key is chosen.
#[derive(Clone, Debug)]
pub enum Pattern {
    Uniform,
    /// Rank `r` (from 1) has probability proportional to `r^-theta`.
    Zipf(Zipf),
    /// Every key in turn, each executor from its own place.
    Sequential,
    /// `keys` hot keys get `share` of the requests, evenly; the rest get the rest.
    Hot {
        keys: u64,
        share: f64,
    },
}

/// The key space: numbers `0..count` and their spelling.
#[derive(Clone, Debug)]
pub struct Keys {
    count: u64,
    /// The prefix and zeros, as long as a key.
    template: Vec<u8>,
    pattern: Pattern,
    stride: u64,
}

impl Keys {
    /// # Errors
    /// When `bytes` leave too few digits to tell `count` keys apart.
    pub fn new(count: u64, prefix: &str, bytes: usize, pattern: Pattern) -> Result<Keys, String> {
        assert!(count > 0, "the plan refuses an empty key space");
        let digits = bytes.saturating_sub(prefix.len());
        let needed = decimal_digits(count - 1);
        if digits < needed {
            return Err(format!(
                "keys of {bytes} bytes with prefix \"{prefix}\" leave {digits} digits, but {count} \
                 keys need {needed}: give --key-size {} or a shorter --key-prefix",
                prefix.len() + needed
            ));
        }
        let mut template = prefix.as_bytes().to_vec();
        template.resize(bytes, b'0');
        Ok(Keys { count, template, pattern, stride: stride(count) })
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Bytes of every key.
    pub fn bytes(&self) -> usize {
        self.template.len()
    }

    /// The next key; `cursor` is the caller's place in the sequential pattern.
    #[inline]
    pub fn draw(&self, dice: &mut Dice, cursor: &mut u64) -> u64 {
        match &self.pattern {
            Pattern::Uniform => dice.below(self.count),
            Pattern::Zipf(zipf) => self.scatter(zipf.rank(dice) - 1),
            Pattern::Sequential => {
                let key = *cursor;
                *cursor = if key + 1 == self.count { 0 } else { key + 1 };
                key
            }
            Pattern::Hot { keys, share } => {
                let rank = if dice.unit() < *share || *keys == self.count {
                    dice.below(*keys)
                } else {
                    keys + dice.below(self.count - keys)
                };
                self.scatter(rank)
            }
        }
    }

    /// Appends the key's bytes.
    #[inline]
    pub fn write(&self, key: u64, out: &mut Vec<u8>) {
        debug_assert!(key < self.count);
        out.extend_from_slice(&self.template);
        let mut at = out.len();
        let mut rest = key;
        while rest > 0 {
            at -= 1;
            out[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    /// A bijection of `0..count`: multiplication by a number coprime to it.
    fn scatter(&self, rank: u64) -> u64 {
        match rank.checked_mul(self.stride) {
            Some(product) => product % self.count,
            None => (u128::from(rank) * u128::from(self.stride) % u128::from(self.count)) as u64,
        }
    }
}

fn decimal_digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// A multiplier near the golden section of `count` and coprime to it.
fn stride(count: u64) -> u64 {
    let from = ((count as f64 * 0.618_033_988_749_895) as u64).max(1);
    (from..=from.saturating_add(count)).find(|&stride| coprime(stride, count)).unwrap_or(1)
}

fn coprime(mut a: u64, mut b: u64) -> bool {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Zipf ranks by rejection-inversion (Hörmann and Derflinger 1996): constant memory and about one
/// draw a rank for any exponent, where a table would cost 8 bytes a key and a cache miss.
#[derive(Clone, Debug)]
pub struct Zipf {
    theta: f64,
    count: f64,
    integral_first: f64,
    integral_last: f64,
    shortcut: f64,
}

impl Zipf {
    /// Ranks `1..=count` with probability proportional to `rank^-theta`; `theta` is positive.
    pub fn new(count: u64, theta: f64) -> Zipf {
        assert!(theta > 0.0 && theta.is_finite());
        let mut zipf = Zipf {
            theta,
            count: count as f64,
            integral_first: 0.0,
            integral_last: 0.0,
            shortcut: 0.0,
        };
        zipf.integral_first = zipf.integral(1.5) - 1.0;
        zipf.integral_last = zipf.integral(count as f64 + 0.5);
        zipf.shortcut = 2.0 - zipf.integral_inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    /// A rank, from 1.
    pub fn rank(&self, dice: &mut Dice) -> u64 {
        loop {
            let at = self.integral_last + dice.unit() * (self.integral_first - self.integral_last);
            let x = self.integral_inverse(at);
            let rank = (x + 0.5).floor().clamp(1.0, self.count);
            if rank - x <= self.shortcut || at >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64;
            }
        }
    }

    fn weight(&self, x: f64) -> f64 {
        (-self.theta * x.ln()).exp()
    }

    /// The integral of the weight, up to a constant; continuous through theta = 1.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let t = (1.0 - self.theta) * log;
        let ratio = if t.abs() > 1e-8 { t.exp_m1() / t } else { 1.0 + t / 2.0 };
        ratio * log
    }

    fn integral_inverse(&self, x: f64) -> f64 {
        let t = (x * (1.0 - self.theta)).max(-1.0);
        let ratio = if t.abs() > 1e-8 { t.ln_1p() / t } else { 1.0 - t / 2.0 };
        (ratio * x).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u64, pattern: Pattern) -> Keys {
        Keys::new(count, "key:", 16, pattern).expect("a valid key space")
    }

    fn histogram(keys: &Keys, draws: u64) -> Vec<u64> {
        let (mut dice, mut cursor) = (Dice::new(42), 0);
        let mut seen = vec![0; keys.count() as usize];
        for _ in 0..draws {
            seen[keys.draw(&mut dice, &mut cursor) as usize] += 1;
        }
        seen
    }

    #[test]
    fn a_key_is_its_prefix_and_its_number_padded_with_zeros() {
        let keys = keys(1_000_000, Pattern::Uniform);
        let mut out = b"x".to_vec();
        keys.write(0, &mut out);
        keys.write(123_456, &mut out);
        assert_eq!(out, b"xkey:000000000000key:000000123456");
    }

    #[test]
    fn a_key_size_that_cannot_tell_the_keys_apart_is_refused_with_the_remedy() {
        let said = Keys::new(1_000_001, "key:", 10, Pattern::Uniform).unwrap_err();
        assert!(said.contains("--key-size 11"), "{said}");
        assert!(Keys::new(1_000_000, "key:", 10, Pattern::Uniform).is_ok());
    }

    #[test]
    fn zipf_frequencies_follow_the_law_for_flat_harmonic_and_steep_exponents() {
        for theta in [0.5, 0.99, 1.0, 1.5] {
            let (count, draws) = (1000, 400_000u64);
            let zipf = Zipf::new(count, theta);
            let mut dice = Dice::new(9);
            let mut seen = vec![0u64; count as usize + 1];
            for _ in 0..draws {
                seen[zipf.rank(&mut dice) as usize] += 1;
            }
            let total: f64 = (1..=count).map(|rank| (rank as f64).powf(-theta)).sum();
            for rank in [1u64, 2, 3, 10, 100, 1000] {
                let expected = draws as f64 * (rank as f64).powf(-theta) / total;
                let slack = 5.0 * expected.sqrt() + 1.0;
                let got = seen[rank as usize] as f64;
                assert!((got - expected).abs() < slack, "{theta} {rank}: {got} not {expected}");
            }
        }
    }

    #[test]
    fn scattering_hits_every_key_exactly_once() {
        for count in [1, 2, 9, 10, 97, 1000] {
            let keys = keys(count, Pattern::Uniform);
            let mut hit: Vec<u64> = (0..count).map(|rank| keys.scatter(rank)).collect();
            hit.sort_unstable();
            assert_eq!(hit, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_hot_set_gets_its_share() {
        let seen = histogram(&keys(1000, Pattern::Hot { keys: 10, share: 0.9 }), 100_000);
        let hot: u64 = seen.iter().filter(|&&count| count > 5000).sum();
        assert_eq!(seen.iter().filter(|&&count| count > 5000).count(), 10);
        assert!((89_000..91_000).contains(&hot), "{hot}");
    }

    #[test]
    fn the_sequence_visits_every_key_and_starts_again() {
        assert_eq!(histogram(&keys(10, Pattern::Sequential), 30), vec![3; 10]);
    }
}
